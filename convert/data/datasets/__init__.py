# SPDX-License-Identifier: Apache-2.0
"""The public data sets in their official layouts, each read by one module into the same kind of ``Sample``.

A sample names the picture, its masks, its class, and the group (patient, case or near copies) that a split must not
tear apart. ``known`` says which sets there are and what their terms allow; ``class_folders`` reads a hospital's own.
"""
