# SPDX-License-Identifier: Apache-2.0
"""Sending final exams to the clinic, each once, and the proof that each has arrived.

What is sent is decided before, when an exam becomes final: ``device.operations.for_clinic``, ``device.dicom.objects``.

In reading order: ``delivery.Outbox`` works off what waits; ``stow.DicomWebArchive`` stores an instance, finds it and
reads it back over ``link.Link``; ``comparison`` has what came back compared in a process of its own;
``receipt.Receipt`` is the proof; ``uploader.Uploader`` is the thread that does all this and rests in between
(``backoff``, ``pace``); ``status`` is what screens see of it. A 200 of the archive proves nothing: an exam is sent
when every instance was read back.
"""
