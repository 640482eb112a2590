# SPDX-License-Identifier: Apache-2.0
"""What people read of a comparison: ``rows`` of results, the ``table`` and ``plots`` of them, and the ``page`` of both.

``shipped`` adds the rows of released bundles.
"""
