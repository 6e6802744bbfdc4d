"""A script for one recipe only: what its values decide is decided, and what nothing asks for is gone."""

from collections.abc import Callable, Iterator

from autoresearch.submission.folding import folded
from autoresearch.submission.inline import inlined
from autoresearch.submission.layout import laid_out
from autoresearch.submission.parameters import aliases, fewer_parameters
from autoresearch.submission.plainer import Edit
from autoresearch.submission.unused import unread_fields, unread_names, unused
from autoresearch.submission.whole import Script

Rule = Callable[[Script], Iterator[Edit]]
# Each leaves the others something to do; the quick ones first.
RULES: tuple[Rule, ...] = (folded, unused, aliases, fewer_parameters, unread_fields, unread_names, inlined)


def specialised(text: str) -> str:
    """The same run with less text: rules are applied until none finds anything."""
    script, idle = Script(text), 0
    while idle < len(RULES):
        for rule in RULES:
            idle += 1
            while (changed := script.changed(rule(script))) != text:
                text, script, idle = changed, Script(changed), 1
    return laid_out(text)
