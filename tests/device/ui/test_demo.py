"""The demonstration: the whole program without a screen, as a first user starts it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import cv2
import pygame
import pytest

from device.capture.phantom import phantom_frame
from device.inference.finding import Assessment
from device.ui.demo import Demo
from device.ui.locale import Translator
from device.ui.services import Services
from device.ui.testing import Driver
from tests.patience import PATIENT_S, patient_device

WORDS = [Translator().assessment(assessment) for assessment in Assessment]


def _run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "SDL_VIDEODRIVER": "dummy"}
    command = patient_device("run", "--demo", *options, besides=["device.ui.demo.LONGEST_WAIT_S"])
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=3 * PATIENT_S)


def test_on_the_phantom_it_prints_a_finding_and_saves_a_picture(tmp_path: Path) -> None:
    done = _run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("phantom: ")
    assert any(word in done.stdout for word in WORDS)
    assert "not a diagnosis" in done.stdout
    picture = pygame.image.load(tmp_path / "mammascope-demo.png")
    assert picture.get_size() == (800, 480)
    assert str(tmp_path / "mammascope-demo.png") in done.stdout


def test_on_a_folder_it_opens_the_first_picture_that_opens(tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    (frames / "a broken one.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    cv2.imwrite(str(frames / "b good.png"), phantom_frame(3, "benign").pixels)
    done = _run(tmp_path, "--frames", "frames", "--screenshot", "shot.png", "--size", "1280x720")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("b good.png: ")
    assert pygame.image.load(tmp_path / "shot.png").get_size() == (1280, 720)


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
    assert str(services.data_dir) in capsys.readouterr().out
    services.unlocked(services.open_vault(pin))
    (summary,) = services.store.search("DEMO")
    assert len(services.store.get(summary.uid).views) == 1
    services.close()
