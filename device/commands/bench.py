# SPDX-License-Identifier: Apache-2.0
"""``bench``: how fast the path of a frame is on this very device, stage by stage, and what it costs in memory.

Times are taken on a phantom frame of a scanner's screen size, since no real image ships with the device; what the
stages do does not depend on what the picture shows. The live path is what the screen sees: frame in, finding out.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np

from device.arguments import any_path, frame_size, thread_count, whole_number
from device.capture.frame import Frame
from device.capture.phantom.frames import phantom_frame
from device.config import load_settings, settings_path
from device.imaging.encoded import png
from device.imaging.preprocess import cut_window, whole_window
from device.imaging.sonogram import find_sonogram
from device.inference.bundle import Bundle, newest_bundle
from device.inference.calibration import calibrated
from device.inference.classifier import Classifier, heat_map
from device.inference.outline.contour import describe_lesion
from device.inference.two_stage import run_two_stage

_PNG_LEVEL = 3
"""About what a scanner's export has."""

STAGES = ("decode", "sonogram", "preprocess", "inference", "postprocess", "total")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments."""
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    text = "bundle to use (default: that of the settings, else the newest shipped one)"
    parser.add_argument("--model", type=any_path, metavar="DIR", help=text)
    parser.add_argument(
        "--threads", type=thread_count, default=1, metavar="N", help="threads of one inference (default: 1)"
    )
    parser.add_argument(
        "--repeat", type=whole_number, default=100, metavar="N", help="frames to measure (default: 100)"
    )
    parser.add_argument(
        "--size", type=frame_size, default=(1024, 768), metavar="WxH", help="size of the frame (default: 1024x768)"
    )


def run(args: argparse.Namespace) -> int:
    """Measure and print.

    Raises:
        BundleError: There is no usable model.
    """
    bundle = newest_bundle(args.model or load_settings(settings_path()).models, args.threads)
    width, height = args.size
    frame = phantom_frame(seed=1, lesion="benign", size=(width, height))
    times = measure(bundle, frame, max(5, args.repeat))
    report = {
        "ms": {stage: percentiles(times[stage]) for stage in STAGES},
        "live_fps": round(1000.0 / float(np.mean(times["total"])), 1),
        "frame": [width, height],
        "threads": args.threads,
        "runtime": bundle.runtime.name,
        "model": bundle.manifest.label,
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    if args.json:
        print(json.dumps(report))
    else:
        _print_table(report)
    return 0


def percentiles(times: list[float]) -> dict[str, float]:
    """p50, p95 and p99 of times in milliseconds."""
    values = np.percentile(times, (50, 95, 99))
    return {name: round(float(value), 3) for name, value in zip(("p50", "p95", "p99"), values, strict=True)}


def measure(bundle: Bundle, frame: Frame, repeat: int) -> dict[str, list[float]]:
    """Milliseconds of each stage, ``repeat`` times after a warm-up of three.

    ``total`` is one call of the classifier, measured as a whole and not added up, without decoding; ``inference`` holds
    both passes with the cutting of the second window in between, and ``preprocess`` the cutting of a window once.
    """
    manifest, classifier = bundle.manifest, Classifier(bundle)
    encoded = np.frombuffer(png(frame.pixels, _PNG_LEVEL), np.uint8)
    sonogram = find_sonogram(frame)
    window = whole_window(sonogram.box.w, sonogram.box.h)
    passes = run_two_stage(bundle.runtime, sonogram, manifest.preprocessing, manifest.lesion)

    def postprocess() -> None:
        calibrated(passes, manifest.calibration)
        heat_map(passes.first.cam, passes.window, sonogram.box, 1)
        bundle.in_distribution.distance(passes.first.embedding)
        if passes.contour is not None:
            describe_lesion(passes.contour, sonogram.box, sonogram.spacing)

    stages: dict[str, Callable[[], object]] = {
        "decode": lambda: cv2.imdecode(encoded, cv2.IMREAD_COLOR),
        "sonogram": lambda: find_sonogram(frame),
        "preprocess": lambda: cut_window(sonogram.pixels, window, bundle.runtime.input_size),
        "inference": lambda: run_two_stage(bundle.runtime, sonogram, manifest.preprocessing, manifest.lesion),
        "postprocess": postprocess,
        "total": lambda: classifier.classify(frame),
    }
    times: dict[str, list[float]] = {name: [] for name in stages}
    for round_number in range(-3, repeat):
        for name, stage in stages.items():
            started = time.perf_counter()
            stage()
            if round_number >= 0:
                times[name].append((time.perf_counter() - started) * 1e3)
    return times


def _print_table(report: dict[str, object]) -> None:
    stages = report["ms"]
    assert isinstance(stages, dict)  # noqa: S101 - built above; this tells the type checker
    out = sys.stdout
    out.write(f"{'stage':<12} {'p50 ms':>9} {'p95 ms':>9} {'p99 ms':>9}\n")
    for name, values in stages.items():
        out.write(f"{name:<12} {values['p50']:>9.2f} {values['p95']:>9.2f} {values['p99']:>9.2f}\n")
    for key in ("live_fps", "frame", "threads", "runtime", "model", "peak_memory_mib"):
        out.write(f"{key}: {report[key]}\n")
