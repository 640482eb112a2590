# SPDX-License-Identifier: Apache-2.0
"""Networks by name: those of the published systems, and the light ones that the handheld can carry.

``table`` says how each is built, ``base`` builds it, and ``weights`` finds the pretrained weights. Recipes know their
names (``convert.recipes.architectures``), which needs no TensorFlow.
"""
