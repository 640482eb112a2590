# SPDX-License-Identifier: Apache-2.0
"""Stored frames: what a file is by its content, what a folder offers, and pictures and loops read frame by frame.

``content`` looks at the first bytes and never at the name, ``reader.open_frames`` opens what was found as a
``FrameFile`` (``image_file``, ``video.file``, or DICOM), and ``listing`` puts a folder into the order in which a
person counts. ``limits`` says what is too large for this board.
"""
