# SPDX-License-Identifier: Apache-2.0
"""What comes back from the clinic: readers' verdicts on exams of this device, and who is planned for today.

It arrives while the device is locked, so there are two halves: ``table`` is written without a PIN and cannot be read
back, and ``inbox`` is what screens see once the device is unlocked. In between a verdict is opened and its signature
checked (``messages``); only then does it count. Fetched by ``device.upload.clinic_inbox``.
"""
