"""What a run's packed model is made of, in words: the largest tensors first, then what the codec makes of them all."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich.text import Text

from arena_tui import formatting
from arena_tui.summary import labelled
from bench.config import RunConfig
from bench.records import Sizes, State, TensorSize
from bench.tracks import track_named
from studies.views import RunView

# Lines of tensors, each for all layers where it is the same; golf's own stack has eleven.
MOST_LINES = 14
# Of a line beside its name: its shape, bits a number, bytes, share.
_CELLS_BESIDE = 15 + 6 + 12 + 7
_BLOCK = re.compile(r"blocks\.(\d+)\.")


@dataclass(frozen=True)
class Line:
    """Tensors of one kind: the same name but for the layer, the same shape and number format."""

    name: str
    shape: str
    n_numbers: int
    n_bytes: int


def size_lines(run: RunView, config: RunConfig, read: Mapping[int, Sizes | None], width: int) -> Text:
    """Of a run with a score; `read` holds the sizes of runs by number, as far as they were asked for."""
    if run.weights_bytes is None:
        return Text()
    sizes = read.get(run.id)
    lines = [("weights", f"{run.weights_bytes:,} bytes")]
    if sizes is not None:
        share = run.weights_bytes / sizes.n_bytes
        lines = [("weights", f"{run.weights_bytes:,} bytes, {share:.1%} of {sizes.n_bytes:,} before the codec")]
    if run.parameters:
        lines.append(("per parameter", f"{8 * run.weights_bytes / run.parameters:.2f} bits of {run.parameters:,}"))
    if room := _room(run.weights_bytes, sizes, config):
        lines.append(("cap", room))
    for slot in ("precision", "precision_modifiers", "codec"):
        if named := " + ".join(pick.label for pick in config.picks.get(slot, ())):
            lines.append((slot.replace("_", " "), named))
    lines.append(("quant_gap", formatting.delta(run.quant_gap).strip()))
    text = labelled(lines, width)
    if sizes is not None:
        text.append_text(_table(sizes, width))
    elif run.id in read and run.state is State.COMPLETE:
        text.append(" by tensor: not recorded, the run is older than that record\n", "dim")
    return text


def _room(weights_bytes: int, sizes: Sizes | None, config: RunConfig) -> str:
    """What is left under the track's cap, where it has one."""
    track = track_named(config.track)
    if track.max_artifact_bytes is None:
        return ""
    code = track.code_bytes if sizes is None else sizes.code_bytes
    left = track.max_artifact_bytes - weights_bytes - code
    beside = f" less {code:,} for code" if code else ""
    return f"{track.max_artifact_bytes:,}{beside}: {left:,} bytes to spare"


def _table(sizes: Sizes, width: int) -> Text:
    names = max(12, width - _CELLS_BESIDE - 1)
    text = Text()
    text.append(f" {'tensors':<{names}}{'shape':>15}{'bits':>6}{'bytes':>12}{'share':>7}\n", "dim")
    lines = by_kind(sizes.tensors)
    shown, rest = lines[:MOST_LINES], lines[MOST_LINES:]
    if rest:
        shown = [*shown, Line(f"{len(rest)} smaller", "", sum(r.n_numbers for r in rest), sum(r.n_bytes for r in rest))]
    if sizes.correction_bytes:
        shown.append(Line("corrections", "", 0, sizes.correction_bytes))
    shown.append(Line("header: config and names", "", 0, sizes.header_bytes))
    for line in shown:
        name = line.name if len(line.name) <= names else line.name[: names - 1] + "…"
        bits = f"{8 * line.n_bytes / line.n_numbers:.3g}" if line.n_numbers else ""
        share = f"{line.n_bytes / sizes.n_bytes:.1%}"
        text.append(f" {name:<{names}}{line.shape:>15}{bits:>6}{line.n_bytes:>12,}{share:>7}\n")
    return text


def by_kind(tensors: Iterable[TensorSize]) -> list[Line]:
    """A line for tensors that differ in their layer alone, those with most bytes first."""
    kinds: dict[tuple[str, tuple[int, ...], int], list[TensorSize]] = {}
    for tensor in tensors:
        kinds.setdefault((_BLOCK.sub("", tensor.name), tensor.shape, tensor.n_bytes), []).append(tensor)
    lines = []
    for (name, shape, n_bytes), alike in kinds.items():
        layers = [int(found[1]) for tensor in alike if (found := _BLOCK.match(tensor.name))]
        place = f"blocks.{_runs(layers)}." if layers else ""
        each = "x".join(map(str, shape)) or "1"
        n = len(alike)
        lines.append(
            Line(
                name=(place + name).removesuffix(".weight"),
                shape=f"{n} of {each}" if n > 1 else each,
                n_numbers=n * alike[0].n_numbers,
                n_bytes=n * n_bytes,
            )
        )
    return sorted(lines, key=lambda line: -line.n_bytes)


def _runs(layers: Iterable[int]) -> str:
    """`0-3,7` of 0, 1, 2, 3, 7."""
    runs: list[list[int]] = []
    for layer in sorted(layers):
        if runs and layer == runs[-1][1] + 1:
            runs[-1][1] = layer
        else:
            runs.append([layer, layer])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
