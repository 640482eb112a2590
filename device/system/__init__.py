# SPDX-License-Identifier: Apache-2.0
"""The machine around the app: network, storage, power, clock, watchdog, cameras, sticks.

Each file reads one part of the machine and brings its checks (``check.CheckResult``: a status, a sentence, what to
do) for ``doctor``. Everything is read below a root folder that a test can replace.
"""
