"""The template language of the toystories: parses a grammar and expands its symbols into English.

    :name              what follows, up to the next such line, are the variants of a symbol, one a line
    :name = a, b, c    a symbol that is a list of words; an early one is drawn more often than a late one
    {name}             a fact of the story if it has one of that name, else a variant of that symbol
    [a|b|]             one of the choices, the last of these being nothing
    <h text>           the role h says the text, a whole sentence; <h.sad text> says it in a mood
    a space, /, space  a new paragraph in stories that have many, else a space

Only `Random.random` is used: it alone gives the same numbers in every version of Python.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

# a sentence ended here, whatever the character before; `polish` removes it
STOP = "\x01"
PARAGRAPH = " / "


@dataclass(frozen=True)
class Story:
    """What one story keeps from its first line to its last: words for a `{name}`, symbols that stand in for others."""

    rng: random.Random
    facts: dict[str, str]
    aliases: dict[str, str]
    has_many_paragraphs: bool
    # what each symbol gave last, so that "a red hat and a red hat" is rare; and who has spoken
    latest: dict[str, object] = field(default_factory=dict)


Item = TypeVar("Item")
Part = str | Callable[[Story], str]
Template = list[Part]
# story, role, mood (may be empty) and the words said, to a sentence that ends with STOP
Speak = Callable[[Story, str, str, str], str]


def pick(rng: random.Random, choices: Sequence[Item]) -> Item:
    """One of the choices, all equally likely."""
    return choices[int(rng.random() * len(choices))]


def pick_common(rng: random.Random, words: Sequence[Item]) -> Item:
    """One of the words; its chance falls with its place in the list, as word frequencies fall in real text."""
    chance = rng.random()
    return words[int(chance * chance * len(words))]


def fill(template: Template, story: Story) -> str:
    """The template's text in this story."""
    return "".join([part if part.__class__ is str else part(story) for part in template])  # type: ignore[operator]


def polish(text: str) -> str:
    """Capitals where sentences start, `an` before vowels, plurals as they are spelt, no blanks too many."""
    text = _BLANKS.sub(r"\1", text)
    text = _A_BEFORE_VOWEL.sub(r"\1n ", text)
    for wrong, right in _PLURALS:
        text = wrong.sub(right, text)
    text = _SENTENCE_START.sub(lambda match: match.group(1) + match.group(2).upper(), text)
    return text.replace(STOP, "").strip()


# an empty choice leaves a blank before the next blank, mark or line end
_BLANKS = re.compile(r" +([ .,!?\n])")

# "a uniform" and "a one-eyed owl" start with the sound of a consonant
_A_BEFORE_VOWEL = re.compile(r"\b([Aa]) (?=[aeiou]|hour|honest)(?!uni|use|one\b|once\b)")
_PLURALS = tuple(
    (re.compile(rf"{wrong}s\b"), right)
    for wrong, right in (
        *(
            (r"(ch|sh|x|ss)", r"\1es"),
            (r"([b-df-hj-np-tv-z])y", r"\1ies"),
            (r"\bleaf", "leaves"),
            (r"\bcalf", "calves"),
        ),
        *(
            (r"\b([Mm])ouse", r"\1ice"),
            (r"\bgoose", "geese"),
            (r"\b(post|police|fisher|snow)man", r"\1men"),
            (r"\bdeer", "deer"),
        ),
    )
)
_SENTENCE_START = re.compile(rf"((?:^|\n|[.!?]{STOP}? |[.!?]\"{STOP} |\.\" |, (?=\"))\"?)([a-z])")


