# SPDX-License-Identifier: Apache-2.0
"""The work of an enrolment: connecting a handheld with the clinic that it belongs to.

At the desk, ``make`` puts a site file together and signs it with the ``signing_key``, and ``code_sheet`` prints it as
QR codes. On the handheld, ``codes`` reads those from pictures or a camera, without the rights of root, and ``joining``
puts the file into effect. What a site file is, is in ``device.site``.
"""
