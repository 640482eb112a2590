# SPDX-License-Identifier: Apache-2.0
"""The command line of ``convert``: what a user types, what comes back, what is said when it cannot be done."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from convert import quiet
from convert.__main__ import main
from convert.compare.phantom_sets import make_phantom_sets
from device.inference.bundle import TRUSTED_KEYS
from tests.convert.folders import make_busi
from tests.patience import PATIENT_S


def run_alone(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """In a process of its own, which loads TensorFlow anew for a verb that trains."""
    command = [sys.executable, "-m", "convert", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=4 * PATIENT_S, check=False, env=env)


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process, where TensorFlow is loaded once for all tests; a traceback fails the test."""

    def run(*words: str) -> Done:
        try:
            status = main(words)
        except SystemExit as end:  # argparse
            status = end.code if isinstance(end.code, int) else 1
        said = capsys.readouterr()
        return Done(status, said.out, said.err)

    return run


def test_help_names_every_stage_and_the_one_that_does_all() -> None:
    text = run_alone("--help").stdout
    for verb in ("train", "quantise", "calibrate", "evaluate", "package", "build", "keygen"):
        assert verb in text


def test_the_options_of_the_readme_exist(run: Command) -> None:
    text = run("build", "--help").stdout
    for option in ("--busi", "--busbra", "--uclm", "--backbone", "--out", "--epochs", "--left-out-run"):
        assert option in text


@pytest.mark.parametrize("stage", ["quantise", "calibrate", "package"])
def test_a_stage_before_its_time_names_the_one_to_run_first(run: Command, stage: str, tmp_path: Path) -> None:
    done = run(stage, "--run", str(tmp_path / "nothing"))
    assert done.returncode == 2
    assert "python -m convert" in done.stderr


