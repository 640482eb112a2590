# SPDX-License-Identifier: Apache-2.0
"""Screens of where frames come from: sources, the live picture, imports, and the geometry of a scanner's screen."""
