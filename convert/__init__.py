# SPDX-License-Identifier: Apache-2.0
"""From public breast-ultrasound images to one small, calibrated int8 bundle that the handheld runs.

From the ground up: ``data`` reads the public sets and splits them by patient, ``train`` fits a network, ``quantise``
makes it int8, ``evaluate`` measures it as the device would run it, ``report`` writes that down for people, ``release``
calibrates it and packs the signed bundle. ``run.Run`` is the folder that a build lives in, ``limits`` what is decided
for it, ``stages`` are the commands of a build. ``compare`` sets the systems of ``recipes`` side by side. Pixels go
through the device's own code, so there is one preprocessing and not two.
"""
