"""`stop`: asked, acknowledged, done."""

import shlex
import time
from pathlib import Path

from bench.errors import StoreError
from studies.ownership import living_owner
from studies.store import Store

PATIENCE_SECONDS = 20.0


def stop_study(path: Path, name: str) -> str:
    """Ask the coordinator to stop and wait until it has; StoreError when there is none or it does not answer."""
    store = Store(path)
    try:
        owner = living_owner(store.read.study(name))
        if owner is None:
            raise StoreError(
                f"study {name} is not running", f"`autoresearch resume {shlex.quote(name)}` goes on with it"
            )
        store.ask_to_stop(name)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if living_owner(store.read.study(name)) is None:
                return f"study {name} has stopped"
            time.sleep(0.2)
    finally:
        store.close()
    raise StoreError(
        f"process {owner.pid} has not stopped within {PATIENCE_SECONDS:.0f} s",
        f"end it with `kill {owner.pid}`; nothing is lost",
    )
