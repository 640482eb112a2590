"""Why a model bundle or the runtime cannot be used."""

from __future__ import annotations

from device.errors.base import MammascopeError


class BundleError(MammascopeError):
    """A model bundle cannot be used; the device goes on with the last good one."""

    code = "bundle"
    sentence = "This model cannot be used; install it again."


class BundleMissingError(BundleError):
    """No bundle was found where one was looked for."""

    code = "bundle-missing"
    sentence = "No model was found here; install a model bundle."


class BundleSchemaError(BundleError):
    """The manifest is not one that this version understands."""

    code = "bundle-schema"
    sentence = "The model's manifest does not fit this software; update the software or install another model."


class BundleHashError(BundleError):
    """A file of the bundle is missing or not the one that the manifest was written for."""

    code = "bundle-hash"
    sentence = "A file of the model is missing or was changed; install the model again."


class BundleSignatureError(BundleError):
    """The manifest's signature is absent, or by a key that this device does not trust."""

    code = "bundle-signature"
    sentence = "The model is not signed by a trusted key; install it from a trusted place."


class BundleGoldenError(BundleError):
    """The runtime does not reproduce the golden vectors."""

    code = "bundle-golden"
    sentence = "The model gives other results on this device than it should; do not use it and run the self-check."


class RuntimeMissingError(MammascopeError):
    """No TensorFlow Lite runtime can be loaded, or the one present cannot run a model."""

    code = "runtime-missing"
    sentence = "The inference runtime is missing or broken; run the installer again."
