# SPDX-License-Identifier: Apache-2.0
"""What a clinic runs: a real DICOM archive (Orthanc) with handhelds as its senders, and pages to read their exams.

``python -m clinic`` starts the archive (``orthanc``, with certificates and passwords of its own) behind ``gateway``,
which lets a handheld reach only what it has sent. ``web`` has the pages, ``reading`` what readers do with an exam,
``index`` and ``store`` what is kept beside the archive, ``predict`` the handheld's own model. A handheld and its
clinic meet over DICOMweb, an enrolment file, and what a handheld asks ``web.pages.feeds`` for.
"""
