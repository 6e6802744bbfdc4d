"""An exported script as a module of this process: torch takes longer to load than a tiny run."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bench.data.tokens import TokenCorpus

GOLF_ENTRY = ("autoresearch.submission.golf_script", "train_gpt")


def loaded(text: str, place: str = "script.py") -> ModuleType:
    module = ModuleType(f"bundled_{abs(hash(text))}")
    module.__file__ = place
    # dataclasses look their own module up
    sys.modules[module.__name__] = module
    exec(compile(text, place, "exec"), module.__dict__)
    return module


@dataclass
class Repeated:
    """What a golf script did: every point of its curve, its result and the model it packed."""

    points: list[Any] = field(default_factory=list)
    result: Any = None
    artifact: bytes = b""


def repeat(alone: ModuleType, corpus: TokenCorpus, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Repeated:
    """Run a script as torchrun would, in a folder; what it is about to print is caught on the way."""
    done = Repeated()
    step_lines, closing = alone.step_lines, alone.closing

    def caught(point: Any, *rest: Any) -> Any:
        done.points.append(point)
        return step_lines(point, *rest)

    def caught_result(result: Any, *rest: Any) -> Any:
        done.result = result
        return closing(result, *rest)

    monkeypatch.chdir(folder)
    monkeypatch.setenv("DATA_PATH", str(corpus.folder))
    monkeypatch.setenv("TOKENIZER_PATH", str(corpus.folder / "tokenizer.model"))
    monkeypatch.setattr(alone, "step_lines", caught)
    monkeypatch.setattr(alone, "closing", caught_result)
    alone.main()
    (packed,) = (folder / "logs").glob("*.arena")
    done.artifact = packed.read_bytes()
    return done
