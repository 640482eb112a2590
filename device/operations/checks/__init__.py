# SPDX-License-Identifier: Apache-2.0
"""Checks of ``doctor`` that need more than the machine: the model, the fonts, the stick, the clinic.

One file an idea, as in ``device.system``. What such a check needs is loaded in a process of its own, so that a library
that is broken is what the check finds and not what ends it.
"""
