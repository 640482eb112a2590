# SPDX-License-Identifier: Apache-2.0
"""Runs on the handheld under test: takes an exam as the app would, from a frame in a file.

python make_exam.py FRAME PIN < /dev/null      # the records are where MAMMASCOPE_CONFIG says
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from device.capture.files.reader import read_frames
from device.config import load_settings, settings_path
from device.inference.bundle import newest_bundle
from device.inference.classifier import Classifier
from device.records.exam import Laterality, Patient, View
from device.records.keys.vault import Vault
from device.records.store.store import Store
from device.records.uids import new_uids

OPERATOR = "Asha"


def main(frame_file: Path, pin: str) -> None:
    settings = load_settings(settings_path())
    folder = settings.data_dir / "records"
    frame = next(read_frames(frame_file))
    finding = Classifier(newest_bundle(settings.models)).classify(frame)
    uids = new_uids()
    view = View(uids.uid, uids.derived_uids, frame, finding, datetime.now(UTC), Laterality.LEFT, clock_position=2)
    vault = Vault.create(folder, pin, OPERATOR)
    store = Store.open(folder, vault)
    exam = store.begin_exam(Patient("KB-0042", "Nobody"), OPERATOR, clock_trusted=True)
    exam = store.finalise(store.save_view(exam, view))
    store.close()
    vault.lock()
    print(exam.uid)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
