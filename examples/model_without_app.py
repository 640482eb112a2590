# SPDX-License-Identifier: Apache-2.0
"""Use the network of a bundle without the app: ``python examples/model_without_app.py``.

What goes in is a square of grey levels, what comes out are class maps, a lesion mask and an embedding, dequantised.
Logits are not probabilities: calibration and the limits of the manifest make a finding of them (``Classifier``).
"""

from __future__ import annotations

from device.capture.phantom.frames import IN_DISTRIBUTION_SEED, phantom_frame
from device.config import MODELS
from device.imaging.preprocess import cut_window, whole_window
from device.imaging.sonogram import find_sonogram
from device.inference.bundle import newest_bundle
from device.inference.finding import CLASSES


def main() -> None:
    """Run the network once on a made-up breast."""
    bundle = newest_bundle(MODELS)
    sonogram = find_sonogram(phantom_frame(IN_DISTRIBUTION_SEED, "benign"))
    height, width = sonogram.pixels.shape
    side = bundle.runtime.input_size
    outputs = bundle.runtime.run(cut_window(sonogram.pixels, whole_window(width, height), side))
    print(f"{bundle.manifest.label}: input {side} x {side}, class maps {outputs.cam.shape}, mask {outputs.mask.shape}")
    for name, logit in zip(CLASSES, outputs.logits, strict=True):
        print(f"  {name:9} logit {logit:+.2f}")


if __name__ == "__main__":
    main()
