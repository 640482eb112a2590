# SPDX-License-Identifier: Apache-2.0
"""What every test may ask for: the public data beside the checkout, and a screen that needs no screen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]

# Before anything imports pygame: tests draw into memory. To watch, set the variable.
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")


def shared_folder() -> Path | None:
    """Where the public data and backbones lie, or ``None`` when they are not on this machine."""
    named = os.environ.get("MAMMASCOPE_SHARED")
    folder = Path(named) if named else CHECKOUT.parent / "shared"
    return folder if (folder / "data").is_dir() else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder that holds ``data/`` and ``backbones/``; tests that need it skip by name where it is absent."""
    folder = shared_folder()
    if folder is None:
        pytest.skip("public data not found: set MAMMASCOPE_SHARED or put it into ../shared beside the checkout")
    return folder


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The top folder of the checkout."""
    return CHECKOUT


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the settings and exams of the user who runs it."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.delenv("MAMMASCOPE_DATA", raising=False)
    monkeypatch.delenv("MAMMASCOPE_CONFIG", raising=False)
