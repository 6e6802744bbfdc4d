"""A mixer that a user brings as a Python file: read without running it, and run only where a model is built or counted.

The file's text travels in the pick, so that fingerprint, ledger and artifact hold it and a replay needs nothing else:
`Pick("brought", {"title": "windowed_mean", "code": "...", "window": 8})`. Name, knobs and points are taken from the
syntax tree: a coordinator, a screen and a verifier know the mixer without running a stranger's line.
"""

import hashlib
import linecache
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import fields, is_dataclass, make_dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any, ClassVar

from bench.brought_text import HINT, Text, read, wrong
from bench.config import BROUGHT, RunConfig
from bench.errors import ArenaError, ConfigError
from bench.knobs import Value, knob, knobs_of


class Brought:
    """What stands in the catalog's place for a brought mixer: knobs as it declares them, work by its own code."""

    slot: ClassVar = "mixer"
    name: ClassVar = BROUGHT
    source: ClassVar[str]
    points: ClassVar[frozenset[str]]
    text: ClassVar[Text]
    carried: ClassVar[Mapping[str, Value]]  # what a pick holds of it beside its knobs

    @property
    def real(self) -> Any:
        """The user's own technique at these knobs; from here on their code runs."""
        return loaded(self.text.code)(**{field.name: getattr(self, field.name) for field in fields(self)})  # type: ignore[arg-type]

    def build(self, site: Any, modifiers: Sequence[Any] = ()) -> Any:
        with reported(self.text):
            return self.real.build(site, modifiers)

    def flops(self, site: Any) -> int:
        return self._counted("flops", site)

    def parameters(self, site: Any) -> int:
        return self._counted("parameters", site)

    def unseen_flops(self, site: Any) -> int:
        return self._counted("unseen_flops", site) if "unseen_flops" in self.text.methods else 0

    def _counted(self, what: str, site: Any) -> int:
        with reported(self.text):
            found = getattr(self.real, what)(site)
        if type(found) is not int or found < 0:
            raise ConfigError(f"{self.text.label}: {what}(site) gives {found!r}, and is a whole number from 0 up", HINT)
        return found


@lru_cache(maxsize=64)
def declared(code: str) -> type[Brought]:
    """The stand-in for a text; nothing of the text is run. Raises ConfigError with the line that is wrong."""
    text = read(code)
    return make_dataclass(
        text.class_name,
        [(k.name, type(k.default), knob(k.default, k.range, k.why)) for k in text.knobs],
        bases=(Brought,),
        namespace={
            "__doc__": text.doc,
            "source": text.source,
            "points": text.points,
            "text": text,
            "carried": {"title": text.title, "code": code},
        },
        frozen=True,
        kw_only=True,
    )


@lru_cache(maxsize=16)
def loaded(code: str) -> type:
    """The user's class, its module run once in this process; what it prints goes to stderr."""
    text = declared(code).text
    module = ModuleType(f"brought_{hashlib.sha256(code.encode()).hexdigest()[:16]}")
    # dataclasses look their own module up, and a traceback its lines
    sys.modules[module.__name__] = module
    linecache.cache[text.place] = (len(code), None, code.splitlines(keepends=True), text.place)
    with redirect_stdout(sys.stderr), reported(text):
        exec(compile(code, text.place, "exec"), module.__dict__)
    found = getattr(module, text.class_name, None)
    if not isinstance(found, type) or not is_dataclass(found) or not found.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise wrong(
            text.line, f"{text.class_name} is no frozen dataclass", "write @dataclass(frozen=True, kw_only=True)"
        )
    if knobs_of(found) != text.knobs or len(fields(found)) != len(text.knobs):
        raise wrong(text.line, f"{text.class_name} has other knobs once it runs than it is written with")
    return found


@contextmanager
def reported(text: Text) -> Iterator[None]:
    """Whatever the user's code raises, as one sentence with the line it came from."""
    try:
        yield
    except (ArenaError, MemoryError):
        raise
    except ImportError as missing:
        raise wrong(_line(missing, text), f"it can't be imported: {missing}", "install it, or do without") from missing
    # a stranger's code may raise anything, and may try to leave
    except (Exception, SystemExit) as raised:
        said = str(raised) or "without a word"
        raise wrong(_line(raised, text), f"{type(raised).__name__}: {said}") from raised


def _line(raised: BaseException, text: Text) -> int | None:
    """The last line of the user's own text on the way to an error."""
    own = [f.lineno for f in traceback.extract_tb(raised.__traceback__) if f.filename == text.place]
    return own[-1] if own else None


@contextmanager
def reporting(config: RunConfig) -> Iterator[None]:
    """The same around any work with a config; an error that is our own keeps its traceback."""
    if not config.brings_code:
        yield
        return
    with reported(declared(str(config.pick("mixer").knobs["code"])).text):
        yield
