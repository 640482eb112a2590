# SPDX-License-Identifier: Apache-2.0
"""The site that a device belongs to: its signed file, how it is handed over, and the access to its clinic.

``site_file.SiteFile`` is the signed text, ``site_code`` carries it as QR codes, ``enrolment`` puts it into effect on
the device, all or nothing, and ``access.ClinicAccess`` is the address, authority and password that sending needs.
"""
