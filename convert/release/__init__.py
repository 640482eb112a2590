# SPDX-License-Identifier: Apache-2.0
"""From an int8 network to a signed bundle: calibration and limits, the package and its key.

In the order of a release: ``calibrate`` makes probabilities of its outputs and chooses where *uncertain* begins.
``ood`` and ``breast_head`` fit what tells breasts from out-of-distribution images; ``ood_limits`` decides where a
picture is refused. ``careful`` chooses the limits of the answer to a frozen picture. ``package`` writes the bundle and
signs it with the key of ``keys``. ``site`` fits a finished bundle to one clinic. The device computes with the very
formulas: ``device.inference``.
"""
