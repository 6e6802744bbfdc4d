"""A made-up landscape of technique stacks: reported main effects, the known sign flips, a size cap, memory that ends.

It says something about search, nothing about language models. The numbers and formulas are those of the survey of
search methods this project began from. It leaves the ranges open: here a random stack runs out of memory as often as
reported there (13 of 150) and is over the cap about as often (72 of 150, there 80).
"""

import math
from collections.abc import Callable, Mapping

from bench.knobs import Choice, Span, Value

Chooser = Callable[[str, Span | Choice], Value]
Params = dict[str, Value]

NOISE_SD = 0.0007
CAP_BYTES = 16e6
MEMORY = 157e3

# format: bits a weight, what it costs in score
QUANT = {"fp16": (16.0, 0.0), "int8": (8.0, 0.001), "int6": (6.0, 0.004), "int5": (5.0, 0.016), "ternary": (1.6, 0.075)}
# optimizer: gain in score, log10 of its best learning rate, step time relative to Muon's
OPTIMIZERS = {
    "adamw": (0.0, -2.9, 0.97),
    "lion": (0.006, -3.6, 1.0),
    "muon": (0.022, -1.7, 1.0),
    "normuon": (0.024, -1.65, 1.12),
}
LEARNING_RATES = {
    "adamw": Span(1e-4, 1e-2, log=True),
    "lion": Span(3e-5, 3e-3, log=True),
    "muon": Span(2e-3, 2e-1, log=True),
    "normuon": Span(2e-3, 2e-1, log=True),
}
TOGGLE = Choice((False, True))


def walk(choose: Chooser) -> Params:
    """The twenty choices in a fixed order; a knob is asked for only where its technique was chosen."""
    params: Params = {}

    def ask(name: str, values: Span | Choice) -> Value:
        params[name] = choose(name, values)
        return params[name]

    ask("quant", Choice(tuple(QUANT)))
    ask("qat", TOGGLE)
    ask("fp16_embedding", TOGGLE)
    optimizer = str(ask("optimizer", Choice(tuple(OPTIMIZERS))))
    ask(f"{optimizer}.lr", LEARNING_RATES[optimizer])
    ask("weight_decay", Span(1e-3, 0.3, log=True))
    ask("layers", Span(6, 14))
    ask("mlp", Span(2, 4))
    ask("seq", Choice((1024, 2048, 4096)))
    if ask("xsa", TOGGLE):
        ask("xsa.k", Span(1, 11))
    if ask("averaging", Choice(("none", "ema", "swa"))) == "ema":
        ask("ema.forget", Span(1e-4, 1e-1, log=True))  # one minus the decay
    ask("smear", TOGGLE)
    ask("ortho", TOGGLE)
    if ask("bigram", TOGGLE):
        ask("bigram.k", Span(1024, 16384, log=True))
    ask("ttt", TOGGLE)
    ask("activation", Choice(("relu2", "swiglu", "leaky2")))
    ask("partial_rope", TOGGLE)
    return params


def stack(**chosen: Value) -> Params:
    """What is named as given, everything else as the baseline has it: off, wherever there is an off."""
    baseline: Params = {
        "quant": "int8", "optimizer": "muon", "muon.lr": 0.04, "layers": 9, "mlp": 2, "seq": 1024, "weight_decay": 0.01,
        "averaging": "none", "activation": "relu2",
    }  # fmt: skip
    wanted = baseline | {name.replace("__", "."): value for name, value in chosen.items()}
    return walk(lambda name, values: wanted.get(name, False))


BASELINE = stack()
RECIPES = (
    stack(
        quant="int6", muon__lr=0.02, layers=11, mlp=3, seq=2048, fp16_embedding=True, averaging="swa", qat=True,
        weight_decay=0.04,
    ),
    stack(quant="int6", muon__lr=0.02, layers=9, mlp=3, seq=2048, smear=True, ortho=True),
)  # fmt: skip


def artifact_bytes(p: Mapping[str, Value]) -> float:
    bits, _ = QUANT[str(p["quant"])]
    numbers = 0.52e6 + p["layers"] * (0.79e6 + 0.52e6 * p["mlp"]) + 256 * p.get("bigram.k", 0)
    return numbers * bits / 8 * 0.92 + 60e3 + (0.5e6 if p["fp16_embedding"] else 0.0)


def fits(p: Mapping[str, Value]) -> bool:
    return artifact_bytes(p) <= CAP_BYTES


def out_of_memory(p: Mapping[str, Value]) -> bool:
    return p["layers"] * p["mlp"] * p["seq"] > MEMORY


def step_seconds(p: Mapping[str, Value]) -> float:
    size = 0.060 * (p["layers"] / 9) * (0.7 + 0.15 * p["mlp"]) * (1 + 0.35 * math.log2(p["seq"] / 1024))
    return size * OPTIMIZERS[p["optimizer"]][2] * (1.10 if p["qat"] else 1.0) * (1 + 0.004 * p.get("xsa.k", 0))


def true_score(p: Mapping[str, Value]) -> float:
    """Bits per byte without noise, lower is better; what a run shows is this plus N(0, NOISE_SD)."""
    steps = 600 / step_seconds(p)
    score = 1.2244 - 0.066 * math.log(p["layers"] / 9) - 0.045 * math.log(p["mlp"] / 2)
    score += -0.016 * math.log2(p["seq"] / 1024) + 0.055 * math.log(10000 / steps)
    return score + _format_cost(p) + _tuning_cost(p) + _technique_effects(p)


def _format_cost(p: Mapping[str, Value]) -> float:
    _, cost = QUANT[p["quant"]]
    cost *= (0.35 if p["qat"] else 1.0) * (1.0 if p["fp16_embedding"] else 1.6)
    return cost - (0.002 if p["fp16_embedding"] else 0.0)


def _tuning_cost(p: Mapping[str, Value]) -> float:
    gain, best_lr, _ = OPTIMIZERS[p["optimizer"]]
    lr = math.log10(p[f"{p['optimizer']}.lr"])
    wd = math.log10(p["weight_decay"])
    return -gain + min(0.3, 0.010 * ((lr - best_lr) / 0.35) ** 2) + 0.004 * ((wd + 1.4) / 0.6) ** 2


def _technique_effects(p: Mapping[str, Value]) -> float:
    effect = 0.0
    if p["xsa"]:
        effect -= 0.010 * math.exp(-(((p["xsa.k"] - 7) / 5) ** 2))
    if p["averaging"] == "ema":
        x = -math.log10(p["ema.forget"])
        effect += -0.010 * math.exp(-(((x - 2.52) / 0.35) ** 2)) if p["xsa"] else 0.015
    if p["averaging"] == "swa":
        effect -= 0.006
    if p["smear"]:
        effect += -0.006 if p["ortho"] else 0.003
    if p["bigram"]:
        effect -= 0.006 * min(1.0, math.log2(p["bigram.k"] / 1024 + 1) / 3.4) * (1.0 if p["smear"] else 0.6)
    if p["ttt"]:
        effect += 0.010 if p["xsa"] and p["averaging"] == "ema" else -0.010
    effect += {"relu2": 0.0, "swiglu": 0.004, "leaky2": -0.003}[p["activation"]]
    return effect - (0.002 if p["partial_rope"] else 0.0)
