# SPDX-License-Identifier: Apache-2.0
"""The runtime is tried by having it work, and each way to fail has its own words."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest

from device.config import MODELS
from device.errors import BundleGoldenError, MammascopeError, ProbeCrashedError, RuntimeMissingError
from device.inference.bundle import find_bundles
from device.operations.checks import runtime as module
from device.operations.checks.runtime import RuntimeCheck, Tried, probe_inference
from device.system.check import CheckStatus


@pytest.fixture
def shipped() -> Path:
    bundles = find_bundles(MODELS)
    if not bundles:
        pytest.skip("no model bundle in models/")
    return bundles[0]


def test_a_finding_is_really_made_here(shipped: Path) -> None:
    tried = probe_inference(MODELS)
    assert math.isclose(sum(tried.probabilities), 1.0, abs_tol=1e-6)
    assert tried.latency_ms > 0
    result = RuntimeCheck(MODELS).run()
    assert (result.status, f"made a finding with {tried.model}" in result.sentence) == (CheckStatus.OK, True)


def test_without_a_usable_model_it_is_not_tried_and_not_blamed(shipped: Path, tmp_path: Path) -> None:
    assert RuntimeCheck(tmp_path).run().status is CheckStatus.ABSENT
    changed = shutil.copytree(shipped, tmp_path / shipped.name)
    (changed / "model.tflite").write_bytes(b"changed")
    result = RuntimeCheck(tmp_path).run()
    assert (result.status, "see Model" in result.sentence) == (CheckStatus.ABSENT, True)


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (RuntimeMissingError("model.tflite", "numpy.core.multiarray failed to import"), "multiarray"),
        (ProbeCrashedError("probe_inference", "ended by SIGILL"), "SIGILL"),
        (BundleGoldenError("m-1.0.0", "off by up to 31 steps"), "computes wrongly"),
    ],
)
def test_a_runtime_that_does_not_work_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, error: MammascopeError, word: str
) -> None:
    def broken(*_: object, **__: object) -> Tried:
        raise error

    monkeypatch.setattr(module, "run_in_child", broken)
    result = RuntimeCheck(MODELS).run()
    assert (result.status, word in result.sentence, bool(result.advice)) == (CheckStatus.FAIL, True, True)


def test_probabilities_that_are_none_are_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    for shares in ((0.9, 0.9, 0.9), (float("nan"), 0.5, 0.5), ()):
        tried = Tried("runtime", "m@1", shares, 1.0)
        monkeypatch.setattr(module, "run_in_child", lambda *_, tried=tried, **__: tried)
        assert RuntimeCheck(MODELS).run().status is CheckStatus.FAIL
