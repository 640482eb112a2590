# SPDX-License-Identifier: Apache-2.0
"""Updates of the handheld's own software: one signed file, put beside the release in use, tried, and taken back if bad.

``container`` is the file, ``manifest`` what it says of itself, ``trust`` whose files are taken, ``fit`` whether one is
for this device, ``releases`` what is installed, ``staging`` and ``environment`` put a release beside the old one, and
``guard`` talks to the script that alone decides which release runs (``systemd/update-guard``).
"""
