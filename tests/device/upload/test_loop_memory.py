# SPDX-License-Identifier: Apache-2.0
"""A long loop goes its whole way (card, outbox, clinic, stick) without ever standing in memory as a whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.device.upload.real_archive import RealArchive

FRAMES = 256
LOOP_MIB = 64
"""What the frames have unpacked; noise, so that they have no less when they are packed."""

MOST_MIB = 24


def grown_mib(*step: str | Path) -> float:
    command = [sys.executable, "-m", "tests.device.upload.loop_work", *map(str, step)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return float(done.stdout.split()[0])


@pytest.fixture(scope="module")
def final(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """Records with a long loop that is final, and what finalising took."""
    folder = tmp_path_factory.mktemp("loop") / "records"
    assert grown_mib("make", folder, str(FRAMES)) < MOST_MIB
    return folder, grown_mib("finalise", folder)


def test_finalising_a_long_loop_holds_a_part_of_it_at_a_time(final: tuple[Path, float]) -> None:
    folder, grown = final
    assert max(file.stat().st_size for file in (folder / "outbox").iterdir()) > LOOP_MIB << 20
    assert grown < MOST_MIB


def test_exporting_a_long_loop_holds_a_part_of_it_at_a_time(final: tuple[Path, float], tmp_path: Path) -> None:
    assert grown_mib("export", final[0], tmp_path) < MOST_MIB
    assert max(file.stat().st_size for file in tmp_path.rglob("*-loop.dcm")) > LOOP_MIB << 20


def test_backing_up_a_long_loop_holds_a_part_of_it_at_a_time(final: tuple[Path, float], tmp_path: Path) -> None:
    assert grown_mib("back-up", final[0], tmp_path) < MOST_MIB


def test_sending_a_long_loop_holds_a_part_of_it_at_a_time(
    final: tuple[Path, float], archive: RealArchive, tmp_path: Path
) -> None:
    site = tmp_path / "site.json"
    access = {"authority": archive.authority, "user": "device-test", "password": archive.password}
    site.write_text(json.dumps({"url": archive.url, "access": access}))
    assert grown_mib("send", final[0], site) < MOST_MIB
