# SPDX-License-Identifier: Apache-2.0
"""Fit a bundle to a clinic: to its scanner without labels, and to its proven cases (``device.inference.site``).

Both run on the clinic's desk with the shipped bundle as it is; what they write is a small signed file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from convert.data.corpus import load_examples
from convert.data.datasets.class_folders import load_class_folders
from convert.data.datasets.sample import UNKNOWN
from convert.evaluate.agreement import share_with_interval
from convert.evaluate.intervals import Estimate
from convert.evaluate.metrics import MALIGNANT
from convert.release.calibrate import operating_point, uncertain_band
from device.capture.files.listing import list_images
from device.capture.files.reader import read_frames
from device.errors import FrameError
from device.files import write_atomically
from device.imaging.preprocess import whole_window
from device.imaging.sonogram import Sonogram, find_sonogram
from device.inference.bundle import Bundle
from device.inference.classifier import Classifier
from device.inference.manifest import OperatingPoint
from device.inference.site import (
    LEAST_CASES,
    LEAST_FRAMES,
    SIGNATURE_SUFFIX,
    SiteLimits,
    SiteProfile,
    SiteSource,
    read_site_profile,
)
from device.inference.two_stage import run_crop

MOST_REFUSED = 0.3
"""Largest share of a site's frames that the bundle may refuse before adaptation: with more it is likelier that other
things than breasts came in than that the scanner is odd."""


class TooFewError(ValueError):
    """There are too few frames or cases to choose anything on; the message says how many are needed."""


class NotOnlyBreastsError(ValueError):
    """The bundle refuses too many of the frames as not breast ultrasound; the message says how many."""


@dataclass(frozen=True, slots=True)
class SiteFigures:
    """Sensitivity and specificity on the site's cases before and after, each with its interval."""

    before: tuple[Estimate, Estimate]
    after: tuple[Estimate, Estimate]


def fit_source(bundle: Bundle, sonograms: Sequence[Sonogram]) -> SiteSource:
    """Mean and spread of the embeddings of a site's frames.

    Raises:
        TooFewError: There are fewer than 50.
        NotOnlyBreastsError: The bundle refuses too many of them.
    """
    if len(sonograms) < LEAST_FRAMES:
        raise TooFewError(f"{len(sonograms)} frames are too few to know a scanner by; give {LEAST_FRAMES} or more")
    classifier = Classifier(bundle)
    embeddings, refused = [], 0
    for sonogram in sonograms:
        height, width = sonogram.pixels.shape
        first = run_crop(bundle.runtime, sonogram, whole_window(width, height))
        reason, _ = classifier.judge(sonogram, first)
        refused += reason is not None
        if reason is None:
            embeddings.append(first.embedding)
    if refused > MOST_REFUSED * len(sonograms):
        raise NotOnlyBreastsError(
            f"{refused} of {len(sonograms)} frames are not taken for breast B-mode; take out what is none"
        )
    if len(embeddings) < LEAST_FRAMES:
        raise TooFewError(f"only {len(embeddings)} frames can be used; give {LEAST_FRAMES} or more")
    known = np.array(embeddings, np.float64)
    return SiteSource(
        frames=len(known), mean=tuple(known.mean(axis=0).tolist()), spread=tuple(known.std(axis=0).tolist())
    )


def fit_limits(
    malignant: NDArray[np.float64],
    labels: NDArray[np.int64],
    groups: Sequence[str],
    before: OperatingPoint,
    sensitivity: float,
    careful: bool,
) -> tuple[SiteLimits, SiteFigures]:
    """Choose threshold and band again, on a site's proven cases.

    Args:
        malignant: Malignant probabilities of its images, (n,).
        labels: Their classes, (n,).
        groups: Their cases, (n,).
        before: The bundle's own operating point.
        sensitivity: What the site wishes.
        careful: Whether the probabilities are those of careful consideration.

    Raises:
        TooFewError: There are fewer than 100 cases.
    """
    cases = len(set(groups))
    if cases < LEAST_CASES:
        raise TooFewError(
            f"{cases} proven cases are too few: with less than {LEAST_CASES} a new threshold would be a matter of luck"
        )
    point = operating_point(malignant, labels, sensitivity)
    band = uncertain_band(malignant, labels, point.malignant_threshold).abstention
    limits = SiteLimits(cases=cases, careful=careful, operating_point=point, abstention=band)
    names = np.array(groups)
    return limits, SiteFigures(
        _at(malignant, labels, names, before.malignant_threshold),
        _at(malignant, labels, names, point.malignant_threshold),
    )


def _at(
    malignant: NDArray[np.float64], labels: NDArray[np.int64], groups: NDArray[np.str_], threshold: float
) -> tuple[Estimate, Estimate]:
    truth, called = labels == MALIGNANT, malignant >= threshold
    return (
        share_with_interval(called[truth], groups[truth]),
        share_with_interval(~called[~truth], groups[~truth]),
    )


def answers_of(bundle: Bundle, folder: Path, careful: bool) -> tuple[NDArray[np.float64], NDArray[np.int64], list[str]]:
    """Malignant probabilities, classes and cases of a site's labelled images, by the device's own path.

    Raises:
        DatasetError: The folder is not one of class folders.
    """
    samples = [s for s in load_class_folders("site", folder) if s.label != UNKNOWN]
    classifier = Classifier(bundle, careful)
    malignant = []
    for example in load_examples(samples):
        said = classifier.classify(example.frame).probabilities
        malignant.append(said["malignant"] if said is not None else 1.0)
    return np.array(malignant), np.array([s.label for s in samples]), [s.group for s in samples]


def sonograms_of(folder: Path) -> list[Sonogram]:
    """The sonograms of a folder of frames, or of class folders without their masks; what cannot be read is left out."""
    found = []
    frames = list_images(folder)
    for path in frames or [sample.image for sample in load_class_folders("site", folder)]:
        try:
            found += [find_sonogram(frame) for frame in read_frames(path)]
        except FrameError:
            continue
    return found


def write_site_profile(
    path: Path,
    site: str,
    bundle: Bundle,
    key: Ed25519PrivateKey,
    source: SiteSource | None = None,
    limits: SiteLimits | None = None,
) -> SiteProfile:
    """Write and sign the next profile of a site; everything else in the present one is kept.

    Raises:
        SiteProfileError: The key is not one that devices trust.
        ValueError: The site's name is not in small letters, digits and dashes.
    """
    present = None
    model = bundle.manifest.label
    if path.exists():
        present = read_site_profile(path, model)
    profile = SiteProfile(
        site=site,
        version=1 if present is None else present.version + 1,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        model=model,
        source=source or (present.source if present else None),
        limits=limits or (present.limits if present else None),
    )
    content = (profile.model_dump_json(indent=1) + "\n").encode()
    write_atomically(path.with_name(path.name + SIGNATURE_SUFFIX), key.sign(content), 0o644)
    write_atomically(path, content, 0o644)
    return read_site_profile(path, model)
