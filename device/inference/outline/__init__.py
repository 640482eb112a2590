# SPDX-License-Identifier: Apache-2.0
"""The lesion's outline: ``contour`` makes it of the network's mask, ``shape`` describes its form."""
