"""Which dialog a key opens, for the study and trial under the cursor; or why there is none."""

from typing import TYPE_CHECKING

from arena_tui import forms
from arena_tui.forms import Form
from arena_tui.screens.order import OrderScreen
from bench.divisions import DIVISIONS
from bench.records import State
from bench.tracks import asked_as

if TYPE_CHECKING:
    from arena_tui.app import ArenaApp

# they make a study of their own
BEGINS = ("launch", "grade")
ENDED = (State.COMPLETE, State.FAILED, State.PRUNED)


def dialog(app: "ArenaApp", verb: str) -> OrderScreen | str:
    """The dialog of a verb, or the sentence that stands in its way."""
    if app.readonly:
        return f"nothing can be changed from here (--readonly): {verb} it with `autoresearch`"
    screen = app.shown()
    if screen is None:
        return "close what is open first"
    name, trial = screen.subject()
    found = form_of(app, verb, name, trial)
    if isinstance(found, str):
        return found
    return OrderScreen(found, "" if verb in BEGINS else name or "", store_words(app, verb))


def form_of(app: "ArenaApp", verb: str, name: str | None, trial: int | None) -> Form | str:
    study = app.mirror.studies.get(name or "")
    if verb == "launch":
        return (
            forms.launch(study.spec.division_name, *asked_as(study.spec.track))
            if study
            else forms.launch(DIVISIONS[0].name)
        )
    if verb == "grade":
        return forms.grade()
    if study is None:
        return f"there is no study to {verb}"
    alive = study.name in app.mirror.alive
    if verb == "stop":
        return forms.stop(study.name) if alive else f"study {study.name} is not running"
    if verb == "resume":
        if study.shipped:
            return f"study {study.name} was measured by the project, and is complete"
        if alive:
            return f"study {study.name} is being run by process {study.owner_pid}"
        return forms.resume(study.name, study.spec.n_trials)
    ended = [known.number for known in app.mirror.trials_of(study.name) if known.state in ENDED]
    if not ended:
        return f"study {study.name} has no trial that has ended"
    golf = study.spec.track.tokenizer is not None
    return forms.export(study.name, trial if trial in ended else None, ended, golf)


def store_words(app: "ArenaApp", verb: str) -> list[str]:
    """What names the store on a command line; nothing when it is the one that the command takes by itself.

    What ships with the project is never written to: a study begun from there goes into the user's own store.
    """
    source = app.mirror.source
    if source is None or not (source.named or source.shipped) or (source.shipped and verb in BEGINS):
        return []
    return ["--store", str(source.path)]
