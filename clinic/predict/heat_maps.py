# SPDX-License-Identifier: Apache-2.0
"""Heat maps of pictures in the archive, computed again by the clinic's own model: handhelds do not send theirs.

It is the clinic's bundle that speaks here, which may be another version than the handheld's; the page names it.
"""

from __future__ import annotations

import base64

from clinic.archive.client import ArchiveClient, Instance, Picture
from clinic.archive.picture_cache import PictureCache
from clinic.predict.predictor import PredictionError, Predictor


class HeatMaps:
    """Makes and keeps heat maps.

    Args:
        archive: Where pictures come from.
        predictor: Who looks at them.
    """

    def __init__(self, archive: ArchiveClient, predictor: Predictor) -> None:
        self._archive = archive
        self._predictor = predictor
        self._kept = PictureCache(most_bytes=32 * 1024 * 1024)

    def of(self, instance: Instance) -> Picture | None:
        """The heat map of a picture as a layer over it; ``None`` where there is none.

        Raises:
            ArchiveError: The archive cannot be asked.
        """
        try:
            return self._kept.get(instance, lambda: self._make(instance))
        except PredictionError:
            return None

    def _make(self, instance: Instance) -> Picture:
        answer = self._predictor.ask(self._archive.file(instance), {"op": "heat"})
        picture = answer.get("picture")
        if not isinstance(picture, str):
            raise PredictionError("no-heat-map")
        return Picture(base64.b64decode(picture), "image/png")
