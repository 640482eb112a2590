# SPDX-License-Identifier: Apache-2.0
"""Widgets that list, scroll and lay out pages."""
