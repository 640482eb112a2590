# SPDX-License-Identifier: Apache-2.0
"""The demonstration: the whole program without a screen, as a first user starts it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import cv2
import pygame
import pytest
from PIL import Image

from device.capture.phantom.frames import phantom_frame
from device.inference.finding import ModelResult
from device.ui.demo import Demo
from device.ui.session.services import Services
from device.words import Translator
from tests.device.ui.driver import Driver
from tests.patience import PATIENT_S, patient_device

WORDS = [Translator().result(result) for result in ModelResult]


def _run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "SDL_VIDEODRIVER": "dummy"}
    command = patient_device("run", "--demo", *options, besides=["device.ui.demo.LONGEST_WAIT_S"])
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=3 * PATIENT_S)


def test_on_the_phantom_it_prints_a_finding_and_saves_a_picture(tmp_path: Path) -> None:
    done = _run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("phantom: ")
    lines = done.stdout.splitlines()[:3]
    for line, word in zip(lines, ("Benign", "Malignant", "Normal"), strict=True):
        assert f"drawn as: {word} · The model: {word}" in line
    assert "not a diagnosis" in done.stdout
    picture = pygame.image.load(tmp_path / "mammascope-demo.png")
    assert picture.get_size() == (800, 480)
    assert str(tmp_path / "mammascope-demo.png") in done.stdout


def test_on_a_folder_it_reports_every_frame_one_line_each(tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    (frames / "a broken one.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    for name in ("b good.png", "c good.png"):
        cv2.imwrite(str(frames / name), phantom_frame(3, "benign").pixels)
    pages = [Image.fromarray(phantom_frame(seed).pixels) for seed in (1, 2, 3)]
    pages[0].save(frames / "d pages.tif", save_all=True, append_images=pages[1:])
    done = _run(tmp_path, "--frames", "frames", "--screenshot", "shot.png", "--size", "1280x720")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    names = [line.partition(": ")[0] for line in lines[:6]]
    assert names == ["a broken one.png", "b good.png", "c good.png", *(f"d pages.tif #{page}" for page in (1, 2, 3))]
    assert all(any(word in line for word in WORDS) for line in lines[1:6])
    assert "damaged" in lines[0]
    assert pygame.image.load(tmp_path / "shot.png").get_size() == (1280, 720)


def test_a_folder_without_a_picture_that_opens_ends_at_once(tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    (frames / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    done = _run(tmp_path, "--frames", "frames")
    assert done.returncode == 2
    assert done.stdout.startswith("broken.png: ")


def test_nothing_is_left_behind_and_the_first_line_is_the_finding(tmp_path: Path) -> None:
    """Where no display is named at all, as on a server or over SSH."""
    place = tmp_path / "tmp"
    place.mkdir()
    unset = ("SDL_VIDEODRIVER", "XDG_RUNTIME_DIR", "DISPLAY", "WAYLAND_DISPLAY")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[3]), "TMPDIR": str(place)}
    command = patient_device("run", "--demo", besides=["device.ui.demo.LONGEST_WAIT_S"])
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=3 * PATIENT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "XDG_RUNTIME_DIR" not in done.stderr
    assert list(place.glob("mammascope-demo-*")) == []


def test_a_folder_that_is_none_is_an_error_in_words(tmp_path: Path) -> None:
    done = _run(tmp_path, "--frames", "nothing-here")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("nothing-here: ")


def test_it_says_that_it_is_a_demo_and_keeps_a_real_exam(
    driver: Driver, services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = Demo(driver.app, None)
    demo.begin()
    driver.step()
    assert driver.shows("Demo: no real exams. PIN ")
    pin = next(words for words in driver.words() if words.startswith("Demo")).rpartition(" ")[2]
    assert demo.run_unseen(tmp_path / "shot.png") == 0
    assert "saved in an exam" in capsys.readouterr().out
    services.unlocked(services.open_vault(pin))
    (summary,) = services.store.search("DEMO")
    assert len(services.store.get(summary.uid).views) == 1
    services.close()
