# SPDX-License-Identifier: Apache-2.0
"""``bench --json`` as scripts use it: its keys and types."""

from __future__ import annotations

import json

import pytest

from device.__main__ import main

STAGES = ("decode", "sonogram", "preprocess", "inference", "postprocess", "total")


def test_the_json_has_the_keys_and_types_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--json", "--repeat", "5", "--size", "640x480"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    report = json.loads(line)
    for stage in STAGES:
        shares = report["ms"][stage]
        assert 0 < shares["p50"] <= shares["p95"] <= shares["p99"]
    assert report["frame"] == [640, 480]
    assert report["threads"] == 1
    for key, kind in {"live_fps": float, "runtime": str, "model": str, "peak_memory_mib": float}.items():
        assert isinstance(report[key], kind), key
    assert report["live_fps"] > 0


def test_the_table_names_every_stage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--repeat", "5", "--size", "640x480"]) == 0
    said = capsys.readouterr().out
    assert all(stage in said for stage in STAGES)


def test_a_model_that_is_not_there_is_one_line_and_status_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--json", "--model", "/nowhere"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
