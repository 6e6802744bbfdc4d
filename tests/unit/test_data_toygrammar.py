"""The template language of the toystories."""

import random

import pytest

from bench.data.toygrammar import STOP, Grammar, Story, pick, pick_common, polish


def say(story: Story, role: str, mood: str, text: str) -> str:
    return f'{role} {mood or "plain"}: "{text}"'


def text_of(source: str, synonyms: str = "", seed: int = 0, **facts: str) -> str:
    """The symbol `s` of a grammar in a story with these facts."""
    story = Story(random.Random(seed), facts, {}, has_many_paragraphs=False)
    return Grammar(source, synonyms, say).expand(story, "s")


def texts_of(source: str, synonyms: str = "", **facts: str) -> set[str]:
    return {text_of(source, synonyms, seed, **facts) for seed in range(60)}


def test_a_symbol_gives_one_of_its_lines():
    assert texts_of(":s\none\ntwo\n") == {"one", "two"}


def test_a_list_of_words_may_go_over_lines():
    assert texts_of(":s = a, b,\nc d\n") == {"a", "b", "c d"}


def test_a_name_in_braces_is_another_symbol():
    assert text_of(":s\na {x} b\n:x = c\n") == "a c b"


def test_a_fact_comes_before_a_symbol_of_its_name():
    assert text_of(":s\n{x}\n:x = symbol\n", x="fact") == "fact"


def test_an_alias_stands_for_another_symbol():
    story = Story(random.Random(0), {}, {"sky": "sky_blue"}, has_many_paragraphs=False)
    assert Grammar(":s\n{sky}\n:sky_blue = clear\n", "", say).expand(story, "s") == "clear"


def test_choices_nest_and_may_be_empty():
    assert texts_of(":s\n[a[1|2]|]!\n") == {"a1!", "a2!", "!"}


def test_speech_hands_over_role_mood_and_expanded_text():
    assert text_of(":s\n<h.sad My {x}.> <p Oh!>\n:x = hat\n") == 'h sad: "My hat." p plain: "Oh!"'


def test_a_synonym_is_said_in_place_of_a_whole_word():
    assert texts_of(":s\nhe ran, the bran\n", "ran, raced\n") == {"he ran, the bran", "he raced, the bran"}


def test_the_longest_synonym_that_fits_wins():
    assert texts_of(":s\nran and ran\n", "ran, raced\nran and ran, ran on\n") == {"ran and ran", "ran on"}


def test_a_paragraph_mark_follows_the_story():
    source = ":s\na / b\n"
    many = Story(random.Random(0), {}, {}, has_many_paragraphs=True)
    assert Grammar(source, "", say).expand(many, "s") == "a\nb"
    assert text_of(source) == "a b"


def test_an_early_word_is_drawn_more_often():
    rng = random.Random(0)
    drawn = [pick_common(rng, "abcd") for _ in range(1000)]
    assert drawn.count("a") > 2 * drawn.count("d")


def test_picks_are_even():
    rng = random.Random(0)
    drawn = [pick(rng, "abcd") for _ in range(4000)]
    assert all(850 < drawn.count(letter) < 1150 for letter in "abcd")


@pytest.mark.parametrize(
    ("source", "problem"),
    [(":s\na\n:s\nb\n", "defined twice"), (":s\n:x\nb\n", "no variant"), (":s\n[a|b\n", "closes a bracket")],
)
def test_a_broken_grammar_is_refused(source, problem):
    with pytest.raises(ValueError, match=problem):
        Grammar(source, "", say)


def test_an_unknown_name_is_an_error():
    with pytest.raises(KeyError, match="nowhere"):
        text_of(":s\n{nowhere}\n")


@pytest.mark.parametrize(
    ("rough", "fine"),
    [
        ("a apple and a pear", "An apple and a pear"),
        ("a honest man saw a unicorn", "An honest man saw a unicorn"),
        ("two foxs, ten pennys and three mouses", "Two foxes, ten pennies and three mice"),
        ("many toys . she smiled", "Many toys. She smiled"),
        (f'"stop!" he said.{STOP} he left.', '"Stop!" he said. He left.'),
        (f'he nodded. "stop!"{STOP} he left.', 'He nodded. "Stop!" He left.'),
        (f'she said, "no."{STOP}\nhe left.', 'She said, "No."\nHe left.'),
    ],
)
def test_polish_spells_and_capitalises(rough, fine):
    assert polish(rough) == fine
