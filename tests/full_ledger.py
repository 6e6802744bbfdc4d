"""A ledger as a long study would have left it, written in one go: random stacks, each with a made-up score."""

import random
from dataclasses import asdict

from ledger_rows import KEY

from autoresearch.researcher.local import drawn_from
from autoresearch.space import Space
from bench.cards import cards
from bench.config import fingerprint, to_json
from bench.knobs import Choice
from bench.records import State
from studies.definitions import StudySpec
from studies.models import Config, Run, Trial, TrialRun, key
from studies.ownership import this_process
from studies.store import Store


def fill(store: Store, spec: StudySpec, n_trials: int) -> None:
    store.begin(spec, cards(), this_process())
    space, rng = Space(spec), random.Random(0)
    with store._writing() as (session, rev):
        study = store._study(session, spec.name)
        for number in range(n_trials):
            params = {}

            def choose(name, values, params=params):
                rarely = isinstance(values, Choice) and values.options == (False, True)
                params[name] = rng.random() < 0.1 if rarely else drawn_from(values, rng)
                return params[name]

            config = space.walk(choose)
            done = {"fingerprint": fingerprint(config), "state": State.COMPLETE.value, "rev": rev}
            trial = Trial(
                study_id=key(study), number=number, proposer="tpe", rule="", reason="", params=params, created_at=0.0,
                **done,
            )  # fmt: skip
            run = Run(
                **asdict(KEY), **done, attempt=number + 1, versions={}, val_loss=1.5 + rng.gauss(0.0, 0.05)
            )  # fmt: skip
            session.merge(Config(fingerprint=done["fingerprint"], config=to_json(config)))
            session.add_all((trial, run))
            session.flush()
            session.add(TrialRun(trial_id=key(trial), run_id=key(run)))
