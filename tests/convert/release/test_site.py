# SPDX-License-Identifier: Apache-2.0
"""Both kinds of site adaptation, by their commands, with a tiny network on a hospital that it has never seen."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from convert.__main__ import main
from convert.release.keys import make_signing_key, read_signing_key, read_site_key, site_key_path
from convert.release.package import BundleDraft, write_bundle
from convert.release.site import fit_limits, write_site_profile
from device.capture.phantom.frames import phantom_frame
from device.config import settings_path
from device.errors import SiteProfileError
from device.inference.bundle import load_bundle
from device.inference.classifier import Classifier
from device.inference.finding import Caution
from device.inference.manifest import Abstention, OperatingPoint, Source
from device.inference.site import PROFILE_NAME, SiteSource, installed_profile, read_site_profile, site_keys
from tests.convert.conftest import TINY_CHANNELS
from tests.convert.folders import make_class_folders, phantom_pair
from tests.convert.release.test_package import draft, key, trusted  # noqa: F401 - fixtures

SITE = ["--site", "kisumu"]


@pytest.fixture
def bundle(
    draft: BundleDraft,  # noqa: F811
    key: Ed25519PrivateKey,  # noqa: F811
    trusted: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A bundle to which every scanner is unfamiliar: nothing is refused, everything gets the caution."""
    head = tmp_path / "breast.npz"
    np.savez(
        head,
        mean=np.full(TINY_CHANNELS, 100.0),
        spread=np.ones(TINY_CHANNELS),
        weights0=np.full((TINY_CHANNELS, 1), 1.0),
        bias0=np.array([1.0]),
    )
    source = Source(
        file="breast.npz",
        refuse_below=-1e6,
        familiar_from=-60.0,
        familiar_distance=1e9,
        abstention=Abstention(lower=0.01, upper=0.9),
        breast_loss=0.0,
    )
    changed = replace(draft, source=source, breast_head=head, ood_limit=1e9)
    monkeypatch.setattr("device.inference.bundle.TRUSTED_KEYS", trusted)
    monkeypatch.setattr("device.inference.bundle.load_bundle.__defaults__", (1, trusted))
    assert main(["keygen", "--site"]) == 0
    return write_bundle(changed, tmp_path / "models", key)


