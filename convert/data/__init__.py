# SPDX-License-Identifier: Apache-2.0
"""The images that a model learns from and is judged by: readers of public sets, near copies, and grouped splits.

A reader turns one set's layout into samples (``datasets``), a file becomes a frame (``images``), near copies are found
(``duplicates``), groups are kept together (``splits``), and the device's own code cuts the sonogram out of each image
(``corpus``).
"""
