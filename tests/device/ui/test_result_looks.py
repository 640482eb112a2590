# SPDX-License-Identifier: Apache-2.0
"""One table for the model's words, on tiles as on the view."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import device.ui
from device.inference.finding import ModelResult
from device.ui.result_looks import RESULT_LOOKS
from device.ui.status import Level
from device.ui.widgets import icon


@pytest.mark.parametrize("result", ModelResult)
def test_every_word_has_a_ground_and_an_icon_of_its_own(result: ModelResult) -> None:
    look = RESULT_LOOKS[result]
    assert look.level is not Level.OK
    assert icon(look.icon, 24, (255, 255, 255)).get_size() == (24, 24)
    assert [other.icon for other in RESULT_LOOKS.values()].count(look.icon) == 1


def test_no_other_place_gives_words_a_level() -> None:
    folder = Path(device.ui.__file__).parent
    table = re.compile(r"ModelResult\.BENIGN: *(?:\((?!\d)|Level|ResultLook)")
    named = [path.name for path in folder.rglob("*.py") if table.search(path.read_text("utf-8"))]
    assert named == ["result_looks.py"]
