# SPDX-License-Identifier: Apache-2.0
"""The verbs of keys and of a clinic's own scanner: ``keygen``, ``adapt-site`` and ``calibrate-site``."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime
from pathlib import Path

from device.arguments import any_path


def add_keygen(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``keygen``."""
    verb = verbs.add_parser("keygen", help="make the key that signs bundles", description="Make a signing key pair.")
    text = "let this checkout run bundles that the key signs; of a key that is there already, too"
    verb.add_argument("--trust", action="store_true", help=text)
    verb.add_argument("--site", action="store_true", help="the key that signs a clinic's site profile instead")
    verb.set_defaults(work=_keygen)


def add_sites(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``adapt-site`` and ``calibrate-site``."""
    for name, text, work in (
        ("adapt-site", "fit a bundle to a clinic's scanner, from 50 or more of its frames without labels", _adapt_site),
        ("calibrate-site", "choose threshold and band again, on 100 or more proven cases of a clinic", _calibrate_site),
    ):
        verb = verbs.add_parser(name, help=text, description=text)
        verb.set_defaults(work=work)
        _site_arguments(verb)
        if work is _calibrate_site:
            verb.add_argument(
                "--sensitivity", type=_sensitivity, default=0.95, help="wished sensitivity (default: 0.95)"
            )
            verb.add_argument("--live", action="store_true", help="for the live picture, not for careful consideration")


def _keygen(args: argparse.Namespace) -> int:
    from convert.release.keys import make_signing_key, public_key_path, signing_key_path, trust

    if args.site:
        return _site_keygen()
    path, public = signing_key_path(), public_key_path()
    if not (args.trust and path.exists()):
        make_signing_key(path, public)
    print(f"private key: {path} (keep it, and never put it into the project)\npublic key: {public}")
    if args.trust:
        print(f"trusted from now on by this checkout: {trust()}")
    else:
        print("no handheld trusts it yet; `python -m convert keygen --trust` lets this checkout run what it signs")
    return 0


def _site_keygen() -> int:
    from convert.release.keys import make_signing_key, site_key_path
    from device.inference.site import site_keys

    path, public = site_key_path(), site_keys() / f"{datetime.now(UTC):%Y-%m-%d}.pub"
    make_signing_key(path, public)
    print(f"private key: {path} (keep it, and never put it into the project)\npublic key: {public}")
    return 0


def _site_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=any_path, metavar="DIR", help="frames, or folders normal, benign and malignant")
    parser.add_argument("--bundle", type=any_path, required=True, metavar="DIR", help="the bundle that the site uses")
    parser.add_argument("--site", type=_site_name, required=True, metavar="NAME", help="name of the site, as kisumu-2")
    parser.add_argument("--out", type=any_path, metavar="FILE", help="the profile (default: beside the settings)")


def _site_name(text: str) -> str:
    from device.inference.site import SITE_NAME

    if not re.fullmatch(SITE_NAME, text, re.ASCII):
        text = f"1 to 24 small letters, digits and hyphens are needed, for instance kisumu-2, not {text[:40]!r}"
        raise argparse.ArgumentTypeError(text)
    return text


def _sensitivity(text: str) -> float:
    if not re.fullmatch(r"0?\.[0-9]{1,6}|1(\.0*)?", text, re.ASCII) or float(text) == 0.0:
        raise argparse.ArgumentTypeError(f"a share above 0 and up to 1 is needed, for instance 0.95, not {text[:40]!r}")
    return float(text)


def _adapt_site(args: argparse.Namespace) -> int:
    from convert.release.keys import read_site_key
    from convert.release.site import fit_source, sonograms_of, write_site_profile
    from device.inference.bundle import load_bundle

    key, bundle = read_site_key(), load_bundle(args.bundle)
    source = fit_source(bundle, sonograms_of(args.folder))
    profile = write_site_profile(_profile_path(args), args.site, bundle, key, source=source)
    print(f"{_profile_path(args)}: {profile.label}, the scanner known by {source.frames} frames; delete it to undo")
    return 0


def _calibrate_site(args: argparse.Namespace) -> int:
    from convert.release.keys import read_site_key
    from convert.release.site import answers_of, fit_limits, write_site_profile
    from convert.report.markdown import with_interval
    from device.inference.bundle import load_bundle

    key, bundle = read_site_key(), load_bundle(args.bundle)
    careful = bundle.manifest.careful is not None and not args.live
    points = bundle.manifest.careful.operating_points if careful and bundle.manifest.careful else ()
    before = (points or bundle.manifest.operating_points)[0]
    malignant, labels, groups = answers_of(bundle, args.folder, careful)
    limits, figures = fit_limits(malignant, labels, groups, before, args.sensitivity, careful)
    profile = write_site_profile(_profile_path(args), args.site, bundle, key, limits=limits)
    for name, (sensitivity, specificity) in (("before", figures.before), ("after", figures.after)):
        shares = (with_interval(sensitivity.to_json()), with_interval(specificity.to_json()))
        print(f"{name}: sensitivity {shares[0]}, specificity {shares[1]}")
    print("the figures after are those of the cases that the threshold was chosen on: expect a little less on others")
    print(f"{_profile_path(args)}: {profile.label}, limits from {limits.cases} cases; delete it to undo")
    return 0


def _profile_path(args: argparse.Namespace) -> Path:
    from device.config import settings_path
    from device.inference.site import PROFILE_NAME

    return args.out or settings_path().with_name(PROFILE_NAME)
