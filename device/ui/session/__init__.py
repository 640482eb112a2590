# SPDX-License-Identifier: Apache-2.0
"""What runs behind the screens while the program is open, and how a screen reaches it.

``services.Services`` holds what is open (records, uploader, source); ``inference_worker`` asks the model on a thread,
where the newest frame wins; ``freezing.freeze`` makes a view of a frame; ``record_tasks`` reads and writes records
off the UI thread; ``uploading``, ``housekeeping`` and ``machine_watch`` tell the status line what goes on.
"""
