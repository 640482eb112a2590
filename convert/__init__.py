"""From public breast-ultrasound images to one small, calibrated int8 bundle that the handheld runs."""
