"""What must hold of a model before its score means anything, found out in a second on made-up bytes.

Shapes: B batch, T time, D width, V vocabulary.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from bench.artifact import pack, unpack
from bench.brought import reporting
from bench.catalog import realise
from bench.config import RunConfig
from bench.errors import BreachError, ConfigError
from bench.estimate import estimate, over_caps, unseen_flops
from bench.layers import Params
from bench.run import initialise
from bench.skeleton import DOCUMENT_END, Model
from bench.tracks import VOCAB, Track
from bench.training import mean_nats

# Sums in another order differ by this much in fp32.
ROUNDING = 1e-5
HINT = "docs/bring-your-own-fighter.md says what a mixer must keep to"


def examine(config: RunConfig, track: Track) -> None:
    """Raises ConfigError with the first thing that is wrong with a config's model, BreachError for a cap it breaks."""
    who = config.pick("mixer").label
    with reporting(config):
        for fault in _cost_faults(config):
            raise ConfigError(f"{who} {fault}", HINT)
        if over := over_caps(config, track):
            raise BreachError(f"{who} has {'; '.join(over)}", "make it smaller; what it shares with the baseline stays")
        for fault in _faults(config):
            raise ConfigError(f"{who} {fault}", HINT)


def _cost_faults(config: RunConfig) -> Iterator[str]:
    """What its declarations hide, as ends of a sentence."""
    B, T = 2, config.budget.seq_len
    for given, got in misshapen(started(config), text(B, T)):
        yield f"makes {got} of numbers in the shape {given}: it must keep batch, time and width"
    cost = estimate(config)
    if (found := Params(started(config)).count) != cost.parameters:
        yield f"makes a model of {found:,} parameters and declares {cost.parameters:,}"
    if (hidden := unseen(config)) < 0:
        yield f"declares {hidden:,} unseen FLOPs: they add to a cost, and never lower it"
    counted, declared = counted_flops(started(config), B, T), cost.forward_flops - hidden
    if counted != declared * B * T:
        real = f"{counted / (B * T):,.0f}"
        yield f"makes a model of {real} FLOPs per byte, as torch counts them, and declares {declared:,}"


def _faults(config: RunConfig) -> Iterator[str]:
    """What it does that no mixer may, as ends of a sentence."""
    T = config.budget.seq_len
    model, tokens_BT = stirred(config), text(2, T)
    if not torch.equal(model(tokens_BT), model(tokens_BT)):
        yield "answers twice the same bytes with two different results: it may neither draw numbers nor remember"
    if not torch.equal(model(tokens_BT), stirred(config)(tokens_BT)):
        yield "is built in two ways from one config: its constructor may not draw numbers"
    for training, progress in ((True, 0.5), (False, 1.0)):
        model.train(training)

        def answer(x_BT: Tensor, progress: float = progress) -> Tensor:
            logits_BTV: Tensor = model(x_BT, progress)
            return logits_BTV

        if mixes_rows(answer):
            yield "mixes the rows of a batch: each must be answered as if it stood alone"
        if looks_ahead(answer, T):
            yield "looks ahead: bytes that come later move what it says of earlier ones"
        if not same_start(answer, T):
            yield "answers the start of a window differently when the window is cut short"
    if unmoved := untrained(model, text(2, T + 1)):
        yield f"has a parameter that gets no gradient, or none that is finite: {unmoved[0]}"
    if not survives_packing(model, config, tokens_BT):
        yield "is another model once it is packed and unpacked: only parameters are kept"


def started(config: RunConfig) -> Model:
    """The config's model with its starting weights."""
    stack = realise(config)
    model = stack.model(config.budget.seq_len)
    initialise(Params(model), stack.init, seed=1)
    return model


def stirred(config: RunConfig) -> Model:
    """A model in which no weight is zero any more, so that nothing hides behind a zero output."""
    model = started(config)
    noise = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn(p.shape, generator=noise), alpha=0.05)
    return model


