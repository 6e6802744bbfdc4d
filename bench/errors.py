"""What a user can act on: one sentence that says the problem, one that says the next step."""


class ArenaError(Exception):
    """A request that can't be honoured; commands print it as `error:` and `hint:` and exit 2."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint


class ConfigError(ArenaError):
    """A name, knob or value that the catalog does not know or allow."""


class BreachError(ArenaError):
    """A config that may not enter the division or breaks a cap."""


class TooSlowError(ArenaError):
    """A run that took more seconds than its track allows."""


class DataError(ArenaError):
    """A corpus that is missing, unusable or not what it says it is."""


class ArtifactError(ArenaError):
    """A packed model that can't be read back as what it claims."""


class StoreError(ArenaError):
    """A ledger that can't be opened, read or written."""
