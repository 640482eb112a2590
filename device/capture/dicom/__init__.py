# SPDX-License-Identifier: Apache-2.0
"""DICOM files as frames: where the pixel data lies, what it means, its B-mode regions and its scale.

``file.DicomFile`` is the ``FrameFile``. It reads the header (``form.PixelForm``; ``groups`` of
enhanced objects), finds the pixels (``native`` or
``encapsulated``, whose frames ``fragments`` puts together), and holds the header against the stream
(``stream_header.StreamHeader``: where the two contradict each other, the data win or the element is named).
Stored bits become values (``values``), and these what is seen (``shades``, ``colours``, ``palettes``, with ``tables``).
Regions and millimetres come from ``scale`` and ``scale_sources``.
"""
