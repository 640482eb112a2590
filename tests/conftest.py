# SPDX-License-Identifier: Apache-2.0
"""What every test may ask for: the public data beside the checkout, and a screen that needs no screen."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from device.capture.phantom.frames import PhantomScene

CHECKOUT = Path(__file__).resolve().parents[1]

LONGEST_FIRST = (
    "tests/convert/compare/test_command.py",
    "tests/convert/train/test_fit.py",
    "tests/convert/train/test_distil.py",
    "tests/convert/train/test_network.py",
    "tests/systemd/test_install.py",
    "tests/convert/compare/test_engine.py",
    "tests/convert/train/test_recipe_fit.py",
    "tests/convert/compare/test_one_recipe.py",
    "tests/test_setup.py",
    "tests/device/ui/test_random_touch.py",
    "tests/clinic/web/test_main.py",
    "tests/clinic/web/test_routes.py",
    "tests/clinic/test_run.py",
)
"""Files that take tens of seconds. One that begins last, when there is nothing else left, is waited for alone.

The two that start workers with a TensorFlow of their own are apart, for the sake of memory.
"""

# Before anything imports pygame: tests draw into memory. To watch, set the variable.
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")


def shared_folder() -> Path | None:
    """Where the public data and backbones lie, or ``None`` when they are not on this machine."""
    named = os.environ.get("MAMMASCOPE_SHARED")
    folder = Path(named) if named else CHECKOUT.parent / "shared"
    return folder if (folder / "data").is_dir() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first; the order of everything else stays."""
    place = {CHECKOUT / name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


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


@functools.cache
def _once(draw: Callable[..., PhantomScene]) -> Callable[..., PhantomScene]:
    """The same, drawn at the first call; nobody can write into what it gives."""

    @functools.lru_cache(maxsize=256)
    def drawn(*arguments: Any, **named: Any) -> PhantomScene:
        scene = draw(*arguments, **named)
        scene.lesion.flags.writeable = False
        return scene

    return drawn


@pytest.fixture(autouse=True)
def _phantoms_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A phantom follows from its arguments alone and takes a fifth of a second; hundreds of tests show the same few."""
    frames = sys.modules.get("device.capture.phantom.frames")
    if frames is not None:
        monkeypatch.setattr(frames, "phantom_scene", _once(frames.phantom_scene))
