"""FineWeb as golf's shards with their vocabulary: which exports there are, and those that were fetched."""

from dataclasses import dataclass
from pathlib import Path

from bench.data.corpus import cache_dir
from bench.data.tokens import LIST_FILE, TokenCorpus, load
from bench.tracks import CASEOPS, SP1024, SP4096, SP8192, Tokenizer

NAME = "fineweb"
SOURCE = "https://huggingface.co/datasets/{}/parameter-golf/resolve/main/datasets"
CASEOPS_SOURCE = "https://huggingface.co/datasets/romeerp/parameter-golf-caseops-v1/resolve/main/datasets"


@dataclass(frozen=True)
class Export:
    """The contest's documents in one vocabulary, and who publishes them in its layout."""

    name: str  # of the corpus
    tokenizer: Tokenizer
    source: str

    @property
    def get_command(self) -> str:
        return f"autoresearch data get {self.name}"


# The organisers publish the first alone; the larger ones are by the author of #1218 and #1394, that with capitals apart
# by the author of #1729, of the same documents.
EXPORTS = (
    Export(NAME, SP1024, SOURCE.format("willdepueoai")),
    *(Export(f"{NAME}-{t.name}", t, SOURCE.format("kevclark")) for t in (SP4096, SP8192)),
    Export(f"{NAME}-{CASEOPS.name}", CASEOPS, CASEOPS_SOURCE),
)


def export_named(name: str) -> Export | None:
    return next((export for export in EXPORTS if export.name == name), None)


def export_in(tokenizer: Tokenizer) -> Export:
    """The documents in a track's vocabulary."""
    return next(export for export in EXPORTS if export.tokenizer is tokenizer)


def cache_folder(export: Export) -> Path:
    return cache_dir() / export.name


def load_fineweb(export: Export) -> TokenCorpus | None:
    """The shards that were fetched, or None; never reaches the network."""
    return load(cache_folder(export)) if (cache_folder(export) / LIST_FILE).is_file() else None
