# SPDX-License-Identifier: Apache-2.0
"""OOD pictures: every kind in both halves, no picture in both, and a broken file stops nothing."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from convert.data.ood_images import Half, ood_sonograms


def test_the_halves_share_no_picture_and_every_kind_is_in_both(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for kind, count in (("muscle", 5), ("photographs", 2)):
        (tmp_path / kind).mkdir()
        for number in range(count):
            picture = rng.integers(0, 256, (120, 160), dtype=np.uint8)
            assert cv2.imwrite(str(tmp_path / kind / f"{number}.png"), picture)
    (tmp_path / "muscle" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "empty").mkdir()
    halves = [ood_sonograms(tmp_path, half) for half in Half]
    assert [{kind: len(found) for kind, found in half.items()} for half in halves] == [
        {"muscle": 3, "photographs": 1},
        {"muscle": 2, "photographs": 1},
    ]
    seen = [{s.pixels.tobytes() for found in half.values() for s in found} for half in halves]
    assert len(seen[0] | seen[1]) == 7
