"""Attention within documents (Zhao et al. 2024, arXiv:2402.13991; Parameter Golf #1530, by kernels for any length).

Shapes: B batch, T time.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from bench.skeleton import Context, Site
from bench.techniques.technique import Clash, Prior

LEAKS = "it reads tokens of the document before, which attention no longer does"
AUDIT = "as SmearGate did until Parameter Golf #1851"


@dataclass(frozen=True, kw_only=True)
class DocumentMask:
    """No query looks over the start of its document: each document in a sequence is as if it stood there alone.

    In training and evaluation alike: sliding windows then score a document as if the others were not there, one longer
    than they are with the window's share of it before. FLOPs are those of full attention, because the whole sequence
    is computed and masked; the records' kernel saved them.
    """

    slot: ClassVar = "mixer_modifiers"
    name: ClassVar = "document_mask"
    source: ClassVar = "Parameter Golf #1530"
    point: ClassVar = "mask"
    prior: ClassVar = Prior(-1, "C", "about -0.001 nats in #1530, with a faster kernel")
    clashes: ClassVar = (Clash("canon", LEAKS, AUDIT), Clash("trigram_hash", LEAKS, AUDIT))

    def build(self, site: Site) -> nn.Module:
        return WithinDocument()

    def flops(self, site: Site) -> int:
        return 0

    def parameters(self, site: Site) -> int:
        return 0


class WithinDocument(nn.Module):
    point = "mask"

    def forward(self, context: Context) -> Tensor:
        # one table for all layers of a pass
        return context.within_BTT
