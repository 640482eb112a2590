# SPDX-License-Identifier: Apache-2.0
"""Whether a compressed picture is whole, judged before it is shown.

Decoders fill what is missing or damaged with grey, black or the rows before, and call it success. ``jpeg``, ``png``,
``tiff``, ``webp`` and ``used_up`` ask what the decoders do not say: whether the coded data ended where the picture did,
whether any part is left out, and whether its checksums are right.
"""
