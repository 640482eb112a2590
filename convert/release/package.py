# SPDX-License-Identifier: Apache-2.0
"""Write a bundle: the network, its manifest, golden vectors that prove a runtime right, and a signature.

A bundle appears in ``models/`` whole or not at all: it is made in a hidden folder, loaded there once by the device's
own code with every check that a handheld makes, and only then renamed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from convert.release.keys import public_digits
from convert.report.card import model_card
from convert.report.report import summary
from device.capture.phantom.frames import phantom_frame
from device.files import sync_folder, write_atomically
from device.imaging.preprocess import cut_window, whole_window
from device.imaging.sonogram import find_sonogram
from device.inference.bundle import GOLDEN_NAME, SIGNATURE_NAME, load_bundle
from device.inference.finding import CLASSES
from device.inference.manifest import (
    MANIFEST_NAME,
    SCHEMA_VERSION,
    Abstention,
    Calibration,
    Careful,
    LesionOutline,
    Manifest,
    OodLimit,
    OperatingPoint,
    Preprocessing,
    Source,
    Training,
    Views,
)
from device.inference.runtime import Runtime

NETWORK_NAME, OOD_NAME, CARD_NAME, REPORT_NAME = "model.tflite", "rejection.npz", "MODEL_CARD.md", "figures.json"

_GOLDEN_SCENES: tuple[dict[str, Any], ...] = (
    {"seed": 11, "lesion": None},
    {"seed": 12, "lesion": "benign"},
    {"seed": 13, "lesion": "malignant"},
)
"""Made-up breasts: a bundle is public, so no picture of a patient may be in it."""


class BundleExistsError(ValueError):
    """A bundle of this name and version is there already; a released bundle is never changed, give a new version."""


@dataclass(frozen=True, slots=True)
class BundleDraft:
    """Everything a bundle is made of.

    Attributes:
        name: Lower-case letters, digits and dashes.
        version: ``major.minor.patch``.
        network: The int8 ``.tflite`` file.
        in_distribution: Arrays of the fitted distribution of embeddings.
        preprocessing: How windows are cut.
        calibration: Fitted on the calibration part.
        operating_points: Chosen on the calibration part; for card and report, the device acts on ``abstention``.
        abstention: The uncertain band.
        ood_limit: Largest accepted distance.
        breast_loss: Share of breast frames of the calibration part beyond it.
        lesion: How the mask becomes an outline.
        training: Where the network comes from.
        report: The evaluation (``convert.report.report.evaluate``).
        breast_head: Arrays of the layers that tell breast from everything else, with ``source``.
        source: How their answer is used.
        careful: How a frozen frame is considered.
        further: The networks that it names, by file name.
        views: Limits for several views of a lesion.
    """

    name: str
    version: str
    network: Path
    in_distribution: Path
    preprocessing: Preprocessing
    calibration: Calibration
    operating_points: tuple[OperatingPoint, ...]
    abstention: Abstention
    ood_limit: float
    breast_loss: float
    lesion: LesionOutline
    training: Training
    report: Mapping[str, Any]
    breast_head: Path | None = None
    source: Source | None = None
    careful: Careful | None = None
    further: Mapping[str, Path] = field(default_factory=dict)
    views: Views | None = None


def write_bundle(
    draft: BundleDraft,
    models: Path,
    key: Ed25519PrivateKey,
    replace: bool = False,
) -> Path:
    """Write ``models/<name>-<version>/``.

    Args:
        draft: What goes into it.
        models: The folder of bundles; made if it does not exist.
        key: Signs the manifest.
        replace: Put it in the place of one with the same name and version that was not released yet.

    Returns:
        The bundle's folder.

    Raises:
        BundleExistsError: There is one of this name and version, and ``replace`` is not set.
        BundleError: The device's own checks refuse it; nothing is left behind.
        ValueError: A part is not as the manifest wants it.
    """
    final = models / f"{draft.name}-{draft.version}"
    if not replace:
        require_free_name(models, draft.name, draft.version)
    models.mkdir(parents=True, exist_ok=True)
    # Hidden, so that a device which looks for bundles meanwhile does not see it.
    making = Path(tempfile.mkdtemp(prefix=f".{final.name}.", suffix=".part", dir=models))
    try:
        _fill(making, draft, key)
        _check_as_a_device(making, key)
        making.chmod(0o755)
        _put_in_place(making, final)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return final


def _check_as_a_device(folder: Path, key: Ed25519PrivateKey) -> None:
    """Load a bundle as a device that trusts its key would do."""
    with tempfile.TemporaryDirectory() as trusted:
        (Path(trusted) / "signer.pub").write_text(public_digits(key.public_key()), encoding="ascii")
        load_bundle(folder, trusted_keys=Path(trusted))


def require_free_name(models: Path, name: str, version: str) -> None:
    """Refuse a name and version that another bundle has.

    Raises:
        BundleExistsError: There is one of this name and version.
    """
    final = models / f"{name}-{version}"
    if final.exists():
        raise BundleExistsError(f"{final}: this bundle exists already; give another version")


def golden_vectors(network: Path) -> dict[str, NDArray[Any]]:
    """Pictures, and the outputs that a correct runtime gives for them.

    Args:
        network: The ``.tflite`` file.

    Returns:
        ``pictures`` uint8 (k, size, size) of made-up breasts, and every output by name, (k, ...), as stored by the
        network.
    """
    runtime = Runtime(network)
    pictures = []
    for scene in _GOLDEN_SCENES:
        pixels = find_sonogram(phantom_frame(**scene)).pixels
        window = whole_window(pixels.shape[1], pixels.shape[0])
        pictures.append(cut_window(pixels, window, runtime.input_size))
    raw = [runtime.run_raw(picture) for picture in pictures]
    return {"pictures": np.stack(pictures), **{name: np.stack([each[name] for each in raw]) for name in raw[0]}}


def bundle_megabytes(folder: Path) -> float:
    """Size of all files of a bundle in MB (10^6 bytes)."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) / 1e6


