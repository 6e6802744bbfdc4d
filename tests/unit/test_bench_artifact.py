"""The packed model: the same bytes every time, and nothing believed that was not checked."""

import hashlib
import json
import struct
import tracemalloc

import pytest
import torch
import zstandard

from bench.artifact import MAX_RAW_BYTES, config_of, pack, unpack
from bench.catalog import CATALOG, full_pick, realise
from bench.config import Budget, canonical, to_json
from bench.divisions import baseline
from bench.errors import ArtifactError
from bench.layers import Params
from bench.run import initialise, quant_gap

# magic, version, raw size, digest, codec: written out here so that a change of the format shows
HEAD = struct.Struct("<8sHQ32s16s")


def config_with(precision):
    base = baseline(Budget(steps=1, batch=1, seq_len=8))
    return base.replaced("precision", [full_pick("precision", precision, {})])


def trained(config):
    """A model with weights everywhere, as after training."""
    model = realise(config).model(config.budget.seq_len)
    initialise(Params(model), realise(config).init, seed=1)
    noise = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn(p.shape, generator=noise), alpha=0.05)
    return model


CONFIG = config_with("int8_ste")


@pytest.fixture(scope="module")
def packed():
    return pack(trained(CONFIG), CONFIG)


@pytest.fixture(scope="module")
def raw(packed):
    return zstandard.ZstdDecompressor().decompress(packed[HEAD.size :])


@pytest.fixture(scope="module")
def header_and_body(raw):
    (length,) = struct.unpack_from("<I", raw)
    return json.loads(raw[4 : 4 + length]), raw[4 + length :]


def sealed(raw, claimed=None, frame=None):
    """A file around a raw part, its checksum right."""
    head = HEAD.pack(b"ARENAFW\x00", 1, len(raw) if claimed is None else claimed, hashlib.sha256(raw).digest(), b"zstd")
    return head + (zstandard.ZstdCompressor().compress(raw) if frame is None else frame)


def forged(header, body):
    """A file with this header and these weights, its checksum right."""
    text = header if isinstance(header, bytes) else canonical(header).encode()
    return sealed(struct.pack("<I", len(text)) + text + body)


def refused(file, message):
    """The file is refused in these words, and no model's worth of memory was touched before."""
    tracemalloc.start()
    try:
        with pytest.raises(ArtifactError, match=message):
            unpack(file, CONFIG)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("precision", [t.name for t in CATALOG["precision"]])
def test_the_same_model_gives_the_same_bytes(precision):
    config = config_with(precision)
    assert pack(trained(config), config) == pack(trained(config), config)


@pytest.mark.parametrize("precision", [t.name for t in CATALOG["precision"] if not getattr(t, "refits", False)])
def test_packing_what_was_unpacked_gives_the_same_bytes(precision):
    config = config_with(precision)
    once = pack(trained(config), config)
    assert pack(unpack(once, config), config) == once


def test_fp32_weights_come_back_exactly():
    config = config_with("fp32")
    model = trained(config)
    shipped = unpack(pack(model, config), config)
    assert all(torch.equal(p, shipped.get_parameter(name)) for name, p in model.named_parameters())


def test_the_file_is_laid_out_as_the_module_says(packed, header_and_body):
    magic, version, raw_size, digest, codec = HEAD.unpack_from(packed)
    header, body = header_and_body
    assert (magic, version, codec.rstrip(b"\x00")) == (b"ARENAFW\x00", 1, b"zstd")
    assert set(header) == {"config", "tensors"}
    text = canonical(header).encode()
    rebuilt = struct.pack("<I", len(text)) + text + body
    assert (raw_size, digest) == (len(rebuilt), hashlib.sha256(rebuilt).digest())


def test_a_file_rebuilt_by_hand_is_accepted(header_and_body):
    unpack(forged(*header_and_body), CONFIG)


def test_the_file_names_its_config(packed):
    assert config_of(packed, CONFIG) == CONFIG


@pytest.mark.parametrize("share", [0.0, 1e-4, 0.3, 0.9, 0.9999999])
def test_a_truncated_file_is_refused(packed, share):
    refused(packed[: int(share * len(packed))], "too few for an artifact|can't be read|claims another size|checksum")


def test_a_file_with_something_behind_it_is_refused(packed):
    refused(packed + b"\x00", "can't be read")


def test_another_magic_is_refused(packed):
    refused(b"PK\x03\x04" + packed[4:], "this is no artifact of a version we know")


def test_a_later_version_is_refused(packed):
    refused(packed[:8] + struct.pack("<H", 2) + packed[10:], "this is no artifact of a version we know")


def test_another_codec_is_refused(packed):
    refused(
        packed[:50] + b"lzma".ljust(16, b"\x00") + packed[66:],
        "the artifact is compressed with lzma, its config says zstd",
    )


