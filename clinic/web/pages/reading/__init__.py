# SPDX-License-Identifier: Apache-2.0
"""The page of one exam: pictures, the reader's two steps, what was said before, comments."""
