# SPDX-License-Identifier: Apache-2.0
"""The marks on a picture: outline, long axis, callipers and heat map, the same on screen, on paper and in DICOM.

``styles`` is the one table of colours, dashes, end marks and letters; ``annotations`` draws marks into pixels, and
``lettering`` writes the letters and words that belong to them. The screen draws its own marks (it moves and zooms) from
the same table.
"""
