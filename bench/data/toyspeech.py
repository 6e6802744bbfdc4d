"""How the people of a toystory speak: the words said, with a tag, an adverb or a gesture before or after them."""

from bench.data.toygrammar import STOP, Story, pick, pick_common

# the mark in `<h Hello!>` to the speaker's name, and to the fact that holds the pronoun where there is one
ROLES = {
    "h": ("{hero}", "he"),
    "p": ("{pal}", "phe"),
    "e": ("{his} {elder}", "ehe"),
    "b": ("the {critter}", "bhe"),
    "w": ("the {job}", ""),
    "m": ("the {magic}", ""),
    "d": ("the doctor", ""),
    "o": ("the postman", ""),
}
# by mood, then by the mark that ends the words said
VERBS = {
    "": {
        ".": ("said", "said", "said", "said", "whispered", "replied", "murmured", "answered", "remarked"),
        "!": ("said", "cried", "shouted", "called", "exclaimed", "yelled", "called out"),
    },
    "glad": {
        ".": ("said", "said", "laughed", "giggled", "announced", "sang"),
        "!": ("said", "cheered", "shouted", "laughed", "cried", "called", "exclaimed", "squealed", "sang"),
    },
    "sad": {
        ".": ("said", "said", "sobbed", "sighed", "whispered", "sniffed", "mumbled", "wept"),
        "!": ("cried", "said", "sobbed", "wailed", "moaned"),
    },
    "fear": {
        ".": ("said", "whispered", "stammered", "mumbled"),
        "!": ("cried", "said", "gasped", "shouted", "screamed", "squeaked", "called"),
    },
    "angry": {
        ".": ("said", "grumbled", "snapped", "growled", "muttered"),
        "!": ("shouted", "said", "yelled", "snapped", "cried", "hissed"),
    },
    "kind": {
        ".": ("said", "said", "said", "replied", "whispered", "answered", "promised"),
        "!": ("said", "called", "cried", "answered"),
    },
}
QUESTION_VERBS = ("asked", "asked", "asked", "wanted to know", "said", "wondered", "whispered", "inquired")
# an adverb goes with a plain verb only: nobody shouts quietly
PLAIN_VERBS = {".": ("said", "said", "replied", "answered"), "!": ("said", "cried"), "?": ("asked", "said")}
ADVERBS = {
    "": (
        "quietly",
        "slowly",
        "softly",
        "after a moment",
        "with a nod",
        "thoughtfully",
        "politely",
        "quickly",
        "seriously",
    ),
    "glad": ("happily", "with a big smile", "proudly", "excitedly", "with shining eyes", "cheerfully", "with a grin"),
    "sad": (
        "sadly",
        "in a small voice",
        "with tears in {his} eyes",
        "quietly",
        "with a sigh",
        "softly",
        "in a low voice",
    ),
    "fear": (
        "in a tiny voice",
        "nervously",
        "with big eyes",
        "quietly",
        "in a shaky voice",
    ),
    "angry": ("angrily", "in a loud voice", "crossly", "with a frown", "coldly", "rudely"),
    "kind": ("kindly", "softly", "with a smile", "gently", "warmly", "in a soft voice", "calmly", "in a friendly way"),
}
GESTURES = {
    "": (
        "nodded",
        "looked up",
        "thought for a moment",
        "turned around",
        "scratched {his} head",
        "stopped",
        "waited a bit",
    ),
    "glad": (
        "laughed",
        "clapped {his} hands",
        "smiled",
        "jumped up and down",
        "danced around",
        "grinned",
    ),
    "sad": (
        "sighed",
        "looked down",
        "wiped {his} eyes",
        "shook {his} head",
        "sniffed",
        "hung {his} head",
        "began to cry",
    ),
    "fear": ("shivered", "took a step back", "trembled", "covered {his} eyes", "froze", "turned pale", "looked around"),
    "angry": ("frowned", "stamped {his} foot", "crossed {his} arms", "shook {his} head", "turned red", "made a face"),
    "kind": ("smiled", "nodded", "came closer", "held out a hand", "gave a warm smile", "knelt down", "winked"),
}


def speak(story: Story, role: str, mood: str, text: str) -> str:
    """The role says the text, which ends with a full stop, a question or an exclamation mark."""
    rng, facts = story.rng, story.facts
    name_template, pronoun = ROLES[role]
    name = name_template.format_map(facts)
    he = facts.get(pronoun, "")
    # a second "she" in a story about a "she" would leave open who speaks, and so would one who has not spoken before
    has_spoken = f"{role} has spoken"
    is_clear = role == "h" or (role in "pe" and he != facts["he"] and has_spoken in story.latest)
    story.latest[has_spoken] = True
    who = he if is_clear and rng.random() < 0.4 else name
    end = text[-1]
    verb = pick_common(rng, QUESTION_VERBS if end == "?" else VERBS[mood][end])
    said = f'"{text[:-1]}," ' if end == "." else f'"{text}" '
    form = rng.random()
    if form < 0.25:
        return f"{said}{who} {verb}.{STOP}"
    if form < 0.45:
        # "said Tom", but never "said he"
        return f"{said}{verb} {name}.{STOP}" if " " not in verb else f"{said}{name} {verb}.{STOP}"
    if form < 0.65:
        return f'{who} {verb}, "{text}"{STOP}'
    his = facts[pronoun.replace("he", "his")] if pronoun else "the"
    if form < 0.83:
        adverb = pick(rng, ADVERBS[mood]).replace("{his}", his)
        return f"{said}{who} {pick_common(rng, PLAIN_VERBS[end])} {adverb}.{STOP}"
    gesture = pick(rng, GESTURES[mood]).replace("{his}", his)
    return f'{who} {gesture}. "{text}"{STOP}'
