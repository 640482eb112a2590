# SPDX-License-Identifier: Apache-2.0
"""Classify every picture of a folder: ``python examples/classify_folder.py FOLDER``.

Decoders meet files of unknown origin in a process of their own (``SandboxedReader``); a file that cannot be read costs
one line on standard error.
"""

from __future__ import annotations

import sys
from pathlib import Path

from device.capture.files.listing import list_images
from device.capture.sandbox.reader import SandboxedReader
from device.config import MODELS
from device.errors import FrameError
from device.inference.bundle import newest_bundle
from device.inference.classifier import Classifier


def main(folder: Path) -> None:
    """Print one line a frame: the file, the result, and the probability of malignant."""
    classifier = Classifier(newest_bundle(MODELS))
    with SandboxedReader() as reader:
        for path in list_images(folder):
            try:
                for frame in reader.read_frames(path):
                    finding = classifier.classify(frame)
                    malignant = "" if finding.probabilities is None else f"{finding.probabilities['malignant']:.3f}"
                    print(path.name, frame.index, finding.result.value, malignant)
            except FrameError as error:
                print(error, file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/classify_folder.py FOLDER")
    try:
        main(Path(sys.argv[1]))
    except FrameError as error:
        sys.exit(str(error))
