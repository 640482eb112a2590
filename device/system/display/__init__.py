# SPDX-License-Identifier: Apache-2.0
"""The panel: which screen there is (``screen``), how bright it is (``backlight``), and whether a finger reaches it.

Each brings its check for ``doctor``; the brightness is also set here.
"""
