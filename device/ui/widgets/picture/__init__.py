# SPDX-License-Identifier: Apache-2.0
"""Widgets that show a picture and what is drawn over it."""