def _fill(folder: Path, draft: BundleDraft, key: Ed25519PrivateKey) -> None:
    """All files: those that the manifest lists, the manifest, and its signature last."""
    contents = {
        NETWORK_NAME: draft.network.read_bytes(),
        OOD_NAME: draft.in_distribution.read_bytes(),
        REPORT_NAME: (json.dumps(draft.report, indent=1, allow_nan=False) + "\n").encode(),
    }
    if draft.source is not None and draft.breast_head is not None:
        contents[draft.source.file] = draft.breast_head.read_bytes()
    contents |= {name: path.read_bytes() for name, path in draft.further.items()}
    for name, content in contents.items():
        write_atomically(folder / name, content, 0o644)
    golden = {NETWORK_NAME: GOLDEN_NAME}
    golden |= {network.file: network.golden for network in draft.careful.further} if draft.careful else {}
    for network, name in golden.items():
        # numpy types the names of its own options only.
        np.savez_compressed(folder / name, **golden_vectors(folder / network))  # type: ignore[arg-type]
        (folder / name).chmod(0o644)
    described = _described(draft)
    write_atomically(folder / CARD_NAME, model_card(described, draft.report).encode(), 0o644)
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
    manifest = Manifest.model_validate(described | {"files": digests})
    signed = (json.dumps(manifest.model_dump(mode="json"), indent=1, allow_nan=False) + "\n").encode()
    write_atomically(folder / MANIFEST_NAME, signed, 0o644)
    write_atomically(folder / SIGNATURE_NAME, key.sign(signed), 0o644)


def _described(draft: BundleDraft) -> dict[str, Any]:
    """The manifest without its list of files."""
    return {
        "schema_version": SCHEMA_VERSION,
        "name": draft.name,
        "version": draft.version,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "network": NETWORK_NAME,
        "classes": CLASSES,
        "preprocessing": draft.preprocessing.model_dump(),
        "calibration": draft.calibration.model_dump(),
        "operating_points": tuple(point.model_dump() for point in draft.operating_points),
        "abstention": draft.abstention.model_dump(),
        "rejection": OodLimit(file=OOD_NAME, limit=draft.ood_limit, breast_loss=draft.breast_loss).model_dump(),
        "lesion": draft.lesion.model_dump(),
        "training": draft.training.model_dump(),
        "figures": summary(draft.report),
        "source": None if draft.source is None else draft.source.model_dump(),
        "careful": None if draft.careful is None else draft.careful.model_dump(),
        "views": None if draft.views is None else draft.views.model_dump(),
    }


def _put_in_place(making: Path, final: Path) -> None:
    """Rename; an older bundle of the same name steps aside first and comes back if that fails."""
    aside = final.with_name(f".{final.name}.old")
    if final.exists():
        shutil.rmtree(aside, ignore_errors=True)
        final.rename(aside)
    try:
        making.rename(final)
    except OSError:
        if aside.exists():
            aside.rename(final)
        raise
    sync_folder(final.parent)
    shutil.rmtree(aside, ignore_errors=True)
