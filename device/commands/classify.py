# SPDX-License-Identifier: Apache-2.0
"""``classify``: findings of image files without a screen, one line a picture; the JSON form is a contract.

Files are done in the order given and each result is printed at once, so that a long list can be followed and a reader
can stop it. A file that cannot be read costs one line on standard error and the exit status, never the other files.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from device.arguments import any_path, thread_count
from device.capture.files.listing import MOST, images_below
from device.capture.sandbox.reader import SandboxedReader
from device.config import load_settings, settings_path
from device.errors import MammascopeError, NotAnImageError
from device.imaging.pictures import pictures
from device.inference.bundle import newest_bundle
from device.inference.classifier import Classifier
from device.inference.finding import Caution, Finding
from device.inference.site import installed_profile
from device.shown_text import written_out

EXIT_UNREADABLE = 2

_CAUTIONS = {
    Caution.UNFAMILIAR_SOURCE: "unlike the scanners that the model was trained on: trust it less",
    Caution.SINGLE_VIEW: "from a single view",
    Caution.SCALE_CONTRADICTED: "the scale in the file contradicts itself or the picture: lengths are in pixels",
    Caution.PHANTOM: "a made-up breast for practice, no patient",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments."""
    parser.add_argument("paths", nargs="+", type=any_path, metavar="PATH", help="image, DICOM file, video, or a folder")
    parser.add_argument("--json", action="store_true", help="one JSON object a picture and line")
    text = "bundle to use (default: that of the settings, else the newest shipped one)"
    parser.add_argument("--model", type=any_path, metavar="DIR", help=text)
    speed = parser.add_mutually_exclusive_group()
    text = "take the time for all networks of the bundle, as a frozen frame gets (default)"
    speed.add_argument("--careful", action="store_true", default=True, help=text)
    text = "one network, as the live picture gets"
    speed.add_argument("--live", action="store_false", dest="careful", help=text)
    parser.add_argument(
        "--threads", type=thread_count, default=1, metavar="N", help="threads of one inference (default: 1)"
    )


def run(args: argparse.Namespace) -> int:
    """Classify everything that was named.

    Returns:
        0 if every path could be read, 2 if any could not.

    Raises:
        BundleError: There is no usable model.
    """
    bundle = newest_bundle(args.model or load_settings(settings_path()).models, args.threads)
    classifier = Classifier(bundle, args.careful, installed_profile(bundle.manifest.label))
    unreadable = False

    def refused(error: MammascopeError) -> None:
        nonlocal unreadable
        _complain(error)
        unreadable = True

    # Decoders meet files of unknown origin here: one that crashes must not take the command with it.
    with SandboxedReader() as reader:
        for path in args.paths:
            try:
                files = _files_of(path, refused)
            except MammascopeError as error:
                refused(error)
                continue
            for file in files[:MOST]:
                unreadable |= not _classify_file(classifier, reader, file, args.json)
            if len(files) > MOST:
                text = f"{path}: more than {MOST} files; the others were left out, name the folders in it"
                print(written_out(text), file=sys.stderr, flush=True)
                unreadable = True
    return EXIT_UNREADABLE if unreadable else 0


def _files_of(path: Path, refused: Callable[[MammascopeError], None]) -> list[Path]:
    """What a path stands for: a folder for the images in it and in the folders below, in natural order.

    Args:
        path: As it was named.
        refused: Told of each folder below that cannot be read.

    Raises:
        FrameError: The folder cannot be read, or holds no image: saying nothing would look like a finding of nothing.
    """
    if not path.is_dir():
        return [path]
    files = images_below(path, most=MOST + 1, refused=refused)
    if not files:
        raise NotAnImageError(path, "a folder without images")
    return files


def _classify_file(classifier: Classifier, reader: SandboxedReader, file: Path, as_json: bool) -> bool:
    """Print the findings of one file; ``False`` when it could not be read to its end."""
    try:
        for index, region, several, finding in _findings(classifier, reader, file):
            contract = finding.to_json_dict(str(file), index, region)
            print(json.dumps(contract) if as_json else _sentence(contract, several), flush=True)
    except MammascopeError as error:
        _complain(error)
        return False
    return True


def _complain(error: MammascopeError) -> None:
    print(written_out(str(error)), file=sys.stderr, flush=True)


def _findings(classifier: Classifier, reader: SandboxedReader, file: Path) -> Iterator[tuple[int, int, bool, Finding]]:
    """Number of the frame, number of the picture in it, whether it has several, and what the model says of this one."""
    for frame in reader.read_frames(file):
        found = pictures(frame)
        for region, picture in enumerate(found):
            yield frame.index, region, len(found) > 1, classifier.classify(picture)


def _sentence(finding: dict[str, object], several: bool) -> str:
    """One line for a person."""
    place = written_out(str(finding["file"])) + (f" frame {finding['frame']}" if finding["frame"] else "")
    place += f" picture {int(str(finding['region'])) + 1}" if several else ""
    if finding["reason"] is not None:
        return f"{place}: not evaluable ({str(finding['reason']).replace('_', ' ')})"
    probabilities = finding["probabilities"]
    assert isinstance(probabilities, dict)  # noqa: S101 - to_json_dict wrote it; this tells the type checker
    shares = ", ".join(f"{name} {share:.0%}" for name, share in probabilities.items())
    caution = f"; {_CAUTIONS[Caution(str(finding['caution']))]}" if finding["caution"] is not None else ""
    return f"{place}: {finding['result']} ({shares}){caution}; research and triage support, not a diagnosis"
