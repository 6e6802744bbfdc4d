"""Who and what a toystory is about, fixed for its whole length."""

import random

from bench.data.toygrammar import Grammar, Story, pick, pick_common
from bench.data.toytables import DISHES, GAMES, PLACES, SKILLS, THINGS

# marks before the friend's name: it may need "her friend" in front where it comes first, or was introduced by then
UNKNOWN, KNOWN = "\x02", "\x03"
# what they speak of is found in the open air, or in a house
OUTDOOR_PLOTS = frozenset({"rescue", "race", "storm", "lost_way", "teased", "garden"})
INDOOR_PLOTS = frozenset({"night", "lie", "greedy"})
PRONOUNS = {"she": ("she", "her", "her", "herself"), "he": ("he", "him", "his", "himself")}
ELDERS = (
    *(("mom", "she"), ("dad", "he"), ("grandma", "she"), ("mommy", "she"), ("daddy", "he"), ("grandpa", "he")),
    *(("mother", "she"), ("father", "he"), ("aunt", "she"), ("uncle", "he")),
)
FAR_RELATIVES = (("grandma", "her"), ("grandpa", "him"), ("aunt", "her"), ("uncle", "him"))
BONDS = ("friend", "best friend", "friend", "neighbor", "cousin", "good friend", "old friend", "classmate")
WEATHERS = {
    "sunny": ("sunny", "warm", "bright", "hot", "beautiful", "lovely"),
    "windy": ("windy", "breezy", "cool"),
    "cloudy": ("cloudy", "gray", "foggy"),
    "rainy": ("rainy", "wet"),
    "snowy": ("cold", "snowy", "frosty", "icy"),
}
TIMES = ("day", "morning", "afternoon", "day", "evening")
LETTERS = ("you found me, so now I am yours", "be kind to the one who comes after you", "look under the oldest tree")

Words = dict[str, list[str]]
Facts = dict[str, str]


def _rows(table: str) -> list[tuple[str, ...]]:
    return [tuple(line.split("/")) for line in table.split("\n") if line]


THING_ROWS, PLACE_ROWS, GAME_ROWS = _rows(THINGS), _rows(PLACES), _rows(GAMES)
SKILL_ROWS, DISH_ROWS = _rows(SKILLS), _rows(DISHES)


def cast_story(rng: random.Random, grammar: Grammar, plot: str) -> Story:
    """The people, the things and the day of one story, drawn before its first sentence."""
    words = grammar.words
    facts = _people(rng, words) | _things(rng, words, must_break=plot == "broken")
    sky = "snowy" if plot == "snow_day" else pick_common(rng, tuple(WEATHERS))
    facts |= {"wx": pick_common(rng, WEATHERS[sky]), "time": pick_common(rng, TIMES)}
    airs = "o" if plot in OUTDOOR_PLOTS else "i" if plot in INDOOR_PLOTS else "oi"
    at, place, air = pick_common(rng, [row for row in PLACE_ROWS if row[2] in airs])
    any_spot = "open_spot" if air == "o" else "indoor_spot"
    facts |= {"at": at, "place": place, "spot": pick_common(rng, words[any_spot])}
    facts |= _activities(rng, words, facts["his"])
    aliases = {"any_spot": any_spot, "sky": f"sky_{sky}", "lesson": f"lesson_{plot}"}
    return Story(rng, facts, aliases, has_many_paragraphs=rng.random() < 0.5)


def _people(rng: random.Random, words: Words) -> Facts:
    is_human = rng.random() < 0.65
    hero, pronoun, kind = _child(rng, words, is_human)
    pal, pal_pronoun, pal_kind = hero, pronoun, kind
    while pal == hero:
        pal, pal_pronoun, pal_kind = _child(rng, words, is_human if rng.random() < 0.8 else not is_human)
    looks = (("little", "little", "young", "small") if is_human else ("little", "small", "young", "big")) + (
        pick_common(rng, words["trait"]),
        f"{pick_common(rng, words['trait'])} little",
        pick_common(rng, words["trait"] if is_human else words["color"]),
    )
    elder, elder_pronoun = pick_common(rng, ELDERS)
    critter_pronoun = pick(rng, ("he", "she"))
    far, far_him = pick_common(rng, [relative for relative in FAR_RELATIVES if relative[0] != elder])
    facts = {
        "hero": hero,
        "kid_short": kind,
        "a_kid": f"a {pick(rng, looks)} {kind}",
        "pal": UNKNOWN + pal,
        "pal_known": KNOWN + pal,
        "pal_kid": pal_kind,
        "pal_bond": pick_common(rng, BONDS),
        "elder": elder,
        "elder_name": elder.capitalize(),
        "critter": pick_common(rng, words["beast"]),
        "critter_name": pick_common(rng, words["pet"]),
        "job": pick_common(rng, words["worker"]),
        "magic": pick_common(rng, words["magic"]),
        "foe": pick_common(rng, words["foe"]),
        "far": far,
        "far_name": far.capitalize(),
        "far_him": far_him,
    }
    for prefix, he in (("", pronoun), ("p", pal_pronoun), ("e", elder_pronoun), ("b", critter_pronoun)):
        facts |= zip((f"{prefix}he", f"{prefix}him", f"{prefix}his", f"{prefix}himself"), PRONOUNS[he], strict=True)
    return facts


def _child(rng: random.Random, words: Words, is_human: bool) -> tuple[str, str, str]:
    """Name, pronoun and kind of a hero or a friend."""
    pronoun = pick(rng, ("he", "she"))
    kind = "girl" if pronoun == "she" else "boy"
    if is_human:
        return pick_common(rng, words[kind]), pronoun, kind
    return (
        pick_common(rng, words["pet"] if rng.random() < 0.6 else words[kind]),
        pronoun,
        pick_common(rng, words["species"]),
    )


def _things(rng: random.Random, words: Words, must_break: bool) -> Facts:
    rows = [row for row in THING_ROWS if row[4] != "-"] if must_break else THING_ROWS
    thing, use, used, using, part = pick_common(rng, rows)
    other = thing
    while other == thing:
        other = pick_common(rng, THING_ROWS)[0]
    prize = pick_common(rng, words["jewel"])
    return {
        "thing": thing,
        "use": use,
        "used": used,
        "using": using,
        "part": part,
        "thing2": other,
        "hue": pick_common(rng, words["color"]),
        "look": pick_common(rng, words["pretty"]),
        "garment": pick_common(rng, words["clothes"]),
        "color2": pick_common(rng, words["color"]),
        "a_prize": f"a {pick_common(rng, words['color'])} {prize}",
        "precious": pick_common(rng, words["precious"]),
        "hiding": pick_common(rng, words["indoor_spot"]),
        "goodie": pick_common(rng, words["baked"]),
        "letter_text": pick(rng, LETTERS),
    }


def _activities(rng: random.Random, words: Words, his: str) -> Facts:
    facts: Facts = {}
    for number in ("", "2"):
        *verbs, rest = pick_common(rng, GAME_ROWS)
        facts |= {
            f"{key}{number}": f"{verb} {rest}" for key, verb in zip(("game", "gaming", "gamed"), verbs, strict=True)
        }
    facts |= zip(("skill", "skilling", "skilled", "slip", "trick"), pick(rng, SKILL_ROWS), strict=True)
    facts |= zip(("dish", "some_dish"), pick_common(rng, DISH_ROWS), strict=True)
    facts |= {name: pick_common(rng, words[name]) for name in ("build", "crop", "goal", "name_noun", "odd")}
    facts |= {name: pick_common(rng, words["act"]).replace("{his}", his) for name in ("act", "act2")}
    return facts
