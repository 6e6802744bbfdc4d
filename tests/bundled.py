"""An exported script as a module of this process: torch takes longer to load than a tiny run."""

import sys
from types import ModuleType


def loaded(text: str, place: str = "script.py") -> ModuleType:
    module = ModuleType(f"bundled_{abs(hash(text))}")
    module.__file__ = place
    # dataclasses look their own module up
    sys.modules[module.__name__] = module
    exec(compile(text, place, "exec"), module.__dict__)
    return module
