# SPDX-License-Identifier: Apache-2.0
"""The printed report of an exam: a PDF for the patient, and for a clinic without a network.

``report`` says what is on it, ``lesions`` draws the body map and the description of each lesion, ``places`` has the
words for where something lies, and ``page`` sets it all on A4. Its words are ``device.words``, in the languages of the
screens; its fonts are those of ``device.fonts``.
"""
