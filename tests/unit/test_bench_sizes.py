"""Where the bytes of a packed model went, held against the file itself."""

import json

import pytest
import zstandard

from autoresearch.executor import outcome_from_json
from autoresearch.worker import outcome_to_json
from bench.artifact import pack
from bench.batches import generator
from bench.catalog import CATALOG, full_pick, realise
from bench.config import Budget
from bench.divisions import baseline
from bench.layers import Params
from bench.packing import Packing
from bench.records import Cost, RunResult
from bench.run import initialise
from bench.sizes import sizes_of
from bench.tracks import GOLF
from studies.curves import pack_sizes, unpack_sizes

HEAD_BYTES = 66  # magic, version, raw size, digest, codec: in front of what the codec made


def config_with(precision, modifiers=(), track="featherweight"):
    base = baseline(Budget(steps=1, batch=1, seq_len=8), track)
    base = base.replaced("precision_modifiers", [full_pick("precision_modifiers", name, {}) for name in modifiers])
    return base.replaced("precision", [full_pick("precision", precision, {})])


def model_of(config):
    model = realise(config).model(config.budget.seq_len)
    initialise(Params(model), realise(config).init, seed=1)
    for param in Params(model).all:
        param.tensor.data.normal_(std=0.05, generator=generator(2, param.name))
    return model


def whole(packed):
    return zstandard.ZstdDecompressor().decompress(packed[HEAD_BYTES:])


@pytest.mark.parametrize("precision", [t.name for t in CATALOG["precision"]])
def test_the_sizes_add_up_to_what_the_codec_was_given(precision):
    config = config_with(precision)
    packed = pack(model_of(config), config)
    sizes = sizes_of(packed, config)
    assert sizes.n_bytes == len(whole(packed))
    assert sizes.correction_bytes == 0


def test_each_tensor_takes_the_bytes_that_its_encoding_has():
    config = config_with("int6_ste", ("half_embedding",))
    model = model_of(config)
    packing, params = Packing(realise(config)), Params(model).all
    encoded = [len(packing.precision(p).encode(p.tensor.detach(), p.role)) for p in params]
    sizes = sizes_of(pack(model, config), config)
    assert [tensor.n_bytes for tensor in sizes.tensors] == encoded
    assert [tensor.name for tensor in sizes.tensors] == [param.name for param in params]
    by_name = {tensor.name: tensor for tensor in sizes.tensors}
    # the embedding alone has 16 bits
    assert 8 * by_name["embedding.weight"].n_bytes == 16 * by_name["embedding.weight"].n_numbers


def test_what_a_modifier_adds_behind_the_tensors_is_counted_apart():
    config = config_with("int6_ste", ("lqer",))
    packed = pack(model_of(config), config)
    sizes = sizes_of(packed, config)
    assert sizes.correction_bytes > 0
    assert sizes.n_bytes == len(whole(packed))


def test_what_the_track_sets_aside_for_code_is_kept_with_them():
    config = config_with("fp32")
    assert sizes_of(pack(model_of(config), config), config).code_bytes == 0
    golf = baseline(Budget(steps=1, batch=8, seq_len=8), "golf")
    with_head = (b"\x00" * 10) + (1_000_000).to_bytes(8, "little") + b"\x00" * 60
    assert sizes_of(with_head, golf).code_bytes == GOLF.code_bytes > 0


def test_sizes_come_back_from_a_worker_and_from_the_ledger_as_they_were():
    config = config_with("int8_post")
    sizes = sizes_of(pack(model_of(config), config), config)
    cost = Cost(
        parameters=1, train_flops=1, train_tokens=1, train_seconds=1.0, probe_seconds=0.0, eval_seconds=0.0,
        peak_bytes=1,
    )  # fmt: skip
    done = RunResult(
        fingerprint="f", seed=1, val_loss=1.0, quant_gap=0.0, weights_bytes=9, artifact_sha256="a", steps=1, cost=cost,
        sizes=sizes,
    )  # fmt: skip
    assert outcome_from_json(json.loads(json.dumps(outcome_to_json(done)))) == done
    assert unpack_sizes(pack_sizes(sizes)) == sizes


def test_a_ledger_of_ten_thousand_runs_grows_by_less_than_three_megabytes():
    config = config_with("fp32")
    assert len(pack_sizes(sizes_of(pack(model_of(config), config), config))) < 300