class Grammar:
    """Symbols with their variants, parsed once."""

    def __init__(self, source: str, synonyms: str, speak: Speak) -> None:
        """Parses symbols, and lines of synonyms: wherever a template has the first of a line, one of the line is said.

        Raises ValueError for a symbol that is defined twice or has no variant, and for a bracket left open.
        """
        self.words: dict[str, list[str]] = {}
        self.templates: dict[str, list[Template]] = {}
        self.names_used: set[str] = set()
        self._speak = speak
        said_as = [[word.strip() for word in line.split(",")] for line in synonyms.split("\n") if line]
        self._synonyms = {words[0]: words for words in said_as}
        # paragraph marks, and synonyms as whole words, the longest that fits
        phrases = "|".join(sorted(self._synonyms, key=len, reverse=True))
        self._special = re.compile(rf"({PARAGRAPH}|\b(?:{phrases})\b)")
        for block in re.split(r"^:", source, flags=re.MULTILINE)[1:]:
            head, _, body = block.partition("\n")
            name, is_list, first_words = (part.strip() for part in head.partition("="))
            if name in self.words or name in self.templates:
                raise ValueError(f"the symbol {name!r} is defined twice")
            if is_list:
                listed = f"{first_words} {body}".replace("\n", " ").split(",")
                self.words[name] = [word.strip() for word in listed if word.strip()]
            else:
                self.templates[name] = [self._parse(line) for line in body.splitlines() if line.strip()]
            if not (self.words.get(name) or self.templates.get(name)):
                raise ValueError(f"the symbol {name!r} has no variant")

    def expand(self, story: Story, name: str) -> str:
        """The fact, or one variant of the symbol; raises KeyError for a name that is neither."""
        fact = story.facts.get(name)
        if fact is not None:
            return fact
        name = story.aliases.get(name, name)
        words = self.words.get(name)
        if words is None:
            return fill(_fresh(story, name, pick, self.templates[name]), story)
        return _fresh(story, name, pick_common, words)

    def _parse(self, line: str) -> Template:
        template, end = self._parse_from(line, 0, "")
        assert end == len(line), (line, end)
        return template

    def _parse_from(self, line: str, start: int, closers: str) -> tuple[Template, int]:
        """Parses up to one of `closers`, or to the end of the line when there are none; returns where it stopped."""
        template: Template = []
        at = start
        while at < len(line) and line[at] not in closers:
            match line[at]:
                case "{":
                    end = line.index("}", at)
                    template.append(self._slot(line[at + 1 : end]))
                    at = end + 1
                case "[":
                    choices = []
                    while line[at] != "]":
                        choice, at = self._parse_from(line, at + 1, "|]")
                        choices.append(choice)
                    template.append(_choice(choices))
                    at += 1
                case "<":
                    role, _, mood = line[at + 1 : line.index(" ", at)].partition(".")
                    said, end = self._parse_from(line, line.index(" ", at) + 1, ">")
                    template.append(self._speech(role, mood, said))
                    at = end + 1
                case _:
                    end = next((i for i in range(at, len(line)) if line[i] in "{[<|]>"), len(line))
                    template += self._literal(line[at : max(end, at + 1)])
                    at = max(end, at + 1)
        if closers and at == len(line):
            raise ValueError(f"no {' or '.join(closers)} closes a bracket of {line!r}")
        return template, at

    def _literal(self, text: str) -> Template:
        """Plain text, its paragraph marks and its words that have synonyms as parts of their own."""
        return [
            _paragraph if piece == PARAGRAPH else self._synonym(piece) if piece in self._synonyms else piece
            for piece in self._special.split(text)
        ]

    def _synonym(self, word: str) -> Part:
        words = self._synonyms[word]
        return lambda story: pick_common(story.rng, words)

    def _slot(self, name: str) -> Part:
        self.names_used.add(name)
        return lambda story: self.expand(story, name)

    def _speech(self, role: str, mood: str, said: Template) -> Part:
        return lambda story: self._speak(story, role, mood, fill(said, story))


def _fresh(
    story: Story, name: str, draw: Callable[[random.Random, Sequence[Item]], Item], items: Sequence[Item]
) -> Item:
    """A draw, drawn again up to twice where it is what this symbol gave the last time."""
    item = draw(story.rng, items)
    for _ in range(2):
        if story.latest.get(name) == item:
            item = draw(story.rng, items)
    story.latest[name] = item
    return item


def _choice(choices: list[Template]) -> Part:
    return lambda story: fill(pick(story.rng, choices), story)


def _paragraph(story: Story) -> str:
    return "\n" if story.has_many_paragraphs else " "