def frames(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        cv2.imwrite(str(folder / f"{number}.png"), phantom_pair(number, 1 + number % 2)[0])
    return folder


def test_fifty_frames_make_a_scanner_familiar_and_taking_the_profile_away_undoes_it(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = frames(tmp_path / "frames", 52)
    loaded = load_bundle(bundle)
    # As from a scanner: on a phantom the handheld says first of all that it is one.
    frame = replace(phantom_frame(3, "benign", size=(160, 120)), origin="frame.png")
    before = Classifier(loaded).classify(frame)
    assert before.caution is Caution.UNFAMILIAR_SOURCE
    assert main(["adapt-site", str(site), "--bundle", str(bundle), *SITE]) == 0
    assert "52 frames" in capsys.readouterr().out
    profile = installed_profile(loaded.manifest.label)
    assert profile is not None
    after = Classifier(loaded, site=profile).classify(frame)
    assert after.caution is None
    assert after.probabilities == before.probabilities
    assert after.model == "tiny@0.1.0+kisumu.1"
    settings_path().with_name(PROFILE_NAME).unlink()
    assert installed_profile(loaded.manifest.label) is None


def test_class_folders_make_a_scanner_familiar_too_without_their_masks(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = make_class_folders(tmp_path / "cases", each=26)
    cv2.imwrite(str(cases / "benign" / "benign0_mask.png"), np.zeros((20, 20), np.uint8))
    assert main(["adapt-site", str(cases), "--bundle", str(bundle), *SITE]) == 0
    assert "52 frames" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["adapt-site", "calibrate-site"])
def test_a_missing_key_is_said_with_the_command_that_makes_this_one(
    verb: str, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site_key_path().unlink()
    assert main([verb, str(tmp_path), "--bundle", str(bundle), *SITE]) == 2
    assert "keygen --site`" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--site", "Kisumu Clinic"],
        ["--site", ""],
        *(["--site", "kisumu", "--sensitivity", share] for share in ("95", "0", "-0.9", "nan", "0,95")),
    ],
)
def test_what_cannot_be_a_name_or_a_sensitivity_is_refused_at_once(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["calibrate-site", str(tmp_path), "--bundle", str(tmp_path), *words])
    said = capsys.readouterr().err
    assert f"{words[-2]}: " in said
    assert "for instance" in said


def test_too_few_frames_are_refused_with_the_number_that_is_needed(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adapt-site", str(frames(tmp_path / "frames", 49)), "--bundle", str(bundle), *SITE]) == 2
    assert "50" in capsys.readouterr().err
    assert not settings_path().with_name(PROFILE_NAME).exists()


def test_a_hundred_proven_cases_choose_threshold_and_band_anew_and_keep_the_scanner(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adapt-site", str(frames(tmp_path / "frames", 50)), "--bundle", str(bundle), *SITE]) == 0
    cases = make_class_folders(tmp_path / "cases", each=104)
    assert main(["calibrate-site", str(cases), "--bundle", str(bundle), *SITE, "--sensitivity", "0.9", "--live"]) == 0
    out = capsys.readouterr().out
    assert "before: sensitivity" in out
    assert "after: sensitivity" in out
    loaded = load_bundle(bundle)
    profile = installed_profile(loaded.manifest.label)
    assert profile is not None
    assert profile.version == 2
    assert profile.source is not None
    assert profile.limits is not None
    assert profile.limits.cases == 104
    assert profile.limits.operating_point.sensitivity >= 0.9
    finding = Classifier(loaded, site=profile).classify(phantom_frame(3, "benign", size=(160, 120)))
    assert finding.uncertain_band == (profile.limits.abstention.lower, profile.limits.abstention.upper)


@pytest.fixture
def no_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes on a desk: what can be said before is said before."""

    def looks(*_: object) -> None:
        pytest.fail("the network was asked")

    monkeypatch.setattr("device.inference.classifier.Classifier.classify", looks)
    monkeypatch.setattr("convert.release.site.run_crop", looks)


@pytest.mark.usefixtures("no_looking")
@pytest.mark.parametrize(
    ("benign", "malignant", "said"),
    [
        (20, 20, "40 images of 20 proven cases are too few"),
        (198, 0, "198 images of 99 proven cases are too few"),
        (200, 0, "0 of 100 proven cases are malignant"),
        (200, 38, "19 of 119 proven cases are malignant; a threshold needs 20"),
        (30, 200, "100 of 115 proven cases are malignant; a threshold needs 20"),
    ],
)
def test_too_few_cases_are_refused_before_the_network_looks(
    benign: int, malignant: int, said: str, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = make_class_folders(tmp_path / "cases", each=0)
    rows = ["file,patient"]
    for name, count in (("benign", benign), ("malignant", malignant)):
        for number in range(count):
            (cases / name / f"{number}.png").write_bytes(f"{name} {number}".encode())
            rows.append(f"{name}/{number}.png,{name} {number // 2}")
    (cases / "list.csv").write_text("\n".join(rows), encoding="utf-8")
    assert main(["calibrate-site", str(cases), "--bundle", str(bundle), *SITE]) == 2
    assert said in capsys.readouterr().err
    assert not settings_path().with_name(PROFILE_NAME).exists()


def test_frames_that_are_no_breast_or_no_picture_are_left_out_by_name(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = frames(tmp_path / "frames", 52)
    doppler = cv2.cvtColor(phantom_pair(60, 1)[0], cv2.COLOR_GRAY2BGR)
    doppler[30:90, 40:120] = (0, 0, 255)
    cv2.imwrite(str(site / "doppler.png"), doppler)
    (site / "empty.png").write_bytes(b"")
    command = ["adapt-site", str(site), "--bundle", str(bundle), *SITE]
    assert main(command) == 0
    said = capsys.readouterr()
    assert "left out: 1 frames are not taken for breast B-mode: doppler.png" in said.err
    assert f"left out: {site / 'empty.png'}: " in said.err
    assert "known by 52 frames" in said.out

    for number in range(30):
        cv2.imwrite(str(site / f"doppler{number}.png"), doppler)
    assert main(command) == 2
    assert re.search(r"31 of 83 frames .*doppler.*and 26 more.*take out", capsys.readouterr().err)


@pytest.mark.usefixtures("no_looking")
def test_a_profile_in_the_way_is_named_before_the_network_looks(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, loaded = settings_path().with_name(PROFILE_NAME), load_bundle(bundle)
    nothing = SiteSource(frames=50, mean=(0.0,), spread=(1.0,))
    write_site_profile(path, "nairobi", loaded, read_site_key(), source=nothing)
    before = path.read_bytes()
    for verb in ("adapt-site", "calibrate-site"):
        assert main([verb, str(tmp_path), "--bundle", str(bundle), *SITE]) == 2
        assert "that of nairobi, not of kisumu; move it away" in capsys.readouterr().err
    for public in site_keys().iterdir():
        public.unlink()
    assert main(["adapt-site", str(tmp_path), "--bundle", str(bundle), *SITE]) == 2
    assert "public half" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_a_threshold_chosen_anew_reaches_the_wished_sensitivity_where_the_old_one_does_not() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([1, 2], 300)
    malignant = np.clip(rng.normal(np.where(labels == 2, 0.1, 0.04), 0.03), 0.001, 0.999)
    old = OperatingPoint(
        name="sensitivity_95", malignant_threshold=0.2, target_sensitivity=0.95, sensitivity=0.95, specificity=0.6
    )
    limits, figures = fit_limits(malignant, labels, [str(n) for n in range(600)], old, 0.95, careful=False)
    assert figures.before[0].value < 0.05
    assert figures.after[0].value >= 0.95
    assert figures.after[1].value > 0.5
    assert limits.operating_point.malignant_threshold < 0.1


def test_a_profile_that_was_changed_or_made_for_another_model_is_refused(bundle: Path, tmp_path: Path) -> None:
    assert main(["adapt-site", str(frames(tmp_path / "frames", 50)), "--bundle", str(bundle), *SITE]) == 0
    path = settings_path().with_name(PROFILE_NAME)
    with pytest.raises(SiteProfileError, match=r"other@1\.0\.0"):
        read_site_profile(path, "other@1.0.0")
    assert installed_profile("other@1.0.0") is None
    path.write_text(json.dumps(json.loads(path.read_text()) | {"site": "elsewhere"}), encoding="utf-8")
    with pytest.raises(SiteProfileError, match="signed"):
        read_site_profile(path, "tiny@0.1.0")


def test_another_sites_key_is_not_trusted(bundle: Path, tmp_path: Path) -> None:
    assert main(["adapt-site", str(frames(tmp_path / "frames", 50)), "--bundle", str(bundle), *SITE]) == 0
    make_signing_key(tmp_path / "other.pem", tmp_path / "other" / "key.pub")
    read_signing_key(tmp_path / "other.pem")
    with pytest.raises(SiteProfileError, match="signed"):
        read_site_profile(settings_path().with_name(PROFILE_NAME), "tiny@0.1.0", tmp_path / "other")
