"""The generated corpus: the same bytes everywhere, clean English, as varied as real text."""

import gzip
import os
import random
import re
from pathlib import Path

import pytest

from bench.data import toystories
from bench.data.corpus import Corpus, join_stories, read_cached, split_stories
from bench.data.toycast import cast_story
from bench.data.toygrammar import Grammar
from bench.data.toyspeech import speak

# pins every byte: a change of the text needs a new GENERATOR_VERSION and then this digest
GOLDEN_DIGEST = "0cd0f31cd96663382d9852dccb02d773a17cc7e586bae93b56215b08365a5bbb"
SAMPLE_BYTES = 4_000_000


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return toystories.generate_toystories()


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar(toystories.GRAMMAR_SOURCE, toystories.SYNONYMS, speak)


def stories_of(side) -> list[str]:
    return side.tobytes().decode("ascii").split("\x00")[:-1]


def test_the_bytes_are_the_golden_ones(corpus):
    assert (toystories.GENERATOR_VERSION, corpus.digest) == (1, GOLDEN_DIGEST)


def test_the_sizes_are_passed_by_less_than_a_story(corpus):
    assert 0 <= corpus.train.size - 4_000_000 < 1_300
    assert 0 <= corpus.valid.size - 600_000 < 1_300


def test_no_story_is_told_twice(corpus):
    stories = stories_of(corpus.train) + stories_of(corpus.valid)
    assert len(set(stories)) == len(stories)


def test_stories_have_the_length_of_tinystories(corpus):
    lengths = [len(story) for story in stories_of(corpus.train)]
    assert 400 <= min(lengths) <= max(lengths) <= 1_200
    assert 700 <= sum(lengths) / len(lengths) <= 900


def test_more_than_1500_words_come_ten_times_or_more(corpus):
    words = re.findall(r"[a-z']+", corpus.train.tobytes().decode().lower())
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    assert sum(count >= 10 for count in counts.values()) > 1_500


def test_gzip_finds_it_nearly_as_varied_as_real_text(corpus):
    sample = corpus.train.tobytes()[:SAMPLE_BYTES]
    assert len(gzip.compress(sample, 9)) / len(sample) > 0.28


@pytest.mark.parametrize(
    ("slip", "pattern"),
    [
        ("a mark of the grammar", r"[{}\[\]|<>/\x01-\x09\x0b-\x1f]"),
        ("a blank too many", r"  | [,.!?]| \n|\n |\n\n"),
        ("a before a vowel", r"\b[Aa] (?!uni|use|one)[aeiou]"),
        ("an before a consonant", r"\b[Aa]n (?!hon|hour)[^aeiou]"),
        ("a small letter after a full stop", r'(?:[.!?]|\.") [a-z]'),
        ("marks in a row", r'[,.!?][,.!?]|[.!?]"[.,]'),
        ("a plural by rule", r"\b\w*(?:mans|chs|shs|xs|leafs|mouses|[^aeiou\W]ys)\b"),
    ],
)
def test_the_text_is_free_of_a_slip(corpus, slip, pattern):
    text = "\n".join(stories_of(corpus.valid))
    found = re.search(pattern, text)
    assert found is None, f"{slip}: {text[max(found.start() - 40, 0) : found.end() + 20]!r}"


def test_every_quotation_is_closed(corpus):
    assert [story for story in stories_of(corpus.train) if story.count('"') % 2] == []


def test_the_thing_that_was_lost_keeps_its_name_and_is_found(grammar):
    rng = random.Random(5)
    for _ in range(20):
        state = rng.getstate()
        thing = cast_story(rng, grammar, "lost").facts["thing"]
        rng.setstate(state)
        story = toystories.tell_story(rng, grammar, "lost")
        # when it was missed and when it was found
        assert story.count(thing) >= 2, story


def test_every_name_that_a_template_uses_is_a_fact_or_a_symbol(grammar):
    for plot in toystories.PLOT_NAMES:
        story = cast_story(random.Random(0), grammar, plot)
        assert set(story.aliases.values()) <= set(grammar.words) | set(grammar.templates)
        assert grammar.names_used <= set(grammar.words) | set(grammar.templates) | set(story.facts) | set(story.aliases)


@pytest.mark.parametrize("plot", toystories.PLOT_NAMES)
def test_every_beat_of_a_plot_is_a_symbol(grammar, plot):
    assert [beat for beat in toystories.PLOTS[plot] if beat.rstrip("?*") not in grammar.templates] == []


def test_the_same_seed_tells_the_same_stories(grammar):
    tellers = [toystories.tell_stories(grammar, 7, set()) for _ in range(2)]
    assert [next(tellers[0]) for _ in range(5)] == [next(tellers[1]) for _ in range(5)]


def test_another_seed_tells_others(grammar):
    first, second = (next(toystories.tell_stories(grammar, seed, set())) for seed in (7, 8))
    assert first != second


def test_a_story_already_told_is_not_told_again(grammar):
    first = next(toystories.tell_stories(grammar, 7, set()))
    assert next(toystories.tell_stories(grammar, 7, {first})) != first


def test_loading_caches_what_was_generated(corpus, monkeypatch, tmp_path):
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path))
    monkeypatch.setattr(toystories, "generate_toystories", lambda: corpus)
    assert toystories.load_toystories() is corpus
    assert read_cached(toystories.cache_folder(), "toystories").digest == corpus.digest


def test_a_cached_corpus_is_not_generated_again(corpus, monkeypatch, tmp_path):
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path))
    monkeypatch.setattr(toystories, "generate_toystories", lambda: corpus)
    toystories.load_toystories()
    monkeypatch.delattr(toystories, "generate_toystories")
    assert toystories.load_toystories().digest == corpus.digest


def test_the_generators_version_is_part_of_the_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path))
    assert toystories.cache_folder() == tmp_path / f"toystories-v{toystories.GENERATOR_VERSION}"


@pytest.mark.realdata
def test_real_tinystories_compress_about_as_well(corpus):
    folder = os.environ.get("ARENA_REALDATA")
    if not folder:
        pytest.skip("ARENA_REALDATA is not set")
    real = join_stories(split_stories((Path(folder) / "tinystories_train.txt").read_text(encoding="utf-8")))
    toy = corpus.train.tobytes()
    ratios = [len(gzip.compress(text[:SAMPLE_BYTES], 9)) / SAMPLE_BYTES for text in (toy, real)]
    assert ratios[0] == pytest.approx(ratios[1], abs=0.03)
