# SPDX-License-Identifier: Apache-2.0
"""What waits for the clinic: sealed DICOM instances (``rows``) and where each of them stands (``table.OutboxTable``).

The store fills it in the transaction that makes an exam final; ``device.upload.delivery`` works it off. It can be read
while the device is locked, because it is sealed to the upload key and not to the data key. An exam leaves it only with
the clinic's receipt; one that failed stays, with a reason as code and detail.
"""