@pytest.mark.parametrize(("verb", "goes_on"), [("train", True), ("duplicates", False)])
def test_a_verb_that_is_stopped_says_so_without_a_traceback(
    verb: str, goes_on: bool, run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("convert.stages.verbs._train", stop)
    monkeypatch.setattr("convert.data.duplicates.main", stop)
    done = run(verb, str(tmp_path)) if verb == "duplicates" else run(verb, "--run", str(tmp_path))
    assert done.returncode == 130
    assert done.stderr.startswith(f"{verb}: stopped")
    assert ("the same command goes on" in done.stderr) is goes_on


def test_training_without_data_says_what_to_name(run: Command, tmp_path: Path) -> None:
    done = run("train", "--run", str(tmp_path / "run"))
    assert done.returncode == 2
    assert "--busi" in done.stderr


def test_the_option_of_before_is_refused_with_the_one_of_today(run: Command, tmp_path: Path) -> None:
    done = run("train", "--foreign", str(tmp_path), "--busi", str(tmp_path))
    assert done.returncode == 2
    assert "--foreign is called '--ood' now" in done.stderr


def test_a_build_without_a_signing_key_says_so_before_it_trains(run: Command, tmp_path: Path) -> None:
    done = run("build", "--run", str(tmp_path / "run"))
    assert done.returncode == 2
    assert "python -m convert keygen" in done.stderr
    assert not (tmp_path / "run").exists()


def run_light(words: list[str], env: dict[str, str] | None = None) -> str:
    """What a verb prints in a process of its own; fails if it loads a heavy library or says more."""
    code = (
        "import sys\nfrom convert.__main__ import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        "print('HEAVY', [m for m in ('tensorflow', 'keras', 'scipy', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENT_S, check=True, env=env)
    assert done.stderr == ""
    assert "HEAVY []" in done.stdout
    return done.stdout


@pytest.mark.parametrize("verb", [[], ["train"], ["compare"], ["recipes"], ["build"], ["keygen"], ["adapt-site"]])
def test_help_says_nothing_else_and_loads_no_tensorflow(verb: list[str]) -> None:
    assert run_light([*verb, "--help"]).startswith("usage: ")


@pytest.mark.parametrize("which", [[], ["--site"]])
def test_a_key_is_made_without_tensorflow(which: list[str], tmp_path: Path) -> None:
    home = os.environ | {"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    assert run_light(["keygen", *which], home).startswith(f"private key: {tmp_path}")


@pytest.mark.parametrize(("backend", "loaded"), [("jax", ["keras"]), ("tensorflow", ["tensorflow", "keras"])])
def test_no_other_backend_is_loaded_than_the_one_that_keras_is_set_to(
    monkeypatch: pytest.MonkeyPatch, backend: str, loaded: list[str]
) -> None:
    asked: list[str] = []
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr("convert.quiet.importlib.import_module", asked.append)
    quiet.load_keras()
    assert asked == loaded


def test_a_verb_that_trains_talks_of_its_work_alone(tmp_path: Path) -> None:
    done = run_alone("train", "--run", str(tmp_path / "run"))
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No connection, and nothing that Keras has kept of an earlier one."""
    for name in ("https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setattr(urllib.request, "_opener", None)  # it would know the proxies of its first use
    monkeypatch.setattr("keras.src.backend.config.keras_home", lambda: str(tmp_path / "keras"))


@pytest.mark.usefixtures("closed")
def test_imagenet_without_a_connection_is_one_sentence_that_helps(run: Command, tmp_path: Path) -> None:
    busi = make_phantom_sets(tmp_path / "phantoms").busi
    for words in ([], ["--recipe", "mobilenet_v2"]):
        data = ["--run", str(tmp_path / f"run{len(words)}"), "--busi", str(busi)]
        done = run("train", *words, *data, "--size", "96", "--backbone", "imagenet")
        assert done.returncode == 2
        (sentence,) = done.stderr.strip().splitlines()
        for word in ("MobileNetV2" if words else "mobilenet_v2", "no connection", "weights file", "random"):
            assert word in sentence


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--epochs", "0"), ("--epochs", "-1"), ("--epochs", "many"), ("--size", "0"), ("--size", "31"),
        ("--size", "100000"), ("--folds", "0"), ("--seed", "-1"), ("--fold", "-1"),
        ("--pictures", "-5"), ("--pictures", "1.5"),
    ],
)  # fmt: skip
def test_a_number_that_cannot_be_is_refused_before_anything_is_read(
    option: str, value: str, run: Command, tmp_path: Path
) -> None:
    done = run("train", "--run", str(tmp_path / "run"), "--busi", str(tmp_path / "nowhere"), option, value)
    assert done.returncode == 2
    assert f"argument {option}: a whole number from" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--busi", ""], ["train", "--set", "mine="], ["build", "--run", ""], ["evaluate", "--own", ""],
        ["evaluate", "--own", "mine="], ["package", "--careful-with", ""], ["duplicates", ""], ["compare", "--out", ""],
        ["calibrate-site", "", "--bundle", "x", "--site", "x"],
    ],
)  # fmt: skip
def test_an_empty_path_is_refused_and_is_not_the_folder_where_one_is(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """``--busi "$BUSI"`` with nothing in the variable took every picture below for BUSI's."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "a path is needed" in (said := capsys.readouterr().err) or "write NAME=DIR" in said


def test_a_run_that_could_not_begin_may_begin_with_other_settings(run: Command, tmp_path: Path) -> None:
    """The folder of a failed first try was refused for ever, though nothing was in it."""
    words = ["train", "--run", str(tmp_path / "run"), "--busi", str(make_busi(tmp_path / "busi"))]
    first = run(*words, "--fold", "99")
    assert "there is no fold 99" in first.stderr
    assert "other settings" not in run(*words, "--fold", "77").stderr


def test_recipes_are_listed_shown_and_checked(run: Command, tmp_path: Path) -> None:
    assert "efficientnet_b7" in run("recipes").stdout
    shown = run("recipes", "show", "efficientnet_b7").stdout
    assert "train --recipe efficientnet_b7" in shown
    own = tmp_path / "own.yaml"
    own.write_text(shown.replace("size: 256", "size: 16"), encoding="utf-8")
    done = run("recipes", "check", str(own))
    assert done.returncode == 2
    assert "picture.size" in done.stderr
    own.write_text(shown.replace("name: efficientnet_b7", "name: mine"), encoding="utf-8")
    assert run("recipes", "check", str(own)).returncode == 0
    assert "recipes are" in run("recipes", "show", "nothing").stderr


def test_a_key_is_made_beside_the_settings_and_no_handheld_trusts_it(run: Command) -> None:
    before = sorted(path.name for path in TRUSTED_KEYS.iterdir())
    done = run("keygen")
    assert done.returncode == 0
    assert "--trust" in done.stdout
    assert sorted(path.name for path in TRUSTED_KEYS.iterdir()) == before
    assert run("keygen").returncode == 2  # a key that is there is not replaced
