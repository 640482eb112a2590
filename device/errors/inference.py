# SPDX-License-Identifier: Apache-2.0
"""Why a model bundle or the runtime cannot be used."""

from __future__ import annotations

from device.errors.base import MammascopeError


class BundleError(MammascopeError):
    """A model bundle cannot be used; the device goes on with the last good one."""

    code = "bundle"


class BundleMissingError(BundleError):
    """No bundle was found where one was looked for."""

    code = "bundle-missing"


class BundleSchemaError(BundleError):
    """The manifest is not one that this version understands."""

    code = "bundle-schema"


class BundleHashError(BundleError):
    """A file of the bundle is missing or not the one that the manifest was written for."""

    code = "bundle-hash"


class BundleSignatureError(BundleError):
    """The manifest's signature is absent, or by a key that this device does not trust."""

    code = "bundle-signature"


class BundleGoldenError(BundleError):
    """The runtime does not reproduce the golden vectors."""

    code = "bundle-golden"


class SiteProfileError(BundleError):
    """A site profile is damaged, not signed by a trusted key, or made for another bundle."""

    code = "site-profile"


class RuntimeMissingError(MammascopeError):
    """No TensorFlow Lite runtime can be loaded, or the one present cannot run a model."""

    code = "runtime-missing"
