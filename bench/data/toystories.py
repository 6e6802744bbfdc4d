"""The embedded default corpus: a seeded generator of little stories in the manner of TinyStories, so that recipes rank.

Not TinyStories and never ranked with it. A story is a plot (a list of beats), a cast fixed from first line to last,
and a grammar that words each beat in many ways.
"""

import random
import re
from collections.abc import Iterator
from pathlib import Path

from bench.data.corpus import Corpus, cache_dir, make_corpus, read_cached, write_cached
from bench.data.toycast import KNOWN, UNKNOWN, cast_story
from bench.data.toyendings import ENDINGS
from bench.data.toygrammar import Grammar, Story, pick, polish
from bench.data.toyplots_deeds import DEED_PLOTS, DEED_SCENES
from bench.data.toyplots_friends import FRIEND_PLOTS, FRIEND_SCENES
from bench.data.toyplots_things import THING_PLOTS, THING_SCENES
from bench.data.toyplots_wishes import WISH_PLOTS, WISH_SCENES
from bench.data.toyscenes import SCENES
from bench.data.toyspeech import speak
from bench.data.toysynonyms import SYNONYMS
from bench.data.toywords import WORDS

NAME = "toystories"
# a new number for every change of the text that comes out: it is part of the cache folder's name
GENERATOR_VERSION = 1
TRAIN_BYTES, VALID_BYTES = 4_000_000, 600_000
TRAIN_SEED, VALID_SEED = 4_001, 4_002
MIN_CHARACTERS, MAX_CHARACTERS = 400, 1_200

PLOTS = {name: beats.split() for name, beats in (THING_PLOTS | WISH_PLOTS | DEED_PLOTS | FRIEND_PLOTS).items()}
PLOT_NAMES = tuple(PLOTS)
GRAMMAR_SOURCE = WORDS + SCENES + ENDINGS + THING_SCENES + WISH_SCENES + DEED_SCENES + FRIEND_SCENES


def cache_folder() -> Path:
    """Where the bytes are kept; a changed generator never reads an older one's text."""
    return cache_dir() / f"{NAME}-v{GENERATOR_VERSION}"


def load_toystories() -> Corpus:
    """The cached corpus, generated (a few seconds) and cached first where there is none."""
    cached = read_cached(cache_folder(), NAME)
    if cached is not None:
        return cached
    corpus = generate_toystories()
    write_cached(corpus, cache_folder())
    return corpus


def generate_toystories() -> Corpus:
    """The corpus from its two seeds: the same bytes on every machine. No story stands on both sides."""
    grammar = Grammar(GRAMMAR_SOURCE, SYNONYMS, speak)
    told: set[str] = set()
    train = list(_until(TRAIN_BYTES, tell_stories(grammar, TRAIN_SEED, told)))
    valid = list(_until(VALID_BYTES, tell_stories(grammar, VALID_SEED, told)))
    return make_corpus(NAME, train, valid)


def tell_stories(grammar: Grammar, seed: int, told: set[str]) -> Iterator[str]:
    """Stories without end, none of those in `told`, to which each new one is added."""
    rng = random.Random(seed)
    while True:
        story = tell_story(rng, grammar, pick(rng, PLOT_NAMES))
        if MIN_CHARACTERS <= len(story) <= MAX_CHARACTERS and story not in told:
            told.add(story)
            yield story


def tell_story(rng: random.Random, grammar: Grammar, plot: str) -> str:
    """One story of a plot, of whatever length it comes out."""
    story = cast_story(rng, grammar, plot)
    parts: list[str] = []
    for beat in PLOTS[plot]:
        for symbol in _repeats(rng, beat):
            if parts:
                parts.append("\n" if rng.random() < (0.5 if story.has_many_paragraphs else 0.25) else " ")
            parts.append(grammar.expand(story, symbol))
    return polish(_introduce_friend("".join(parts), story))


def _repeats(rng: random.Random, beat: str) -> list[str]:
    """The symbols to expand for a beat: `beat?` is left out half the time, `beat*` comes up to twice."""
    match beat[-1]:
        case "?":
            return [beat[:-1]] * int(rng.random() * 2)
        case "*":
            return [beat[:-1]] * int(rng.random() * 3)
        case _:
            return [beat]


def _introduce_friend(text: str, story: Story) -> str:
    """Says who the friend is where the name first appears, unless that is in speech or the plot has done so."""
    first = re.search(f"[{UNKNOWN}{KNOWN}]", text)
    if first is not None and first.group() == UNKNOWN and text.count('"', 0, first.start()) % 2 == 0:
        introduction = f"{story.facts['his']} {story.facts['pal_bond']} "
        text = text[: first.start()] + introduction + text[first.end() :]
    return text.replace(UNKNOWN, "").replace(KNOWN, "")


def _until(n_bytes: int, stories: Iterator[str]) -> Iterator[str]:
    """Whole stories up to the first that passes the size, the byte that ends each story counted."""
    size = 0
    for story in stories:
        yield story
        size += len(story.encode("utf-8")) + 1
        if size >= n_bytes:
            return
