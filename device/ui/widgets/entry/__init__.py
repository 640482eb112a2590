# SPDX-License-Identifier: Apache-2.0
"""Widgets that a person enters something with."""
