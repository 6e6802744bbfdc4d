"""How a script is put together: what its text holds, and how definitions are taken out of their modules."""

import ast

import pytest
from brought_files import GOOD
from bundled import GOLF_ENTRY, loaded

from autoresearch.submission.bundle import bundle
from autoresearch.submission.plainer import plainer
from autoresearch.submission.recipe import Recorded, script
from autoresearch.submission.scopes import free_names
from autoresearch.submission.sources import BundleError
from bench.brought import declared
from bench.catalog import full_pick
from bench.config import Budget
from bench.divisions import GOLF_CPU_BASE, baseline

FEATHERWEIGHT_ENTRY = ("autoresearch.submission.featherweight_script", "train_fighter")


def test_a_script_is_the_same_text_every_time_and_names_none_of_our_packages_to_import():
    text = script(Recorded(GOLF_CPU_BASE, 1337, 1), GOLF_ENTRY)
    assert text == script(Recorded(GOLF_CPU_BASE, 1337, 1), GOLF_ENTRY)
    assert not [line for line in text.split("\n") if line.split()[:1] in (["import"], ["from"]) and "bench" in line]
    assert "torch.set_num_threads(threads)" in text
    assert "n_layer: int  # blocks\n" in text


def test_a_script_holds_no_technique_that_its_recipe_does_not_use():
    text = script(Recorded(GOLF_CPU_BASE, 1337, 1), GOLF_ENTRY)
    for unused in ("class Mamba", "class Ema", "class AdamMini", "class Zstd", "def flops", "class Span", "CATALOG"):
        assert unused not in text, unused


def brought(text):
    config = baseline(Budget(steps=2, batch=2, seq_len=16))
    return config.replaced("mixer", [full_pick("mixer", "brought", dict(declared(text).carried))])


def test_a_mixer_of_ones_own_is_part_of_the_script_under_its_own_name():
    text = script(Recorded(brought(GOOD), 5, 1, ("digest",)), FEATHERWEIGHT_ENTRY)
    alone = loaded(text)
    assert "class RecentMeanMixer(nn.Module)" in text
    assert "mixer=RecentMean(window=4)" in text
    assert "window: int  # bytes that are averaged" in text
    assert alone.STACK.mixer.window == 4


def test_a_mixer_that_is_no_list_of_definitions_can_be_no_part_of_one():
    with pytest.raises(BundleError, match="Try at the top of a module"):
        script(Recorded(brought(GOOD + "\ntry:\n    pass\nfinally:\n    pass\n"), 5, 1, ("d",)), FEATHERWEIGHT_ENTRY)


# code made for the purpose

FIRST = '''"""First."""
from second import size as width, Shape as Form
import math

SIZE = 3  # of the first

class Local(Form):
    """Two."""
    kept = 1
    dropped = 2

    def area(self, n=SIZE):
        values = [n * n for n in (n, width(SIZE))]
        return math.fsum(values) + self.kept + len(f"{SIZE}")

    def never(self):
        return missing

def main():
    return Local().area()
'''
SECOND = '''"""Second."""
SIZE = 4

class Shape:
    def area(self):
        raise NotImplementedError

def size(SIZE_: "Unknown") -> "Unknown":
    def inner(size):
        return size + SIZE
    return inner(SIZE_)
'''


def test_names_that_meet_are_told_apart_and_scopes_are_kept():
    text = bundle({"first": FIRST, "second": SECOND}, ("first", "main"), {})
    module = loaded(text)
    assert module.main() == 3 * 3 + 7 * 7 + 1 + 1
    assert "FIRST_SIZE = 3  # of the first" in text
    assert "dropped" not in text
    assert "missing" not in text


WORDY = '''"""Wordy."""
class Kept:
    """By A et al. 2023. The rest goes."""
    slot: ClassVar[str] = "x"
    field: int = 3

    def read(self, raw: bytes, most: int = 4) -> int:
        """Goes.

        Wholly.
        """
        size: int = len(raw)
        if size > most:
            raise ArtifactError("too long", "h")
        if size > 9:
            raise ValueError(size)
        limit = 2 * most
        if raw[0] > limit:
            raise ArtifactError("too large", "h")
        try:
            return raw[0]
        except IndexError as wrong:
            raise ArtifactError("empty", "h") from wrong

    def empty(self) -> None:
        """All there is."""
'''
PLAIN = '''"""Wordy."""
class Kept:
    """By A et al. 2023."""
    slot = "x"
    field: int = 3

    def read(self, raw, most=4):
        size = len(raw)
        if size > 9:
            raise ValueError(size)
        return raw[0]

    def empty(self):
        """All there is."""
'''


def test_a_script_reads_plainer_than_our_modules_and_does_not_check_its_own_artifacts():
    assert plainer(WORDY) == PLAIN
    text = script(Recorded(GOLF_CPU_BASE, 1337, 1), GOLF_ENTRY)
    assert "ArtifactError" not in text
    assert "DataError" in text


def test_another_definition_may_stand_in():
    text = bundle({"first": FIRST, "second": SECOND, "third": "def other(n):\n    return n\n"},
                  ("first", "main"), {("second", "size"): ("third", "other")})  # fmt: skip
    assert loaded(text).main() == 3 * 3 + 3 * 3 + 1 + 1
    assert "def inner" not in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def main():\n    return nowhere\n", "uses what it does not define: nowhere"),
        ("for x in ():\n    pass\ndef main(): ...\n", "For at the top of a module"),
        ("from second import absent\ndef main():\n    return absent\n", "imports absent from second"),
    ],
)
def test_what_cannot_be_taken_out_is_refused(text, said):
    with pytest.raises(BundleError, match=said):
        bundle({"first": text, "second": SECOND}, ("first", "main"), {})


def test_a_name_bound_in_any_way_is_no_name_from_outside():
    text = """
def f(a, *b, c=outer1, **d):
    for e in a: pass
    with a as g: pass
    try: pass
    except outer2 as h: h
    import i.j
    (k := [l for l in a if (m := l)])
    match a:
        case {"x": n, **o}: n, o
        case [p, *q] | outer3(p, q): p, q
    def r(): return k, m, outer4
    lambda s, t=outer5: s + t
    class u(outer6):
        v = 1
        w = v
    return b, c, d, e, g, i, r, u
"""
    (node,) = ast.parse(text).body
    assert {free.node.id for free in free_names(node)} == {f"outer{n}" for n in range(1, 7)}
