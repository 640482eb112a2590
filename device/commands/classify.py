"""``classify``: findings of image files without a screen, one line a frame; the JSON form is a contract.

Files are done in the order given and each result is printed at once, so that a long list can be followed and a reader
can stop it. A file that cannot be read costs one line on standard error and the exit status, never the other files.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from device.capture.listing import list_images
from device.capture.sandbox import SandboxedReader
from device.config import load_settings, settings_path
from device.errors import MammascopeError
from device.inference.bundle import newest_bundle
from device.inference.classifier import Classifier
from device.inference.finding import Finding

EXIT_UNREADABLE = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="image, DICOM file, video, or a folder")
    parser.add_argument("--json", action="store_true", help="one JSON object a frame and line")
    parser.add_argument("--model", type=Path, metavar="DIR", help="bundle to use (default: the newest in models/)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads of one inference (default: 1)")


def run(args: argparse.Namespace) -> int:
    """Classify everything that was named.

    Returns:
        0 if every path could be read, 2 if any could not.

    Raises:
        BundleError: There is no usable model.
    """
    classifier = Classifier(newest_bundle(args.model or load_settings(settings_path()).models, args.threads))
    unreadable = False
    # Decoders meet files of unknown origin here: one that crashes must not take the command with it.
    with SandboxedReader() as reader:
        for path in args.paths:
            try:
                files = _files_of(path)
            except MammascopeError as error:
                print(error, file=sys.stderr)
                unreadable = True
                continue
            for file in files:
                unreadable |= not _classify_file(classifier, reader, file, args.json)
    return EXIT_UNREADABLE if unreadable else 0


def _files_of(path: Path) -> list[Path]:
    return sorted(list_images(path)) if path.is_dir() else [path]


def _classify_file(classifier: Classifier, reader: SandboxedReader, file: Path, as_json: bool) -> bool:
    """Print the findings of one file; ``False`` when it could not be read to its end."""
    try:
        for index, finding in _findings(classifier, reader, file):
            contract = finding.to_contract(str(file), index)
            print(json.dumps(contract) if as_json else _sentence(contract), flush=True)
    except MammascopeError as error:
        print(error, file=sys.stderr, flush=True)
        return False
    return True


def _findings(classifier: Classifier, reader: SandboxedReader, file: Path) -> Iterator[tuple[int, Finding]]:
    for frame in reader.read_frames(file):
        yield frame.index, classifier.classify(frame)


def _sentence(finding: dict[str, object]) -> str:
    """One line for a person."""
    place = f"{finding['file']}" + (f" frame {finding['frame']}" if finding["frame"] else "")
    if finding["reason"] is not None:
        return f"{place}: not evaluable ({str(finding['reason']).replace('_', ' ')})"
    probabilities = finding["probabilities"]
    assert isinstance(probabilities, dict)  # noqa: S101 - to_contract wrote it; this tells the type checker
    shares = ", ".join(f"{name} {share:.0%}" for name, share in probabilities.items())
    return f"{place}: {finding['assessment']} ({shares}); research and triage support, not a diagnosis"
