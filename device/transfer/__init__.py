# SPDX-License-Identifier: Apache-2.0
"""Exams onto a stick and back: export, backup and restore, verified by reading what the medium really holds.

``medium`` writes, synchronises and reads back; a stick that lies is found there. ``exporter`` puts exams onto a stick
as files for people (``export_files``), ``backup`` copies the encrypted records as they are, and ``restore`` brings
them back.
"""
