# SPDX-License-Identifier: Apache-2.0
"""Out-of-distribution (OOD) detection: is this breast B-mode, and of a scanner like those of training?

``distance``: how far an embedding lies from those of the training images. ``source``: ``judge_source`` holds it and the
log-odds of breast against the limits of the bundle. The limits are chosen when a bundle is made
(``convert.release.ood_limits``).
"""
