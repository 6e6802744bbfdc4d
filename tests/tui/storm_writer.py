"""A process of its own that writes trial after trial into the store it is given, until it is ended."""

import sys
import time
from pathlib import Path

from sample_store import FATES, Clock, begin, play, spec_of, stopped

from studies.store import Store

if __name__ == "__main__":
    clock, spec = Clock(time.time()), spec_of("storm-1", n_trials=5000)
    store = Store(Path(sys.argv[1]))
    with stopped(clock):
        begin(store, spec)
        print("writing", flush=True)
        for number in range(spec.n_trials):
            clock.now = time.time()
            play(store, spec, clock, number, FATES[number % len(FATES)])
            store.beat(spec.name)
            time.sleep(0.1)
