"""The command line of ``convert``: what a user types, what comes back, what is said when it cannot be done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENT_S


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "convert", *words], capture_output=True, text=True, timeout=2 * PATIENT_S, check=False
    )


def test_help_names_every_stage_and_the_one_that_does_all() -> None:
    text = run("--help").stdout
    for verb in ("train", "quantise", "calibrate", "evaluate", "package", "build", "keygen"):
        assert verb in text


def test_the_options_of_the_readme_exist() -> None:
    text = run("build", "--help").stdout
    for option in ("--busi", "--busbra", "--uclm", "--backbone", "--out", "--epochs", "--left-out-run"):
        assert option in text


@pytest.mark.parametrize("stage", ["quantise", "calibrate", "package"])
def test_a_stage_before_its_time_names_the_one_to_run_first(stage: str, tmp_path: Path) -> None:
    done = run(stage, "--run", str(tmp_path / "nothing"))
    assert done.returncode == 2
    assert "python -m convert" in done.stderr
    assert "Traceback" not in done.stderr


def test_training_without_data_says_what_to_name(tmp_path: Path) -> None:
    done = run("train", "--run", str(tmp_path / "run"))
    assert done.returncode == 2
    assert "--busi" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_build_without_a_signing_key_says_so_before_it_trains(tmp_path: Path) -> None:
    done = run("build", "--run", str(tmp_path / "run"))
    assert done.returncode == 2
    assert "python -m convert keygen" in done.stderr
    assert not (tmp_path / "run").exists()
