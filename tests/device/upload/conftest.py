# SPDX-License-Identifier: Apache-2.0
"""A real archive for all upload tests, and records with a device that is unlocked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.device.upload.device_records import Records
from tests.device.upload.real_archive import RealArchive, running_archive


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealArchive]:
    """Orthanc behind nginx, started once; skips by name where they are not installed."""
    with running_archive(tmp_path_factory.mktemp("clinic")) as running:
        yield running


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Empty records of a device."""
    made = Records(tmp_path / "records")
    yield made
    made.close()
