# SPDX-License-Identifier: Apache-2.0
"""The self-check as a technician sees it: sentences, advice, an exit status, and the same as JSON."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.commands.doctor import FontCheck, ModelCheck, print_words, run_checks
from device.config import MODELS
from device.errors import BundleMissingError
from device.inference.bundle import find_bundles
from device.inference.site import (
    PROFILE_NAME,
    SIGNATURE_SUFFIX,
    SiteProfile,
    SiteSource,
    profile_path,
    site_keys,
)
from device.system.check import CheckResult, CheckStatus

NAMES = {
    "Settings",
    "Python",
    "Memory",
    "Storage",
    "Records",
    "Power",
    "Temperature",
    "Clock",
    "Runtime",
    "Model",
    "Decoders",
    "Screen",
    "Touch",
    "Fonts",
    "Video input",
    "Camera",
    "Stick",
    "Network",
    "Clinic",
    "Services",
}


def doctor(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "device", "doctor", *words]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


def test_json_is_one_object_and_the_exit_status_is_its_verdict(checkout: Path, tmp_path: Path) -> None:
    done = doctor(checkout, "--json", "--settings", str(tmp_path / "none.toml"))
    said = json.loads(done.stdout)
    assert done.stderr == ""
    assert {check["name"] for check in said["checks"]} == NAMES
    failed = [check for check in said["checks"] if check["status"] == "fail"]
    assert said["ok"] == (not failed)
    assert done.returncode == (1 if failed else 0)


def test_a_wrong_settings_file_fails_by_name_and_the_other_checks_still_run(checkout: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "settings.toml"
    wrong.write_text("[display]\nrotaton = 90\n")
    done = doctor(checkout, "--settings", str(wrong))
    assert done.returncode == 1
    assert "display.rotaton" in done.stdout
    assert "Python 3" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("with a warning.")


def test_a_wrong_address_fails_by_name_and_the_rest_of_the_settings_count(checkout: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "settings.toml"
    wrong.write_text('[site]\nclinic_url = "https://localhost:94433/"\n[model]\nbundle = "/nowhere"\n')
    done = doctor(checkout, "--json", "--settings", str(wrong))
    assert done.returncode == 1
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert {found[name]["status"] for name in ("Settings", "Clinic", "Model")} == {"fail"}
    assert "site.clinic_url" in found["Settings"]["sentence"]


def test_help_says_what_the_exit_status_means(checkout: Path) -> None:
    done = doctor(checkout, "--help")
    for line in ("0  nothing has failed", "1  at least one check has failed", "2  the arguments"):
        assert line in done.stdout


def test_a_broken_library_cannot_keep_it_from_looking(checkout: Path) -> None:
    code = "import sys, device.commands.doctor; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"numpy", "cv2", "pygame", "pydicom", "cryptography", "PIL", "ai_edge_litert"}


@dataclass(frozen=True)
class Broken:
    error: Exception
    name: str = "Broken"

    def run(self) -> CheckResult:
        raise self.error


@dataclass(frozen=True)
class Fine:
    name: str = "Fine"

    def run(self) -> CheckResult:
        return CheckResult(self.name, CheckStatus.OK, "Good.")


def test_one_check_that_breaks_does_not_hide_the_others() -> None:
    results = run_checks(
        [Broken(PermissionError(13, "Permission denied")), Broken(BundleMissingError("models")), Fine()]
    )
    assert [result.status for result in results] == [CheckStatus.FAIL, CheckStatus.FAIL, CheckStatus.OK]
    assert "Permission denied" in results[0].sentence
    assert results[1].sentence == str(BundleMissingError("models"))


def test_advice_stands_below_its_sentence_and_lines_fit(capsys: pytest.CaptureFixture[str]) -> None:
    results = [
        CheckResult("Clock", CheckStatus.WARN, "wrong " * 20, "set it " * 20),
        CheckResult("A", CheckStatus.OK, "B"),
    ]
    print_words(results, width=60)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[0].startswith("warning  Clock")
    assert any(line.strip().startswith("-> set it") for line in lines)
    assert lines[-1] == "0 failed, 1 with a warning."


def test_missing_fonts_are_named_with_how_to_get_them(tmp_path: Path) -> None:
    result = FontCheck((tmp_path,)).run()
    assert result.status is CheckStatus.WARN
    assert "NotoSansTamil-Regular.ttf" in result.sentence
    assert "fonts-noto-core" in result.advice


@pytest.fixture
def shipped() -> Path:
    bundles = find_bundles(MODELS)
    if not bundles:
        pytest.skip("no model bundle in models/")
    return bundles[0]


def test_the_shipped_model_runs_here_and_gives_its_golden_results(shipped: Path) -> None:
    result = ModelCheck(MODELS).run()
    assert result.status is CheckStatus.OK, result.sentence
    assert shipped.name.rpartition("-")[0] in result.sentence


def test_a_changed_model_is_a_failure(shipped: Path, tmp_path: Path) -> None:
    changed = shutil.copytree(shipped, tmp_path / shipped.name)
    network = changed / "model.tflite"
    content = bytearray(network.read_bytes())
    content[len(content) // 2] ^= 0xFF
    network.write_bytes(content)
    (result,) = run_checks([ModelCheck(tmp_path)])
    assert result.status is CheckStatus.FAIL
    assert "changed" in result.sentence


def test_a_refused_newer_model_is_a_warning_and_the_good_one_is_named(shipped: Path, tmp_path: Path) -> None:
    shutil.copytree(shipped, tmp_path / shipped.name)
    newer = shutil.copytree(shipped, tmp_path / f"{shipped.name.rpartition('-')[0]}-999.0.0")
    (newer / "model.tflite").write_bytes(b"")
    result = ModelCheck(tmp_path).run()
    assert result.status is CheckStatus.WARN
    assert "newer one is refused" in result.sentence


def sign_profile(model: str, private: Ed25519PrivateKey) -> None:
    source = SiteSource(frames=50, mean=(0.0,), spread=(1.0,))
    content = SiteProfile(site="kisumu", version=3, created="today", model=model, source=source).model_dump_json()
    profile_path().parent.mkdir(parents=True, exist_ok=True)
    profile_path().write_text(content, encoding="utf-8")
    profile_path().with_name(PROFILE_NAME + SIGNATURE_SUFFIX).write_bytes(private.sign(content.encode()))


def test_the_site_profile_is_named_and_one_that_is_not_used_is_a_warning(shipped: Path) -> None:
    """After an update with a newer model, a threshold that the site has chosen must not vanish without a word."""
    private = Ed25519PrivateKey.generate()
    sign_profile(shipped.name.replace("-", "@"), private)
    unsigned = ModelCheck(shipped).run()
    assert unsigned.status is CheckStatus.WARN
    assert "without the site's profile" in unsigned.sentence
    site_keys().mkdir(parents=True)
    (site_keys() / "site.pub").write_text(private.public_key().public_bytes_raw().hex(), encoding="ascii")
    used = ModelCheck(shipped).run()
    assert used.status is CheckStatus.OK
    assert f"{shipped.name.replace('-', '@')}+kisumu.3 gives" in used.sentence
    sign_profile("mammascope@0.1.0", private)
    older = ModelCheck(shipped).run()
    assert older.status is CheckStatus.WARN
    assert "made for mammascope@0.1.0" in older.sentence


def test_no_model_at_all_is_a_failure(tmp_path: Path) -> None:
    (result,) = run_checks([ModelCheck(tmp_path)])
    assert (result.status, "No model was found" in result.sentence) == (CheckStatus.FAIL, True)
