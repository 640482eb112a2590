# SPDX-License-Identifier: Apache-2.0
"""Why a correction or a scale given by hand cannot be used."""

from __future__ import annotations

from device.errors.base import MammascopeError


class CornersError(MammascopeError):
    """Four points that cannot be the corners of a screen (not convex, too small, outside of the picture)."""

    code = "corners"


class ScaleError(MammascopeError):
    """Two taps on a ruler that cannot give a scale (too close together, a distance that no scanner shows)."""

    code = "scale"
