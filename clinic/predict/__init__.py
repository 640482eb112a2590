# SPDX-License-Identifier: Apache-2.0
"""The handheld's own model at the clinic: the same bundle and code, in a process of its own that can be killed.

``predictor`` is the side of the web application: it asks, waits no longer than a limit, and kills what hangs.
``process`` is the other side: it decodes an upload as a handheld does, predicts, and builds the DICOM objects for the
archive. ``heat_maps`` recomputes what handhelds do not send.
"""
