# SPDX-License-Identifier: Apache-2.0
"""A bundle: taken by the device's own checks, whole or not there at all, and without any picture of a patient."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from convert.release.keys import make_signing_key, read_signing_key
from convert.release.package import BundleDraft, BundleExistsError, bundle_megabytes, golden_vectors, write_bundle
from convert.report.report import evaluate
from device.capture.phantom.frames import phantom_frame
from device.errors import BundleGoldenError, BundleHashError, BundleSignatureError
from device.inference.bundle import find_bundles, load_bundle
from device.inference.classifier import Classifier
from device.inference.manifest import (
    Abstention,
    Calibration,
    Careful,
    FurtherNetwork,
    LesionOutline,
    Manifest,
    OperatingPoint,
    Preprocessing,
    Training,
)
from tests.convert.conftest import TINY_CHANNELS
from tests.convert.made_up import make_evidence

FILES = {
    "MODEL_CARD.md",
    "figures.json",
    "golden.npz",
    "manifest.json",
    "manifest.sig",
    "model.tflite",
    "rejection.npz",
}


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trusted")


@pytest.fixture(scope="module")
def key(trusted: Path, tmp_path_factory: pytest.TempPathFactory) -> Ed25519PrivateKey:
    private = tmp_path_factory.mktemp("config") / "key.pem"
    make_signing_key(private, trusted / "tests.pub")
    return read_signing_key(private)


@pytest.fixture(scope="module")
def draft(tiny_network: Path, tmp_path_factory: pytest.TempPathFactory) -> BundleDraft:
    in_distribution = tmp_path_factory.mktemp("familiar") / "rejection.npz"
    directions = np.eye(TINY_CHANNELS, dtype=np.float32)[:2]
    np.savez(
        in_distribution, mean=np.zeros(TINY_CHANNELS, np.float32), directions=directions, variances=np.ones(2), rest=1.0
    )
    return BundleDraft(
        name="tiny",
        version="0.1.0",
        network=tiny_network,
        in_distribution=in_distribution,
        preprocessing=Preprocessing(input_size=64, margin=1.8, smallest_window=32),
        calibration=Calibration(
            whole=0.4, lesion=0.6, bias=(0.1, 0.0, -0.1), single_whole=1.0, single_bias=(0.0, 0.0, 0.0)
        ),
        operating_points=(
            OperatingPoint(
                name="sensitivity_95",
                malignant_threshold=0.2,
                target_sensitivity=0.95,
                sensitivity=0.96,
                specificity=0.8,
            ),
        ),
        abstention=Abstention(lower=0.2, upper=0.5),
        ood_limit=3.0,
        breast_loss=0.05,
        lesion=LesionOutline(threshold=0.5, smallest_share=0.0025),
        training=Training(
            datasets={"busi": 600, "uclm": 400},
            split="0123456789abcdef",
            seed=0,
            settings={"network": {"backbone": "mobilenet_v2"}},
            software={"keras": "3.15.1"},
        ),
        report=evaluate(make_evidence(), draws=20),
    )


@pytest.fixture(scope="module")
def written(
    draft: BundleDraft, key: Ed25519PrivateKey, trusted: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return write_bundle(draft, tmp_path_factory.mktemp("bundles") / "models", key)


def test_the_device_takes_the_bundle_and_classifies_with_it(draft: BundleDraft, written: Path, trusted: Path) -> None:
    assert written.name == "tiny-0.1.0"
    assert {path.name for path in written.iterdir()} == FILES
    bundle = load_bundle(written, trusted_keys=trusted)
    assert bundle.manifest.label == "tiny@0.1.0"
    assert bundle.manifest.calibration == draft.calibration
    assert bundle.manifest.operating_points == draft.operating_points
    assert set(bundle.manifest.files) == FILES - {"manifest.json", "manifest.sig"}
    headline = bundle.manifest.figures["folds"]["int8"]["busi"]["auc_malignant_vs_rest"]
    assert headline == draft.report["folds"]["int8"]["sets"]["busi"]["figures"]["auc_malignant_vs_rest"]
    finding = Classifier(bundle).classify(phantom_frame(5, "malignant"))
    assert finding.probabilities is not None
    assert sum(finding.probabilities.values()) == pytest.approx(1.0)
    assert json.loads((written / "figures.json").read_text()) == draft.report
    assert find_bundles(written) == [written]
    assert 0 < bundle_megabytes(written) < 2


def test_anybody_on_the_device_may_read_the_bundle(written: Path) -> None:
    assert written.stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_mode & 0o777 for path in written.iterdir()} == {0o644}


@pytest.mark.parametrize("name", ["model.tflite", "rejection.npz", "figures.json", "MODEL_CARD.md"])
def test_a_changed_file_is_refused(written: Path, trusted: Path, tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(written, tmp_path / written.name))
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(BundleHashError, match=name):
        load_bundle(folder, trusted_keys=trusted)


def test_what_a_new_key_signs_is_written_and_no_device_takes_it_before_its_owner_says_so(
    draft: BundleDraft, trusted: Path, tmp_path: Path
) -> None:
    folder = write_bundle(draft, tmp_path / "models", Ed25519PrivateKey.generate())
    with pytest.raises(BundleSignatureError):
        load_bundle(folder, trusted_keys=trusted)
    with pytest.raises(BundleSignatureError):
        load_bundle(folder)


def test_a_released_bundle_stays_and_a_failed_replacement_leaves_it(
    draft: BundleDraft,
    key: Ed25519PrivateKey,
    written: Path,
    trusted: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = Path(shutil.copytree(written, tmp_path / written.name))
    with pytest.raises(BundleExistsError, match="another version"):
        write_bundle(draft, tmp_path, key)
    other = replace(draft, ood_limit=4.0)
    wrong = golden_vectors(draft.network)
    wrong["cam"] = np.roll(wrong["cam"], 1, axis=0) // 2 + 40
    with monkeypatch.context() as patched:
        patched.setattr("convert.release.package.golden_vectors", lambda network: wrong)
        with pytest.raises(BundleGoldenError):
            write_bundle(other, tmp_path, key, replace=True)
    assert load_bundle(folder, trusted_keys=trusted).manifest.rejection.limit == 3.0
    write_bundle(other, tmp_path, key, replace=True)
    assert load_bundle(folder, trusted_keys=trusted).manifest.rejection.limit == 4.0
    assert [path.name for path in tmp_path.iterdir()] == ["tiny-0.1.0"]


def test_what_the_manifest_does_not_allow_is_refused(
    draft: BundleDraft, key: Ed25519PrivateKey, trusted: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="version"):
        write_bundle(replace(draft, version="1.0"), tmp_path / "models", key)
    assert list((tmp_path / "models").iterdir()) == []


def test_golden_pictures_are_made_up_differ_and_come_out_the_same_again(draft: BundleDraft) -> None:
    first, second = golden_vectors(draft.network), golden_vectors(draft.network)
    assert {name: values.dtype for name, values in first.items()} == {
        "pictures": np.uint8,
        "cam": np.int8,
        "mask": np.int8,
        "embedding": np.int8,
    }
    for name, values in first.items():
        assert np.array_equal(values, second[name])
    assert len(np.unique(first["pictures"].reshape(len(first["pictures"]), -1), axis=0)) == len(first["pictures"]) == 3
    assert first["pictures"].std() > 10


def test_a_bundle_with_several_networks_tests_each_and_considers_carefully(
    draft: BundleDraft, key: Ed25519PrivateKey, trusted: Path, tmp_path: Path
) -> None:
    second = FurtherNetwork(
        file="model-2.tflite",
        golden="golden-2.npz",
        preprocessing=draft.preprocessing,
        calibration=draft.calibration.model_copy(update={"bias": (0.5, 0.0, -0.5), "single_bias": (0.5, 0.0, -0.5)}),
    )
    careful = Careful(
        further=(second,),
        mirrored=True,
        zooms=(1.0, 0.9),
        operating_points=draft.operating_points,
        abstention=draft.abstention,
        spread_limit=9.0,
    )
    several = replace(draft, careful=careful, further={"model-2.tflite": draft.network})
    folder = write_bundle(several, tmp_path / "models", key)
    bundle = load_bundle(folder, trusted_keys=trusted)
    assert len(bundle.further) == 1
    frame = phantom_frame(5, "malignant")
    quick, slow = (Classifier(bundle).classify(frame, careful=careful) for careful in (False, True))
    assert quick.probabilities is not None
    assert slow.probabilities is not None
    assert slow.probabilities["normal"] > quick.probabilities["normal"]
    assert slow.spread is not None
    assert slow.spread > 0
    golden = dict(np.load(folder / "golden-2.npz"))
    golden["cam"] = np.clip(golden["cam"].astype(int) + 40, -128, 127).astype(np.int8)
    np.savez(folder / "golden-2.npz", **golden)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["golden-2.npz"] = hashlib.sha256((folder / "golden-2.npz").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "manifest.sig").write_bytes(key.sign((folder / "manifest.json").read_bytes()))
    with pytest.raises(BundleGoldenError, match="golden-2"):
        load_bundle(folder, trusted_keys=trusted)


def test_a_manifest_of_the_first_schema_is_still_read_and_may_not_hold_what_came_later(written: Path) -> None:
    manifest = json.loads((written / "manifest.json").read_text())
    old = {name: value for name, value in manifest.items() if name not in ("source", "careful", "views")}
    assert Manifest.model_validate(old | {"schema_version": 1}).source is None
    point = manifest["operating_points"][0]
    views = {"operating_point": point, "abstention": manifest["abstention"]}
    with pytest.raises(ValueError, match="schema_version 2"):
        Manifest.model_validate(old | {"schema_version": 1, "views": views})
