# SPDX-License-Identifier: Apache-2.0
"""What people read of an evaluation: the report, its plots, the table of targets, the model card.

``report`` gathers the figures into one JSON document, from which ``page`` and ``plots`` make what people look at.
``targets`` sets each target beside what was measured, ``card`` fills in ``model_card.md``, ``failures`` shows the
images with the worst errors.
"""