def text(B: int, T: int, seed: int = 3) -> Tensor:
    """Random bytes with a document's end every few."""
    tokens_BT = torch.randint(1, VOCAB, (B, T), generator=torch.Generator().manual_seed(seed))
    tokens_BT[:, 4::7] = DOCUMENT_END
    return tokens_BT


@torch.no_grad()
def looks_ahead(model: Callable[[Tensor], Tensor], T: int) -> list[int]:
    """Positions whose change moved a logit before them."""
    one_1T, other_1T = text(1, T), (text(1, T) + 1) % VOCAB
    # row t keeps the first t bytes and changes all the others
    kept_TT = torch.arange(T) < torch.arange(T).unsqueeze(1)
    base_TV, moved_TTV = model(one_1T)[0], model(torch.where(kept_TT, one_1T, other_1T))
    return [t for t in range(1, T) if not torch.allclose(moved_TTV[t, :t], base_TV[:t], atol=ROUNDING)]


@torch.no_grad()
def mixes_rows(model: Callable[[Tensor], Tensor]) -> bool:
    """True when a row's logits depend on the other rows of its batch."""
    tokens_BT = text(3, 12)
    changed_BT = tokens_BT.clone()
    changed_BT[1:] = (changed_BT[1:] + 1) % VOCAB
    return not torch.allclose(model(tokens_BT)[0], model(changed_BT)[0], atol=ROUNDING)


@torch.no_grad()
def same_start(model: Callable[[Tensor], Tensor], T: int) -> bool:
    """True when a window cut short, down to one byte, is answered as its start was."""
    tokens_BT = text(2, T)
    whole_BTV = model(tokens_BT)
    cuts = {1, min(11, T), T - T // 3}
    return all(torch.allclose(model(tokens_BT[:, :t]), whole_BTV[:, :t], ROUNDING, ROUNDING) for t in cuts)


def untrained(model: nn.Module, x_BT: Tensor) -> list[str]:
    """Parameters that a loss gives no gradient, or one that is not finite."""
    mean_nats(model(x_BT[:, :-1]), x_BT[:, 1:]).backward()  # type: ignore[no-untyped-call]
    return [
        name
        for name, p in model.named_parameters()
        if p.grad is None or not p.grad.any() or not torch.isfinite(p.grad).all()
    ]


def counted_flops(model: nn.Module, B: int, T: int) -> int:
    """Forward FLOPs as torch counts them: products only, attention in the plain form that the counter sees into."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter, torch.no_grad():
        model(text(B, T))
    return int(counter.get_total_flops())


def unseen(config: RunConfig) -> int:
    """Declared FLOPs per byte of recurrences, out of sight for torch's counter."""
    stack, T = realise(config), config.budget.seq_len
    return sum(unseen_flops(part, here) for part, here in stack.costed(T, stack.order(1.0)))


@torch.no_grad()
def misshapen(model: Model, tokens_BT: Tensor) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Shapes that mixers were given, each with the other one they made of it, which a sum would stretch silently."""
    found: list[tuple[tuple[int, ...], tuple[int, ...]]] = []

    def compare(mixer: nn.Module, given: tuple[Tensor, ...], y_BTD: Tensor) -> None:
        if y_BTD.shape != given[0].shape:
            found.append((tuple(given[0].shape), tuple(y_BTD.shape)))

    hooks = [block.mixer.register_forward_hook(compare) for block in model.blocks]  # type: ignore[union-attr]
    model(tokens_BT)
    for hook in hooks:
        hook.remove()
    return found


@torch.no_grad()
def survives_packing(model: Model, config: RunConfig, tokens_BT: Tensor) -> bool:
    """True when the unpacked model answers as the packed one does at the weights that were kept."""
    # what looks at training data before it rounds has none here, and says nothing of a mixer
    config = config.replaced("precision_modifiers", [])
    shipped = unpack(pack(model, config), config)
    for mine, kept in zip(Params(model).all, Params(shipped).all, strict=True):
        mine.tensor.copy_(kept.tensor)
    return torch.equal(model(tokens_BT), shipped(tokens_BT))
