# SPDX-License-Identifier: Apache-2.0
"""The clinic's pages: worklist, reading, viewer, upload, follow-up, and what handhelds ask for.

A Flask application without state of its own: everything is in the store and in the archive, so any number of instances
can stand behind one proxy. ``python -m clinic.web`` starts one; ``clinic.web.application`` puts it together.
"""
