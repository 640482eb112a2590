"""Why a correction or a scale given by hand cannot be used."""

from __future__ import annotations

from device.errors.base import MammascopeError


class CornersError(MammascopeError):
    """Four points that cannot be the corners of a screen (not convex, too small, outside of the picture)."""

    code = "corners"
    sentence = "These four points are not the corners of a screen; drag each one to a corner of the scanner's screen."


class ScaleError(MammascopeError):
    """Two taps on a ruler that cannot give a scale (too close together, a distance that no scanner shows)."""

    code = "scale"
    sentence = "These two taps give no scale; tap two marks of the ruler that lie far apart and check the distance."