def test_one_flipped_bit_is_refused(packed):
    places = [*range(HEAD.size + 8), *range(HEAD.size + 8, len(packed), len(packed) // 40)]
    accepted = []
    for place in places:
        damaged = bytearray(packed)
        damaged[place] ^= 1 << place % 8
        try:
            unpack(bytes(damaged), CONFIG)
        except ArtifactError:
            continue
        accepted.append(place)
    assert accepted == []


def test_claims_of_petabytes_are_refused(raw):
    refused(sealed(raw, claimed=10**15), "claims 1,000,000,000,000,000 bytes; 100,000,000 is the most we read")


def test_a_frame_that_claims_petabytes_is_refused(raw):
    # frame header: magic, descriptor (eight bytes of content size, one segment), the size
    frame = b"\x28\xb5\x2f\xfd" + bytes([0b1110_0000]) + struct.pack("<Q", 10**15) + b"\x01\x00\x00"
    refused(sealed(raw, frame=frame), "claims another size than its header")


def test_a_bomb_is_refused():
    bomb = zstandard.ZstdCompressor().compress(bytes(200_000_000))
    assert len(bomb) < 20_000
    refused(sealed(b"", claimed=1000, frame=bomb), "claims another size than its header")


def test_a_bomb_that_states_no_size_is_refused():
    plain = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(50_000_000))
    refused(sealed(b"", claimed=1000, frame=plain), "claims another size than its header")


def test_a_bomb_that_lies_about_its_size_is_refused():
    bomb = bytearray(zstandard.ZstdCompressor().compress(bytes(50_000_000)))
    at = bomb.index(struct.pack("<I", 50_000_000))
    bomb[at : at + 4] = struct.pack("<I", 1_000_000)
    refused(sealed(b"", claimed=1_000_000, frame=bytes(bomb)), "can't be read|checksum")


def test_no_frame_at_all_is_refused():
    refused(sealed(b"abcd", frame=b"not a frame"), "the compressed part can't be read")


@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_content_too_short_for_a_header_is_refused(n):
    refused(sealed(b"abc"[:n]), f"the artifact's content is {n} bytes, too few for a header")


@pytest.mark.parametrize("header", [b"", b"{", b"\xff\xfe", b"[" * 100_000], ids=["none", "open", "bytes", "deep"])
def test_a_header_that_is_no_json_is_refused(header):
    refused(forged(header, b""), "the artifact's header is no JSON")


@pytest.mark.parametrize("header", [[], 3, "config", None])
def test_a_header_that_is_no_table_is_refused(header):
    refused(forged(header, b""), "the artifact's header is no table")


def test_a_header_longer_than_its_file_is_refused(raw):
    refused(sealed(struct.pack("<I", 2**32 - 1) + raw[4:]), "the artifact's header is no JSON")


def test_weights_of_another_config_are_refused(packed):
    with pytest.raises(ArtifactError, match="the artifact was packed from another config"):
        unpack(packed, config_with("fp32"))


def test_tensors_of_another_shape_are_refused(header_and_body):
    header, body = header_and_body
    tensors = [dict(tensor) for tensor in header["tensors"]]
    tensors[0]["shape"] = tensors[0]["shape"][::-1]
    with pytest.raises(ArtifactError, match="the artifact's tensors are not the ones its config builds"):
        unpack(forged({**header, "tensors": tensors}, body), CONFIG)


@pytest.mark.parametrize("tensors", [None, [], {}, "all"])
def test_a_header_without_the_tensors_is_refused(header_and_body, tensors):
    header, body = header_and_body
    with pytest.raises(ArtifactError, match="the artifact's tensors are not the ones its config builds"):
        unpack(forged({**header, "tensors": tensors}, body), CONFIG)


@pytest.mark.parametrize("change", [lambda b: b"", lambda b: b[:-1], lambda b: b[:1000], lambda b: b + b"\x00"])
def test_weights_of_another_length_are_refused(header_and_body, change):
    header, body = header_and_body
    with pytest.raises(ArtifactError, match=r"the artifact holds [\d,]+ bytes of weights where 862,208 belong"):
        unpack(forged(header, change(body)), CONFIG)


@pytest.mark.parametrize(
    "plain",
    [{}, {"track": "featherweight", "picks": [], "budget": {}}, {"track": 1, "picks": {"mixer": [1]}}, "all", None],
)
def test_a_file_without_a_config_names_none(plain):
    with pytest.raises(ArtifactError, match="the artifact's header holds no config"):
        config_of(forged({"config": plain}, b""), CONFIG)


def test_the_most_we_read_leaves_room_for_every_config():
    assert MAX_RAW_BYTES > 4 * 4 * 1_000_000


def test_packing_that_changes_nothing_costs_nothing_and_measures_nothing():
    def never(model):
        raise AssertionError("nothing changed, so nothing has to be scored")

    model = trained(CONFIG)
    assert quant_gap(model, unpack(pack(model, CONFIG), CONFIG), never) == 0.0


def test_packing_that_changes_weights_costs_the_difference():
    config = config_with("int8_post")
    model = trained(config)
    shipped = unpack(pack(model, config), config)
    assert quant_gap(model, shipped, lambda m: 1.5 if m is shipped else 1.25) == 0.25


def test_the_config_stands_in_the_file_as_json(header_and_body):
    assert header_and_body[0]["config"] == to_json(CONFIG)
