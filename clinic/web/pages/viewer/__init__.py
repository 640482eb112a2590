# SPDX-License-Identifier: Apache-2.0
"""Pictures: the archive's own rendering through this application, with outlines, axes and callipers as SVG over it."""
