# SPDX-License-Identifier: Apache-2.0
"""Work that the touchscreen and the command line both ask for, and that is neither a screen nor a verb.

``for_clinic`` says what the clinic gets of a final exam, ``exporting`` takes exams to a stick, ``retention`` deletes
what the clinic holds, ``self_check`` runs the checks (those of ``device.system`` and of ``checks`` here), and
``support_bundle`` writes them down for a technician. ``enrolment`` connects a device with its site, ``updates`` finds
and installs new software.
"""
