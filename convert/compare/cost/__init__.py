# SPDX-License-Identifier: Apache-2.0
"""What a network costs.

``export`` makes its files, ``operations`` counts parameters and multiply-adds, ``measure`` takes time and memory.
"""
