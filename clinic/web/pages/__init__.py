# SPDX-License-Identifier: Apache-2.0
"""One folder an area of the pages: its views, and what they need beside the domain itself.

A view (``views.py`` in each folder) checks a form, asks the domain (``clinic.reading``, ``clinic.index``, ...) and
fills a template; it decides nothing about an exam itself. ``accounts``, ``worklist``, ``reading``, ``viewer``,
``upload``, ``followup`` and ``oversight`` are for people, ``feeds`` is for handhelds.
"""
