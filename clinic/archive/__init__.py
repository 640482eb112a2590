# SPDX-License-Identifier: Apache-2.0
"""The archive as the web application sees it: a DICOMweb client, and what is read out of studies and reports.

The archive is the only place of images and reports. Nothing that comes from it is trusted: a handheld can be stolen and
send anything, so sizes are bounded and whatever does not make sense is left out and said to be missing.
"""
