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
from rich.progress import track

from convert.data.corpus import load_examples
from convert.data.datasets.class_folders import load_class_folders
from convert.data.datasets.sample import UNKNOWN, Sample, few
from convert.data.images import delivered_frame
from convert.evaluate.agreement import share_with_interval
from convert.evaluate.intervals import Estimate
from convert.evaluate.metrics import MALIGNANT
from convert.release.calibrate import operating_point, uncertain_band
from convert.release.keys import public_digits
from device.capture.files.listing import list_images
from device.capture.files.reader import read_frames
from device.errors import FrameError, SiteProfileError
from device.files import write_atomically
from device.imaging.preprocess import whole_window
from device.imaging.sonogram import Sonogram, find_sonogram
from device.inference.bundle import Bundle, read_trusted_keys
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
    site_keys,
)
from device.inference.two_stage import run_crop

MOST_REFUSED = 0.3
"""Largest share of a site's frames that the bundle may refuse before adaptation: with more it is likelier that other
things than breasts came in than that the scanner is odd."""


LEAST_OF_EACH = 20
"""Malignant cases, and others: with fewer, one case alone moves the share of its kind by more than the 5 % that a
wished sensitivity of 0.95 leaves."""


class TooFewError(ValueError):
    """There are too few frames or cases to choose anything on; the message says how many are needed."""


class OtherSiteError(ValueError):
    """The profile that is there is another site's; the message says what to do."""


class NotOnlyBreastsError(ValueError):
    """The bundle refuses too many of the frames as not breast ultrasound; the message says how many."""


@dataclass(frozen=True, slots=True)
class SiteFrames:
    """What was found in a site's folder.

    Attributes:
        sonograms: Each with the name of its file.
        unreadable: Why each of the other files could not be read.
    """

    sonograms: tuple[tuple[str, Sonogram], ...]
    unreadable: tuple[FrameError, ...]


@dataclass(frozen=True, slots=True)
class SiteFigures:
    """Sensitivity and specificity on the site's cases before and after, each with its interval."""

    before: tuple[Estimate, Estimate]
    after: tuple[Estimate, Estimate]


