"""The rules that make a script one for its recipe only, each on code made for the purpose."""

import pytest
from bundled import loaded

from autoresearch.submission.specialised import specialised

HEAD = "from dataclasses import dataclass, replace\n\n\n"
TAIL = '\n\nif __name__ == "__main__":\n    main()\n'
RECORDS = """@dataclass(frozen=True)
class Edge:
    token: int
    begins: bool = False


@dataclass(frozen=True)
class Track:
    edge: Edge
    spans: int
    title: str = ""
    extra: tuple = ()


@dataclass(frozen=True)
class Site:
    edge: Edge


class Model:
    def __init__(self, site):
        self.edge = site.edge


TRACK = Track(edge=Edge(token=1, begins=True), spans=8, title="none")


def main():
    site = Site(edge=TRACK.edge)
    model = Model(site)
"""


def short(body):
    return specialised(HEAD + body + TAIL)


def test_a_field_that_nobody_reads_goes_with_what_it_is_given():
    text = short(RECORDS + "    print(TRACK.spans)\n    return model.edge.token\n")
    assert "title" not in text
    assert "begins" not in text
    assert loaded(text).main() == 1


def test_a_field_that_is_only_passed_on_goes_from_every_record():
    text = short(RECORDS + "    print(model)\n    return TRACK.spans\n")
    assert "edge" not in text
    assert loaded(text).main() == 8


@pytest.mark.parametrize(
    ("body", "gone", "given"),
    [
        ("    out = [1]\n    for each in TRACK.extra:\n        out.append(each)\n    return out\n", "for", [1]),
        ("    return 1 if TRACK.spans > 4 else 2\n", "else", 1),
        ("    if not TRACK.extra:\n        return 3\n    return 4\n", "4", 3),
        ("    kept = []\n    kept.append(TRACK.spans)\n    return [each for each in kept if each]\n", "title", [8]),
    ],
)
def test_what_is_decided_before_the_run_is_not_asked_and_what_changes_is(body, gone, given):
    text = short(RECORDS + body)
    assert gone not in text.partition("def main")[2].partition("if __name__")[0]
    assert loaded(text).main() == given


def test_a_parameter_that_is_the_same_in_every_call_is_that_constant():
    text = short(
        "SIZE = 3\n\n\ndef area(n, size, unread):\n    total = n * size\n    return total + n\n\n\n"
        "def main():\n    return area(1, SIZE, 5) + area(2, SIZE, 6)\n"
    )
    assert "def area(n):" in text
    assert loaded(text).main() == 12


def test_a_name_of_a_function_that_means_another_thing_inside_one_is_left_alone():
    text = short(
        "def train(n):\n    return n + 1\n\n\ndef other(train):\n    return [train for train in train]\n\n\n"
        "def main():\n    return other([train(1), train(2)])\n"
    )
    assert loaded(text).main() == [2, 3]


def test_a_method_that_does_nothing_anywhere_is_not_called_and_one_that_does_is():
    hooks = (
        "class Hook:\n    def before(self, n):\n        pass\n\n    def after(self, n):\n        pass\n\n\n"
        "class Counts(Hook):\n    def after(self, n):\n        SEEN.append(n)\n\n\nSEEN = []\n\n\n"
        "def main():\n    hook = Counts()\n    hook.before(1)\n    hook.after(2)\n    return SEEN\n"
    )
    text = short(hooks)
    assert "before" not in text
    assert loaded(text).main() == [2]
