"""The packed model: a checked file of our own, read without pickle and without trusting what it claims.

Layout: magic, format version (u16), raw size (u64), SHA-256 of the raw part, then the compressed raw part.
Raw part: header length (u32), header as JSON (the config, and name, role and shape of every tensor), the tensors
one after the other in their number format. Numbers are little endian.
"""

import hashlib
import json
import struct
from collections.abc import Sequence
from typing import Any

from bench.catalog import realise
from bench.config import RunConfig, canonical, from_json, to_json
from bench.errors import ArtifactError, ConfigError
from bench.layers import Param, Params
from bench.packing import DAMAGED, Packing
from bench.skeleton import Model

MAGIC = b"ARENAFW\x00"
VERSION = 1
_HEAD = struct.Struct("<8sHQ32s")
# Above golf's baseline in single precision (68 MB), far below what would hurt a laptop.
MAX_RAW_BYTES = 100_000_000


def pack(model: Model, config: RunConfig) -> bytes:
    """The model as the bytes that are scored and shipped; the same model gives the same bytes."""
    stack = realise(config)
    params = Params(model).all
    header = header_of(config, params)
    body = Packing(stack).encode(params, model.moments)
    raw = struct.pack("<I", len(header)) + header + body
    head = _HEAD.pack(MAGIC, VERSION, len(raw), hashlib.sha256(raw).digest())
    # the codec's name must be known before the header can be read, so it stands in the clear
    codec = config.pick("codec").name.encode().ljust(16, b"\x00")
    return head + codec + stack.codec.compress(raw)


def header_of(config: RunConfig, params: Sequence[Param]) -> bytes:
    return canonical({"config": to_json(config), "tensors": _tensors(params)}).encode()


def _tensors(params: Sequence[Param]) -> list[dict[str, Any]]:
    return [{"name": p.name, "role": p.role.value, "shape": list(p.tensor.shape)} for p in params]


def raw_size(packed: bytes) -> int:
    """How much the codec was given, as the file says in the clear."""
    _, _, size, _ = _HEAD.unpack_from(packed)
    return int(size)


def unpack(packed: bytes, config: RunConfig) -> Model:
    """The model that a file holds, for the config it must be of; raises ArtifactError."""
    header, body = _opened(packed, config)
    if _config(header) != config:
        raise ArtifactError("the artifact was packed from another config", "check which trial it belongs to")
    stack = realise(config)
    model = stack.model(config.budget.seq_len)
    params = Params(model).all
    if header.get("tensors") != _tensors(params):
        raise ArtifactError("the artifact's tensors are not the ones its config builds", DAMAGED)
    for param, decoded in zip(params, Packing(stack).decode(body, params), strict=True):
        param.tensor.data.copy_(decoded)
    return model


def config_of(packed: bytes, codec: RunConfig) -> RunConfig:
    """The config inside a file, read with the codec of `codec`."""
    header, _ = _opened(packed, codec)
    return _config(header)


def _config(header: dict[str, Any]) -> RunConfig:
    """Read as a config, since an older file names fewer slots."""
    try:
        return from_json(header.get("config", {}))
    except ConfigError as wrong:
        raise ArtifactError(f"the artifact's header holds no config: {wrong.problem}", DAMAGED) from wrong


def _opened(packed: bytes, config: RunConfig) -> tuple[dict[str, Any], bytes]:
    """Header and tensor bytes, after every check that costs less than what it protects."""
    start = _HEAD.size + 16
    if len(packed) < start:
        raise ArtifactError(f"{len(packed)} bytes are too few for an artifact", DAMAGED)
    magic, version, raw_size, digest = _HEAD.unpack_from(packed)
    if magic != MAGIC or version != VERSION:
        raise ArtifactError("this is no artifact of a version we know", DAMAGED)
    codec = packed[_HEAD.size : start].rstrip(b"\x00").decode("ascii", "replace")
    if codec != config.pick("codec").name:
        raise ArtifactError(
            f"the artifact is compressed with {codec}, its config says {config.pick('codec').name}", DAMAGED
        )
    if raw_size > MAX_RAW_BYTES:
        raise ArtifactError(f"the artifact claims {raw_size:,} bytes; {MAX_RAW_BYTES:,} is the most we read", DAMAGED)
    raw = realise(config).codec.decompress(packed[start:], raw_size)
    if len(raw) != raw_size or hashlib.sha256(raw).digest() != digest:
        raise ArtifactError("the artifact's content does not match its checksum", DAMAGED)
    if len(raw) < 4:
        raise ArtifactError(f"the artifact's content is {len(raw)} bytes, too few for a header", DAMAGED)
    (length,) = struct.unpack_from("<I", raw)
    try:
        header = json.loads(raw[4 : 4 + length])
    except (ValueError, RecursionError) as broken:  # the second for brackets nested by the thousand
        raise ArtifactError("the artifact's header is no JSON", DAMAGED) from broken
    if not isinstance(header, dict):
        raise ArtifactError("the artifact's header is no table", DAMAGED)
    return header, raw[4 + length :]
