# SPDX-License-Identifier: Apache-2.0
"""The mammography chain: pseudocolour, deep features, PCA chosen by elimination, support vectors.

One of the systems that this project comes from, rebuilt as a recipe so that it can be compared with ours. ``chain`` is
what follows the frozen network, ``elimination`` how many principal components are kept.
"""
