# SPDX-License-Identifier: Apache-2.0
"""What a long loop costs on its way from the card to the clinic and to a stick: memory and time of each step.

python -m tests.system.measure_loop [MEBIBYTES]

Each step runs in a process of its own (``tests.device.upload.loop_work``); memory is the highest resident set above
that of the same step with two frames. Frames are noise of 512 x 512 pixels, which nothing compresses: the worst case.
The archive is a real one, started for this.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.device.upload.real_archive import RealArchive, installation

STEPS = ("make", "finalise", "export", "back-up", "send")


def main(mebibytes: int) -> None:
    """Do every step and print a line for each."""
    programs = installation()
    if programs is None:
        sys.exit("orthanc, orthanc-dicomweb and nginx are not installed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for place in ("export", "back-up", "clinic"):
            (folder / place).mkdir()
        archive = RealArchive(folder / "clinic", programs)
        archive.start()
        access = {"authority": archive.authority, "user": "device-test", "password": archive.password}
        (folder / "site.json").write_text(json.dumps({"url": archive.url, "access": access}))
        arguments = {
            "make": str(4 * mebibytes),
            "finalise": "",
            "export": str(folder / "export"),
            "back-up": str(folder / "back-up"),
            "send": str(folder / "site.json"),
        }
        print(f"loop of {mebibytes} MiB")
        try:
            for step in STEPS:
                command = [sys.executable, "-m", "tests.device.upload.loop_work", step, str(folder / "records")]
                done = subprocess.run([*command, arguments[step]], stdout=subprocess.PIPE, text=True, check=True)
                grown, seconds = done.stdout.split()
                print(f"{step:10} {grown:>8} MiB {seconds:>8} s", flush=True)
        finally:
            archive.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
