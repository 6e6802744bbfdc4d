"""How a model's tensors become bytes: the number format, and what its modifiers change of that."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from bench.errors import ArtifactError
from bench.layers import Moments, Param
from bench.stack import Precision, Stack

DAMAGED = "the file is damaged or not one of ours; make it again with `autoresearch replay`"


@dataclass(frozen=True)
class Packing:
    """The tensors one after the other, each in its number format; then a section of each modifier that adds one."""

    stack: Stack

    def precision(self, param: Param) -> Precision:
        """The number format of one tensor."""
        found = self.stack.precision
        for modifier in self.stack.precision_modifiers:
            found = modifier.chosen(param, self.stack.shape.n_layer, found)
        return found

    def encode(self, params: Sequence[Param], moments: Moments) -> bytes:
        body = b"".join(self._encoded(param, moments) for param in params)
        if not self.stack.precision_modifiers:
            return body
        sections, shipped = [], self._decoded(body, params)
        for modifier in self.stack.precision_modifiers:
            sections.append(section := modifier.correction(params, shipped))
            shipped, _ = modifier.corrected(section, params, shipped)
        return body + b"".join(sections)

    def _encoded(self, param: Param, moments: Moments) -> bytes:
        precision = self.precision(param)
        for modifier in self.stack.precision_modifiers:
            if (found := modifier.coded(param, moments, precision)) is not None:
                return found
        return precision.encode(param.tensor.detach(), param.role)

    def encoded_bytes(self, params: Sequence[Param]) -> int:
        """Of all tensors, exact, from their shapes; a modifier's section is not counted: it depends on the weights."""
        return sum(self.bytes_of(param) for param in params)

    def decode(self, body: bytes, params: Sequence[Param]) -> list[Tensor]:
        """Raises ArtifactError where the body is no packing of such tensors."""
        size = self.encoded_bytes(params)
        if len(body) < size:
            raise ArtifactError(f"the artifact holds {len(body):,} bytes of weights where {size:,} belong", DAMAGED)
        tensors, rest = self._decoded(body, params), body[size:]
        for modifier in self.stack.precision_modifiers:
            tensors, rest = modifier.corrected(rest, params, tensors)
        if rest:
            belong = len(body) - len(rest)
            raise ArtifactError(f"the artifact holds {len(body):,} bytes of weights where {belong:,} belong", DAMAGED)
        return tensors

    def _decoded(self, body: bytes, params: Sequence[Param]) -> list[Tensor]:
        tensors, at = [], 0
        for param in params:
            end = at + self.bytes_of(param)
            tensors.append(self.precision(param).decode(body[at:end], tuple(param.tensor.shape), param.role))
            at = end
        return tensors

    def bytes_of(self, param: Param) -> int:
        """Of one tensor, exact, from its shape."""
        return self.precision(param).encoded_bytes(tuple(param.tensor.shape), param.role)
