# SPDX-License-Identifier: Apache-2.0
"""Every example runs as its first line says."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import cv2
import pytest

from device.capture.phantom.frames import IN_DISTRIBUTION_SEED, phantom_frame
from device.upload.receipt import ConfirmedInstance, Receipt


def started(checkout: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(checkout / "examples" / name), *arguments],
        env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )


def run_example(checkout: Path, name: str, *arguments: str) -> str:
    done = started(checkout, name, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_folder_is_classified(checkout: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "breast.png"), phantom_frame(IN_DISTRIBUTION_SEED, "benign").pixels)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    lines = run_example(checkout, "classify_folder.py", str(tmp_path)).splitlines()
    assert [line.split()[0] for line in lines] == ["breast.png"]


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("classify_folder.py", (), "usage: "),
        ("classify_folder.py", ("no such folder",), "no such folder: "),
        ("read_receipt.py", (), "usage: "),
    ],
)
def test_a_wrong_argument_costs_one_line(checkout: Path, name: str, arguments: tuple[str, ...], said: str) -> None:
    done = started(checkout, name, *arguments)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(said)


def test_a_new_source_is_watched(checkout: Path) -> None:
    assert "160 x 120" in run_example(checkout, "new_source.py")


def test_a_receipt_is_read(checkout: Path, tmp_path: Path) -> None:
    confirmed = ConfirmedInstance("2.25.7", "ab" * 32, "https://clinic.example/7", datetime(2025, 3, 4, tzinfo=UTC))
    path = tmp_path / "receipt.json"
    path.write_text(Receipt("2.25.1", "https://clinic.example", (confirmed,)).to_json(), "utf-8")
    assert "1 instances confirmed" in run_example(checkout, "read_receipt.py", str(path))


def test_the_model_is_used_without_the_app(checkout: Path) -> None:
    printed = run_example(checkout, "model_without_app.py")
    assert all(name in printed for name in ("normal", "benign", "malignant"))


def test_every_example_is_tried(checkout: Path) -> None:
    tried = Path(__file__).read_text("utf-8")
    names = [path.name for path in (checkout / "examples").glob("*.py")]
    assert names
    assert [name for name in names if f'"{name}"' not in tried] == []
