# SPDX-License-Identifier: Apache-2.0
"""Recipes: one declarative file for each system that is trained or compared here, and what reads them.

A recipe names the network or the chain, its training and its source in the literature, and holds no code. ``recipe``
says what may stand in one, ``architectures`` which networks it may name, ``library`` finds and checks it, ``show``
prints it. The recipes themselves are in ``files``.
"""
