# SPDX-License-Identifier: Apache-2.0
"""The verbs of keys and of a clinic's own scanner: ``keygen``, ``adapt-site`` and ``calibrate-site``."""

from __future__ import annotations

import argparse
import re
import sys
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
    text = "fit a bundle to a clinic's scanner, from 50 or more of its frames without labels"
    adapt = verbs.add_parser("adapt-site", help=text, description=text)
    adapt.set_defaults(work=_adapt_site)
    _site_arguments(adapt, "frames, or folders normal, benign and malignant")
    text = "choose threshold and band again, on 100 or more proven cases of a clinic"
    more = f"{text}, 20 or more of them malignant and 20 or more not"
    calibrate = verbs.add_parser("calibrate-site", help=text, description=more)
    calibrate.set_defaults(work=_calibrate_site)
    _site_arguments(calibrate, "folders normal, benign and malignant; list.csv says which images are of one patient")
    calibrate.add_argument("--sensitivity", type=_sensitivity, default=0.95, help="wished sensitivity (default: 0.95)")
    calibrate.add_argument("--live", action="store_true", help="for the live picture, not for careful consideration")


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
    print(f"a handheld follows what it signs when {public.parent.name} lies beside its settings (docs/provisioning.md)")
    return 0


def _site_arguments(parser: argparse.ArgumentParser, folder: str) -> None:
    parser.add_argument("folder", type=any_path, metavar="DIR", help=folder)
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
    from convert.data.datasets.sample import few
    from convert.release.keys import read_site_key
    from convert.release.site import fit_source, present_profile, sonograms_of, write_site_profile
    from device.inference.bundle import load_bundle

    key, bundle, path = read_site_key(), load_bundle(args.bundle), _profile_path(args)
    present_profile(path, args.site, bundle, key)
    frames = sonograms_of(args.folder)
    for error in frames.unreadable:
        print(f"left out: {error}", file=sys.stderr)
    source, refused = fit_source(bundle, frames.sonograms)
    if refused:
        print(f"left out: {len(refused)} frames are not taken for breast B-mode: {few(refused)}", file=sys.stderr)
    profile = write_site_profile(path, args.site, bundle, key, source=source)
    print(f"{path}: {profile.label}, the scanner known by {source.frames} frames; delete it to undo")
    return 0


def _calibrate_site(args: argparse.Namespace) -> int:
    import numpy as np

    from convert.data.datasets.class_folders import load_class_folders, remarks
    from convert.release.keys import read_site_key
    from convert.release.site import answers_of, fit_limits, present_profile, proven_cases, write_site_profile
    from convert.report.markdown import with_interval
    from device.inference.bundle import load_bundle

    key, bundle, path = read_site_key(), load_bundle(args.bundle), _profile_path(args)
    present_profile(path, args.site, bundle, key)
    careful = bundle.manifest.careful is not None and not args.live
    points = bundle.manifest.careful.operating_points if careful and bundle.manifest.careful else ()
    before = (points or bundle.manifest.operating_points)[0]
    samples = load_class_folders("site", args.folder)
    for remark in remarks(args.folder, samples):
        print(f"note: {remark}", file=sys.stderr)
    cases = proven_cases(samples)
    labels, groups = np.array([case.label for case in cases]), [case.group for case in cases]
    malignant = answers_of(bundle, cases, careful)
    limits, figures = fit_limits(malignant, labels, groups, before, args.sensitivity, careful)
    profile = write_site_profile(path, args.site, bundle, key, limits=limits)
    for name, (sensitivity, specificity) in (("before", figures.before), ("after", figures.after)):
        shares = (with_interval(sensitivity.to_json()), with_interval(specificity.to_json()))
        print(f"{name}: sensitivity {shares[0]}, specificity {shares[1]}")
    print("the figures after are those of the cases that the threshold was chosen on: expect a little less on others")
    print(f"{path}: {profile.label}, limits from {limits.cases} cases; delete it to undo")
    return 0


def _profile_path(args: argparse.Namespace) -> Path:
    from device.inference.site import profile_path

    return args.out or profile_path()
