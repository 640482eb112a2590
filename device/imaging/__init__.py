# SPDX-License-Identifier: Apache-2.0
"""From the frame to what the network and the clinician look at.

In reading order: ``source_geometry.SourceGeometry`` straightens a frame whose place on the scanner's screen is known;
``sonogram.find_sonogram`` cuts the B-mode picture out of a frame (a ``Sonogram``), and ``pictures`` all of them where
a screen shows several; ``scale`` decides whether a frame's millimetres can be believed; ``quality`` says why a
picture cannot be judged; ``preprocess`` cuts the ``Window`` that the network gets, in training as on the handheld.
``enhance`` and ``marks`` are for the eye only: what they do never reaches the network.
"""
