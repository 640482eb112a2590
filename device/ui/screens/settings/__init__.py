# SPDX-License-Identifier: Apache-2.0
"""Screens of the settings."""
