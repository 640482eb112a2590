# SPDX-License-Identifier: Apache-2.0
"""Screens of an exam: patient, views, findings, marks, and what leaves the device."""
