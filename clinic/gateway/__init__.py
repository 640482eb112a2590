# SPDX-License-Identifier: Apache-2.0
"""What stands before the archive: TLS and limits, and what a handheld may send, find and read back.

A request comes to ``nginx`` (certificate, password, size), and from there, if it is a handheld's, to ``gate``. The gate
knows which handheld has sent which study (``sent_list``), reads from the first bytes of a file which instance it is
(``dicom_head``, ``received``), and only then passes it on (``inner_archive``). So a stolen handheld can neither list
nor read what others have sent. Begin with ``gate``; ``docs/threat-model.md`` says what a thief's password is worth.
"""
