"""What a packed model is made of, tensor by tensor: where its bytes went."""

import torch

from bench.artifact import header_of, raw_size
from bench.catalog import realise
from bench.config import RunConfig
from bench.layers import Params
from bench.packing import Packing
from bench.records import Sizes, TensorSize


def sizes_of(packed: bytes, config: RunConfig) -> Sizes:
    """Of a file that `pack` made of a model of this config. Nothing is unpacked: tensors have their size by shape."""
    stack = realise(config)
    with torch.device("meta"):
        params = Params(stack.model(config.budget.seq_len)).all
    packing = Packing(stack)
    tensors = tuple(
        TensorSize(param.name, param.role.value, tuple(param.tensor.shape), packing.bytes_of(param)) for param in params
    )
    # four bytes say how long the header is
    header_bytes = 4 + len(header_of(config, params))
    return Sizes(
        tensors=tensors,
        # what depends on the weights is what is left
        correction_bytes=raw_size(packed) - header_bytes - packing.encoded_bytes(params),
        header_bytes=header_bytes,
        code_bytes=stack.track.code_bytes,
    )
