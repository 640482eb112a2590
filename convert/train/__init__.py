# SPDX-License-Identifier: Apache-2.0
"""Fitting a network: the architecture, how training pictures are varied, and the training itself.

``network`` is the shipped one: class maps, a lesion mask and an embedding on one backbone. ``stream`` draws random
training pictures, ``augment`` and ``chrome`` vary them so that the scanner cannot be learned instead of the tissue,
``exposure`` and ``synthetic_ood`` add OOD pictures, and ``fit`` trains, resumable after any interruption. ``distil``
adds teachers. The other systems' networks (``architectures``, ``heads``) are trained by ``recipe_fit``.
"""
