# SPDX-License-Identifier: Apache-2.0
"""A bundle that is not exactly what was released is refused by the name of what is wrong with it."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from device.errors import (
    BundleError,
    BundleGoldenError,
    BundleHashError,
    BundleMissingError,
    BundleSchemaError,
    BundleSignatureError,
)
from device.inference.bundle import find_bundles, load_bundle, newest_bundle
from tests.device.inference.conftest import Signer


def test_the_shipped_bundle_is_whole_signed_and_reproduced_here(shipped_folder: Path) -> None:
    bundle = load_bundle(shipped_folder)
    assert bundle.manifest.classes == ("normal", "benign", "malignant")
    assert bundle.runtime.input_size == bundle.manifest.preprocessing.input_size


def test_a_changed_file_is_refused(copied: Path) -> None:
    with (copied / "MODEL_CARD.md").open("a", encoding="utf-8") as card:
        card.write("It never errs.\n")
    with pytest.raises(BundleHashError, match=r"MODEL_CARD\.md"):
        load_bundle(copied)


def test_a_missing_file_is_refused(copied: Path) -> None:
    (copied / "golden.npz").unlink()
    with pytest.raises(BundleHashError, match=r"golden\.npz"):
        load_bundle(copied)


def test_a_changed_manifest_is_refused(copied: Path) -> None:
    manifest = copied / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"created"', ' "created"'), encoding="utf-8")
    with pytest.raises(BundleSignatureError):
        load_bundle(copied)


def test_a_signature_by_a_stranger_is_refused(copied: Path, signer: Signer) -> None:
    signer.sign(copied)
    with pytest.raises(BundleSignatureError):
        load_bundle(copied)
    assert load_bundle(copied, trusted_keys=signer.trusted).folder == copied


def test_a_bundle_without_signature_is_refused(copied: Path) -> None:
    (copied / "manifest.sig").unlink()
    with pytest.raises(BundleSignatureError):
        load_bundle(copied)


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sig", "model.tflite"])
@pytest.mark.parametrize("kind", ["pipe", "endless", "huge", "folder"])
def test_what_is_no_file_of_a_bundle_is_refused_and_never_read_whole(copied: Path, name: str, kind: str) -> None:
    path = copied / name
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "endless":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as stream:
            stream.truncate(1 << 40)
    with pytest.raises(BundleError, match=name):
        load_bundle(copied)


def test_an_unknown_key_in_the_manifest_is_named(copied: Path, signer: Signer) -> None:
    signer.sign(copied, lambda manifest: manifest["preprocessing"].update(contrast=2))
    with pytest.raises(BundleSchemaError, match=r"preprocessing\.contrast"):
        load_bundle(copied, trusted_keys=signer.trusted)


def test_a_file_name_that_leaves_the_folder_is_refused(copied: Path, signer: Signer) -> None:
    signer.sign(copied, lambda manifest: manifest["files"].update({"../x": "0" * 64}))
    with pytest.raises(BundleSchemaError, match="plain file name"):
        load_bundle(copied, trusted_keys=signer.trusted)


def test_golden_vectors_that_are_not_reproduced_refuse_the_bundle(copied: Path, signer: Signer) -> None:
    with np.load(copied / "golden.npz") as held:
        arrays = {name: held[name] for name in held.files}
    arrays["cam"] = np.roll(arrays["cam"], 1, axis=-1)
    np.savez(copied / "golden.npz", **arrays)
    signer.sign(copied)
    with pytest.raises(BundleGoldenError):
        load_bundle(copied, trusted_keys=signer.trusted)


def test_a_network_that_is_no_network_is_refused(copied: Path, signer: Signer) -> None:
    network = next(copied.glob("*.tflite"))
    network.write_bytes(b"TFL3" * 100)
    signer.sign(copied)
    with pytest.raises(BundleError):
        load_bundle(copied, trusted_keys=signer.trusted)


def test_the_newest_good_bundle_is_used(copied: Path, signer: Signer) -> None:
    models = copied.parent
    name = copied.name.rpartition("-")[0]
    newer = Path(shutil.copytree(copied, models / f"{name}-99.10.0"))
    Path(shutil.copytree(copied, models / f"{name}-99.9.0"))
    assert [path.name.rpartition("-")[2] for path in find_bundles(models)][:2] == ["99.10.0", "99.9.0"]
    assert newest_bundle(models).folder == newer
    (newer / "manifest.sig").write_bytes(bytes(64))
    assert newest_bundle(models).folder.name.endswith("99.9.0")


def test_a_newer_bundle_of_another_name_never_takes_the_place_of_the_shipped_one(copied: Path) -> None:
    models = copied.parent
    own = Path(shutil.copytree(copied, models / "own-99.0.0"))
    Path(shutil.copytree(copied, models / "mammascope-toy-99.0.0"))
    assert find_bundles(models) == [copied]
    assert newest_bundle(models).folder == copied
    # It is used where its folder is named.
    assert newest_bundle(own).folder == own
    assert find_bundles(own) == [own]


def test_without_a_shipped_bundle_an_own_one_is_not_taken_silently(copied: Path, tmp_path: Path) -> None:
    models = tmp_path / "only-own"
    shutil.copytree(copied, models / "own-1.0.0")
    with pytest.raises(BundleMissingError):
        newest_bundle(models)


def test_a_folder_without_bundles_says_so(tmp_path: Path) -> None:
    with pytest.raises(BundleMissingError, match=re.escape(str(tmp_path))):
        newest_bundle(tmp_path)
