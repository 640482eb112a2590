# SPDX-License-Identifier: Apache-2.0
"""Findings of the shipped bundle on real frames."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from device.capture.files.reader import read_frames
from device.capture.frame import Box, Frame, PixelSpacing
from device.capture.phantom.frames import IN_DISTRIBUTION_SEED, PhantomSource, phantom_frame
from device.imaging.preprocess import Window
from device.inference.bundle import Bundle
from device.inference.classifier import Classifier, heat_map
from device.inference.finding import CLASSES, Caution, ModelResult


@pytest.fixture
def classifier(shipped: Bundle) -> Classifier:
    return Classifier(shipped)


def test_a_phantom_is_said_to_be_one_before_anything_about_its_scale(classifier: Classifier) -> None:
    frame = replace(phantom_frame(IN_DISTRIBUTION_SEED), spacing=None, scale_contradicted=True)
    assert classifier.classify(frame).caution is Caution.PHANTOM
    assert classifier.classify(replace(frame, origin="scan.dcm")).caution is Caution.SCALE_CONTRADICTED
    assert classifier.classify(replace(frame, origin="scan.dcm", scale_contradicted=False)).caution is None


def test_real_frames_get_sensible_findings(classifier: Classifier, shared: Path) -> None:
    named = [(path, path.stem.split()[1]) for path in sorted((shared / "data" / "frames").glob("*.png"))]
    findings = [(classifier.classify(next(iter(read_frames(path)))), label) for path, label in named]
    for finding, _ in findings:
        assert finding.probabilities is not None
        assert sum(finding.probabilities.values()) == pytest.approx(1.0)
    score = {
        label: [f.probabilities["malignant"] for f, of in findings if of == label and f.probabilities]
        for label in CLASSES
    }
    # These frames were in the training sets, so this asks only whether the whole path is connected the right way round.
    assert min(float(np.mean(score["malignant"])), 1.0) > 0.5
    assert np.mean(score["benign"]) < 0.3
    assert np.mean(score["normal"]) < 0.2
    outlined = [f for f, label in findings if label != "normal" and f.lesion is not None]
    assert len(outlined) >= 12


def test_a_lesion_is_outlined_where_it_was_drawn(classifier: Classifier, shared: Path) -> None:
    folder = shared / "data" / "Dataset_BUSI_with_GT" / "malignant"
    overlaps = []
    for path in sorted(folder.glob("malignant (*).jpg"))[::2]:
        mask = cv2.imread(str(folder / f"{path.stem}_mask.png"), cv2.IMREAD_GRAYSCALE)
        assert mask is not None
        finding = classifier.classify(next(iter(read_frames(path))))
        found = np.zeros_like(mask)
        if finding.lesion is not None:
            cv2.fillPoly(found, [np.rint(finding.lesion.contour).astype(np.int32)], 255)
        overlaps.append(2 * np.sum((found > 0) & (mask > 0)) / (np.sum(found > 0) + np.sum(mask > 0)))
    assert np.mean(overlaps) > 0.6


def test_the_scale_gives_millimetres(classifier: Classifier, shared: Path) -> None:
    path = shared / "data" / "frames" / "busi malignant (82).png"
    plain = next(iter(read_frames(path)))
    scaled = Frame(plain.pixels.copy(), plain.origin, spacing=PixelSpacing(0.1, 0.1))
    lesion = classifier.classify(scaled).lesion
    assert lesion is not None
    assert lesion.long_axis_mm == pytest.approx(lesion.long_axis_px * 0.1)
    without = classifier.classify(plain).lesion
    assert without is not None
    assert without.long_axis_mm is None


def test_the_operators_region_is_where_the_second_look_goes(classifier: Classifier, shared: Path) -> None:
    frame = next(iter(read_frames(shared / "data" / "frames" / "busi benign (106).png")))
    alone = classifier.classify(frame)
    steered = classifier.classify(frame, operator_region=Box(10, 500, 200, 150))
    assert alone.probabilities != steered.probabilities


@pytest.mark.parametrize("level", [0, 255, 128])
def test_frames_without_a_picture_are_not_evaluable_but_computed(classifier: Classifier, level: int) -> None:
    finding = classifier.classify(Frame(np.full((300, 400), level, np.uint8), "flat"))
    assert finding.result is ModelResult.NOT_EVALUABLE
    assert finding.reason is not None
    assert finding.probabilities is not None


def test_most_foreign_pictures_are_turned_away(classifier: Classifier, shared: Path) -> None:
    paths = sorted((shared / "data" / "ood").rglob("*.*"))
    findings = [classifier.classify(next(iter(read_frames(p)))) for p in paths if p.suffix in {".jpg", ".png"}]
    assert sum(f.evaluable for f in findings) < 0.2 * len(findings)


def test_the_demonstration_shows_findings_and_not_refusals(classifier: Classifier) -> None:
    frozen = [
        phantom_frame(IN_DISTRIBUTION_SEED, "benign"),
        phantom_frame(IN_DISTRIBUTION_SEED, "malignant"),
        phantom_frame(IN_DISTRIBUTION_SEED),
    ]
    words = [classifier.classify(frame).result for frame in frozen]
    assert words == [ModelResult.BENIGN, ModelResult.MALIGNANT, ModelResult.NORMAL]
    live = PhantomSource(paced=False)
    live.open()
    frames = [frame for _ in range(175) if (frame := live.read())]  # from one end of the breast to the other
    findings = [classifier.classify(frame) for frame in frames[::25]]
    assert {(found.result, found.cautions) for found in findings} == {(ModelResult.BENIGN, (Caution.PHANTOM,))}
    assert all(found.lesion is not None for found in findings)


def test_every_caution_that_holds_is_said_the_gravest_first(classifier: Classifier) -> None:
    frame = replace(phantom_frame(IN_DISTRIBUTION_SEED), spacing=None, scale_contradicted=True)
    finding = classifier.classify(frame)
    assert finding.caution is Caution.PHANTOM
    assert finding.cautions == (Caution.PHANTOM, Caution.SCALE_CONTRADICTED)
    assert finding.to_json_dict("a", 0)["cautions"] == ["phantom", "scale_contradicted"]
    plain = classifier.classify(replace(frame, scale_contradicted=False))
    assert plain.to_json_dict("a", 0)["cautions"] == ["phantom"]


def test_a_finding_is_the_same_again(classifier: Classifier) -> None:
    frame = phantom_frame(seed=5, lesion="benign")
    one, other = classifier.classify(frame), classifier.classify(frame)
    assert one.probabilities == other.probabilities
    assert one.lesion == other.lesion


def test_the_heat_map_covers_the_sonogram_and_points_at_the_place() -> None:
    cam = np.zeros((7, 7, 3), np.float32)
    cam[1, 5, 2] = 9.0
    sonogram = Box(30, 40, 400, 300)
    heat = heat_map(cam, Window(0, -50, 400), sonogram, 2)
    y, x = np.unravel_index(int(heat.argmax()), heat.shape)
    assert heat.shape[1] / heat.shape[0] == pytest.approx(4 / 3, rel=0.05)
    assert x / heat.shape[1] == pytest.approx(5.5 / 7, abs=0.08)
    # Row 1 of 7 of the window is at 1.5 / 7 * 400 - 50 = 36 of the sonogram's 300 rows.
    assert y / heat.shape[0] == pytest.approx(36 / 300, abs=0.08)
