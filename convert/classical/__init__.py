# SPDX-License-Identifier: Apache-2.0
"""Finding the lesion without learning, as the classical systems do: a baseline for the outline.

``chain`` has all of it, one step a function; it knows nothing of networks and has nothing to be trained.
"""
