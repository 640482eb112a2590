# SPDX-License-Identifier: Apache-2.0
"""Screens of what comes back from the clinic."""
