# SPDX-License-Identifier: Apache-2.0
"""Cine loops in containers: which frames there are, each decoded for its own place, and what is missing said.

``file`` is the entry; ``index`` and ``decoder`` find frames, ``picture`` makes them into what a person sees, ``twin``
decodes a second time what its decoder would not call damaged, ``tables``, ``unlisted`` and ``length`` hold what a
container states against what it holds.
"""
