# SPDX-License-Identifier: Apache-2.0
"""What is kept: exams with their views and findings, encrypted, and safe against a power cut at any moment.

In reading order: ``exam`` has the values (``Exam``, ``View``, ``Patient``), ``store.store.Store`` keeps them and
``Store.finalise`` makes an exam final, ``keys.vault.Vault`` opens the records with a PIN, ``outbox`` holds what waits
for the clinic, ``recovery`` opens the records at the start and mends what is lost, ``audit`` is the log of who did
what, ``report`` the printed page. Values are immutable: a change is a new value that the store saves.
"""
