# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pygame
import pytest

from device.ui.pointer import MOUSE_ID, ROTATIONS, Phase, PointerReader
from tests.device.ui.waits import to_panel


def _finger(kind: int, x: float, y: float) -> pygame.event.Event:
    return pygame.event.Event(kind, finger_id=7, x=x, y=y)


@pytest.mark.parametrize("rotation", ROTATIONS)
@pytest.mark.parametrize("pos", [(0, 0), (5, 300), (799, 1), (123, 456)])
def test_a_finger_hits_the_pixel_it_touches_at_every_rotation(rotation: int, pos: tuple[int, int]) -> None:
    reader = PointerReader((800, 480), rotation)
    if rotation in (90, 270):
        assert reader.logical == (480, 800)
        pos = (pos[1], pos[0])
    x, y = to_panel(reader, pos)
    pointer = reader.read(_finger(pygame.FINGERDOWN, x, y))
    assert pointer is not None
    assert (pointer.phase, pointer.id, pointer.pos) == (Phase.DOWN, 7, pos)


def test_the_picture_turned_clockwise_puts_its_top_left_corner_at_the_top_right_of_the_panel() -> None:
    pointer = PointerReader((800, 480), 90).read(_finger(pygame.FINGERDOWN, 0.999, 0.001))
    assert pointer is not None
    assert pointer.pos == (0, 0)


def test_the_mouse_that_sdl_makes_of_a_finger_is_ignored() -> None:
    reader = PointerReader((800, 480), 0)
    event = pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=(10, 10), button=1, touch=True)
    assert reader.read(event) is None


def test_the_left_mouse_button_is_a_finger_and_hovering_is_nothing() -> None:
    reader = PointerReader((800, 480), 0)
    move = pygame.event.Event(pygame.MOUSEMOTION, pos=(20, 20), touch=False)
    assert reader.read(move) is None
    right = pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=(10, 10), button=3, touch=False)
    assert reader.read(right) is None
    down = reader.read(pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=(10, 10), button=1, touch=False))
    assert down is not None
    assert (down.id, down.pos) == (MOUSE_ID, (10, 10))
    dragged = reader.read(move)
    assert dragged is not None
    assert dragged.phase is Phase.MOVE


def test_a_rotation_by_another_angle_is_refused() -> None:
    with pytest.raises(ValueError, match="rotation"):
        PointerReader((800, 480), 45)
