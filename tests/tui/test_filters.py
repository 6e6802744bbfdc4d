"""The filter language, apart from any screen."""

import pytest

from arena_tui.filters import Facts, FilterError, compile_filter

FIELDS = ("state", "reason")
NUMBERS = ("lr", "val_loss", "optimizer.lr")
ROWS = {
    "a": Facts("muon lr=0.02", {"state": "complete"}, {"lr": 0.02, "val_loss": 1.31, "optimizer.lr": 0.02}),
    "b": Facts("lion lr=0.001", {"state": "failed", "reason": "diverged"}, {"lr": 0.001}),
    "c": Facts("lion+ema two words", {"state": "complete"}, {"lr": 0.002, "val_loss": 1.40}),
}


def kept(text: str) -> str:
    test = compile_filter(text, FIELDS, NUMBERS)
    return "".join(key for key, facts in ROWS.items() if test(facts))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "abc"),
        ("lion", "bc"),
        ("LION", "bc"),
        ("lion ema", "c"),
        ("!lion", "a"),
        ("muon | ema", "ac"),
        ("muon|ema", "ac"),
        ("lion !ema | muon", "ab"),
        ("state:fail", "b"),
        ("!state:failed", "ac"),
        ("reason:div", "b"),
        ('"two words"', "c"),
        ("lr>=2e-3", "ac"),
        ("lr>0.002", "a"),
        ("lr<=0.001", "b"),
        ("lr<0.002", "b"),
        ("lr=0.002", "c"),
        ("optimizer.lr>0", "a"),
        ("!lr>=0.002", "b"),
    ],
)
def test_filter_keeps(text: str, expected: str) -> None:
    assert kept(text) == expected


def test_a_row_without_the_number_matches_no_comparison() -> None:
    assert kept("val_loss<9") == "ac"
    assert kept("val_loss>=0") == "ac"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('"open', 'a quote (") is left open'),
        ("!", "! needs a word after it"),
        ("a |", "| needs something on both sides"),
        ("| a", "| needs something on both sides"),
        ("foo:bar", "there is no field foo: the fields are reason, state"),
        ("rho>1", "no row has a number named rho: try lr, val_loss"),
        ("lr>=", "lr>=: nothing is no number"),
        ("lr>=big", "lr>=big: big is no number"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, why: str) -> None:
    with pytest.raises(FilterError) as wrong:
        compile_filter(text, FIELDS, NUMBERS)
    assert str(wrong.value) == why
