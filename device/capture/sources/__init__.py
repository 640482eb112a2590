# SPDX-License-Identifier: Apache-2.0
"""Sources of frames, live or stepped: cameras, grabbers, folders and sticks, and what brings a lost one back.

``source.FrameSource`` is all that a driver has to be: ``open``, ``read``, ``close``. ``supervisor.SupervisedSource``
reads it on a thread and shows its newest frame and its ``state``. To add a driver, write one file beside ``v4l2`` and
name it in ``discover`` (``examples/new_source.py`` is a whole one).
"""
