# SPDX-License-Identifier: Apache-2.0
"""How well a model does: it is run over images as the device would, and figures are made of it.

``batch_inference`` runs a converted network over examples and keeps its ``predictions``; ``metrics`` are the textbook
figures, and every one comes with an interval over groups (``intervals``). ``model_under_test`` is a fresh run or a
shipped bundle; ``evaluation`` holds what was measured of it. Beside the figures: ``agreement`` of int8 with float,
``reliability`` of probabilities, ``speed``, and where a network looks (``grad_cam``).
"""
