# SPDX-License-Identifier: Apache-2.0
"""A made-up breast: drawn tissue, speckle and a scanner's screen, for practice and for tests.

``frames.phantom_frame`` draws one, with a lesion of a kind that is known; ``frames.PhantomSource`` glides over them
like a probe. ``tissue`` and ``speckle`` are what it is drawn from, ``screen`` the scanner around it.
"""