def fit_source(bundle: Bundle, sonograms: Sequence[tuple[str, Sonogram]]) -> tuple[SiteSource, list[str]]:
    """Mean and spread of the embeddings of a site's frames, and the names of those that were left out.

    Frames that are no breast B-mode for the bundle are left out, as long as they are few.

    Args:
        bundle: The bundle that the site uses.
        sonograms: Of its frames, each with the name of its file.

    Raises:
        TooFewError: There are fewer than 50.
        NotOnlyBreastsError: The bundle refuses too many of them.
    """
    if len(sonograms) < LEAST_FRAMES:
        raise TooFewError(f"{len(sonograms)} frames are too few to know a scanner by; give {LEAST_FRAMES} or more")
    classifier = Classifier(bundle)
    embeddings: list[NDArray[np.float32]] = []
    refused: list[str] = []
    for name, sonogram in track(sonograms, "looking at frames"):
        height, width = sonogram.pixels.shape
        first = run_crop(bundle.runtime, sonogram, whole_window(width, height))
        reason, _ = classifier.judge(sonogram, first)
        if reason is None:
            embeddings.append(first.embedding)
        else:
            refused.append(name)
    out_of = f"{len(refused)} of {len(sonograms)} frames are not taken for breast B-mode ({few(refused)})"
    if len(refused) > MOST_REFUSED * len(sonograms):
        raise NotOnlyBreastsError(f"{out_of}; take out what is none")
    if len(embeddings) < LEAST_FRAMES:
        raise TooFewError(f"{out_of}; {len(embeddings)} are too few, add others until {LEAST_FRAMES} are left")
    known = np.array(embeddings, np.float64)
    mean, spread = known.mean(axis=0), known.std(axis=0)
    return SiteSource(frames=len(known), mean=tuple(mean.tolist()), spread=tuple(spread.tolist())), refused


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
    """
    cases = len(set(groups))
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


def proven_cases(samples: Sequence[Sample]) -> list[Sample]:
    """Those of a site's images whose class is known, if there are enough to choose a threshold on.

    Raises:
        TooFewError: There are fewer than 100 cases, or too few malignant or other ones among them.
    """
    proven = [s for s in samples if s.label != UNKNOWN]
    cases = {s.group for s in proven}
    malignant = {s.group for s in proven if s.label == MALIGNANT}
    if len(cases) < LEAST_CASES:
        text = f"{len(proven)} images of {len(cases)} proven cases are too few"
        raise TooFewError(f"{text}: a threshold chosen on fewer than {LEAST_CASES} is a matter of luck")
    if min(len(malignant), len(cases - malignant)) < LEAST_OF_EACH:
        text = f"{len(malignant)} of {len(cases)} proven cases are malignant"
        raise TooFewError(f"{text}; a threshold needs {LEAST_OF_EACH} or more of these and of the others")
    return proven


def answers_of(bundle: Bundle, samples: Sequence[Sample], careful: bool) -> NDArray[np.float64]:
    """Malignant probabilities of a site's labelled images, (n,), read and judged as the device does it.

    Raises:
        DatasetError: Images cannot be read.
    """
    classifier = Classifier(bundle, careful)
    malignant = []
    for example in track(load_examples(samples, read=delivered_frame), "looking at cases"):
        said = classifier.classify(example.frame).probabilities
        malignant.append(said["malignant"] if said is not None else 1.0)
    return np.array(malignant)


def sonograms_of(folder: Path) -> SiteFrames:
    """The sonograms of a folder of frames, or of class folders without their masks.

    Raises:
        DatasetError: There is neither.
        FrameError: The folder cannot be read.
    """
    found: list[tuple[str, Sonogram]] = []
    unreadable: list[FrameError] = []
    frames = list_images(folder)
    for path in track(frames or [sample.image for sample in load_class_folders("site", folder)], "reading frames"):
        try:
            found += [(path.name, find_sonogram(frame)) for frame in read_frames(path)]
        except FrameError as error:
            unreadable.append(error)
    return SiteFrames(tuple(found), tuple(unreadable))


def present_profile(path: Path, site: str, bundle: Bundle, key: Ed25519PrivateKey) -> SiteProfile | None:
    """The profile that a new one goes on from, ``None`` where there is none; to be asked before the minutes of a fit.

    Args:
        path: Where the profile is, or will be.
        site: Name of the site.
        bundle: What the profile is for.
        key: What the new one will be signed with.

    Raises:
        SiteProfileError: It cannot be used with this bundle, or the key is not one that devices of this site trust.
        OtherSiteError: It is another site's.
    """
    if public_digits(key.public_key()) not in {public_digits(each) for each in read_trusted_keys(site_keys())}:
        raise SiteProfileError(site_keys(), "the public half of the site's key is not there")
    if not path.exists():
        return None
    present = read_site_profile(path, bundle.manifest.label)
    if present.site != site:
        text = f"this profile is that of {present.site}, not of {site}; move it away, or write another with --out"
        raise OtherSiteError(f"{path}: {text}")
    return present


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
        SiteProfileError: As for :func:`present_profile`.
        OtherSiteError: As for :func:`present_profile`.
        ValueError: The site's name is not in small letters, digits and dashes.
    """
    present = present_profile(path, site, bundle, key)
    profile = SiteProfile(
        site=site,
        version=1 if present is None else present.version + 1,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        model=bundle.manifest.label,
        source=source or (present.source if present else None),
        limits=limits or (present.limits if present else None),
    )
    content = (profile.model_dump_json(indent=1) + "\n").encode()
    write_atomically(path.with_name(path.name + SIGNATURE_SUFFIX), key.sign(content), 0o644)
    write_atomically(path, content, 0o644)
    return read_site_profile(path, bundle.manifest.label)
