# SPDX-License-Identifier: Apache-2.0
"""From an exam to DICOM objects: ultrasound images, the marked picture, and the measurement report.

``objects.build_instances`` is the one door, used when an exam becomes final and by the export to a stick. Beside it
stand the builders (``ultrasound_image``, ``secondary_capture``, ``measurement_report``), what they share
(``attributes``, ``identity``, ``pixels``), ``training.for_clinic`` (what of practice may leave the device), and
``compare`` (is what the archive gives back the same object?). ``docs/dicom-conformance.md`` is the contract.
"""
