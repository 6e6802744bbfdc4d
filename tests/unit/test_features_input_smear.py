"""SmearGate by a gate that reads the token, against its loop in float64 and where documents begin."""

import pytest
import torch
from reference import HERE, assert_same, by_formula_rms, noise, text

from bench.catalog import full_pick, realise
from bench.divisions import GOLF_CPU_BASE, OPEN
from bench.examine import started
from bench.layers import rms
from bench.skeleton import Context
from bench.techniques.features.input_smear import InputSmear
from bench.tracks import Boundary


def stirred():
    smear = InputSmear().build(HERE).double()
    smear.reads.data, smear.scale.data = noise(12, seed=3).detach(), torch.tensor([0.7], dtype=torch.float64)
    return smear


def seen(context, embedded_BTD):
    context.embedded_BTD, context.x0_BTD = embedded_BTD, rms(embedded_BTD)
    return context


def by_hand(embedded_BTD, smear, starts_BT):
    rows = []
    for row, starts in zip(embedded_BTD, starts_BT, strict=True):
        for t, first in enumerate(starts):
            read = sum(row[t, c] * smear.reads[c] for c in range(12))
            share = smear.scale[0] / (1 + (-read).exp())
            rows.append(row[t] if first else row[t] + share * row[t - 1])
    return torch.stack(rows).view_as(embedded_BTD)


@pytest.mark.parametrize("T", [1, 2, 13])
def test_it_equals_its_loop_and_leaves_other_features_as_they_are(T):
    smear, embedded_BTD, more_BTD, context = stirred(), noise(3, T, 18), noise(3, T, 18, seed=1), text(3, T)
    context.tokens_BT[:, 3::4] = 0
    seen(context, embedded_BTD)
    # a byte begins a story where the one before ended one
    starts_BT = [[t == 0 or row[t - 1] == 0 for t in range(T)] for row in context.tokens_BT.tolist()]
    slow_BTD = by_formula_rms(by_hand(embedded_BTD, smear, starts_BT)) + more_BTD
    learnt = [smear.reads, smear.scale] if T > 1 else []
    assert_same(smear(context.x0_BTD + more_BTD, context), slow_BTD, [embedded_BTD, more_BTD, *learnt])


def test_a_token_takes_nothing_over_a_documents_start():
    context = seen(Context(torch.tensor([[7, 1, 8, 9, 1, 1]]), 1.0, Boundary(1, begins=True)), noise(1, 6, 18))
    smeared_BTD = stirred()(context.x0_BTD, context)
    untouched = [torch.equal(smeared_BTD[0, t], context.x0_BTD[0, t]) for t in range(6)]
    assert untouched == [True, True, False, False, True, True]


def test_a_model_starts_as_if_it_were_not_there():
    smearing = GOLF_CPU_BASE.replaced("features", [full_pick("features", "input_smear", {})])
    tokens_BT = torch.randint(1024, (2, 9), generator=torch.Generator().manual_seed(1))
    plain, smeared = (started(config)(tokens_BT) for config in (GOLF_CPU_BASE, smearing))
    assert torch.equal(plain, smeared)
    assert [f.name for f in realise(smearing).features] == ["input_smear"]


def test_featherweight_may_choose_it():
    assert OPEN.enters("features", "input_smear")
