# SPDX-License-Identifier: Apache-2.0
"""Which screen follows which: ``main`` from the lock screen to the menu, ``exam`` and ``steps`` through an exam.

Screens do not know each other: a screen is given a function to call when it is done, and a flow decides what that is.
"""
