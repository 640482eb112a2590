# SPDX-License-Identifier: Apache-2.0
"""Load Keras and its backend without their messages about processors and drivers, which help no one here.

Its libraries write to the file descriptor of standard error while they are loaded, before any setting is read; so that
descriptor is turned aside meanwhile. If loading fails, what was said is shown after all.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def load_keras() -> None:
    """Import Keras with the backend that it is set to, unless it is there, with standard error kept aside.

    ``KERAS_BACKEND`` chooses the backend. TensorFlow, the default, is loaded first: it talks most, and only the stages
    that convert a network need it. Training works with any backend.

    Raises:
        ImportError: They are not installed or do not work.
    """
    if "keras" in sys.modules:
        return
    wanted = os.environ.get("KERAS_BACKEND", "tensorflow")
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        loaded = False
        try:
            if wanted == "tensorflow":
                importlib.import_module("tensorflow")
            importlib.import_module("keras")
            loaded = True
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            if not loaded:
                said.seek(0)
                with open(2, "wb", closefd=False) as out:
                    shutil.copyfileobj(said, out)
