# SPDX-License-Identifier: Apache-2.0
"""The command line that makes bundles: ``python -m convert VERB ...``, one verb a stage and one for all of them.

``build`` goes through all stages; each stage can be repeated alone on the same run folder. Everything is seeded, and a
training that was interrupted goes on where it was when the same command is given again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

# Nothing heavy here: --help answers at once, each verb loads what it needs.
from convert.data.folders import add_data_arguments, folders_of
from convert.errors import ConvertError
from convert.quiet import load_keras
from device.arguments import number_between, thread_count, whole_number
from device.errors import MammascopeError

if TYPE_CHECKING:
    from convert.train.fit import TrainingPlan

EXIT_ERROR = 2
SIDES = (32, 1024)
"""Least and most pixels of a network's side: five halvings have to leave something, and a board has to hold it."""

_BACKBONES = (
    "Backbone files (.weights.h5 or .npz, without head): Keras downloads ImageNet's for the networks that it knows and "
    "keeps them in ~/.keras/models; a file from there can be named with --backbone on a machine without a connection."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; errors that a user can mend end as one line on standard error and exit status 2."""
    args = build_parser().parse_args(argv)
    work: Callable[[argparse.Namespace], int] = args.work
    try:
        if args.trains:
            load_keras()
        return work(args)
    except (ConvertError, MammascopeError, ValueError, OSError) as error:
        print(f"{args.verb}: {error}", file=sys.stderr)
        return EXIT_ERROR


def build_parser() -> argparse.ArgumentParser:
    """Every verb with its options."""
    parser = argparse.ArgumentParser(prog="python -m convert", description=__doc__.splitlines()[0], epilog=_BACKBONES)
    parser.set_defaults(trains=False)
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    _add(verbs, "train", "train a network, or go on with an interrupted training", _train, _training_arguments)
    _add(verbs, "quantise", "convert the trained network to int8 and to float", _quantise)
    _add(verbs, "calibrate", "choose calibration, thresholds and limits on the calibration part", _calibrate)
    _add(verbs, "evaluate", "test a bundle or a run, and print every target beside its figure", _evaluate, _on_bundle)
    _add(verbs, "folds", "train and test every grouped fold, and report over all of them", _folds, _folds_arguments)
    _add(verbs, "package", "write the signed bundle of an evaluated run", _package, _package_arguments)
    _add(verbs, "build", "all of these, from images to a signed bundle", _build, _build_arguments)
    text = "every recipe on the same images: one table, and its plots"
    verb = verbs.add_parser("compare", help=text, description=text)
    _comparison_arguments(verb)
    verb.set_defaults(work=_compare, trains=True)
    text = "list near-duplicate groups of a data set as CSV"
    verb = verbs.add_parser("duplicates", help=text, description=text)
    verb.add_argument("folder", type=Path, metavar="DIR", help="folder whose subfolders are the classes")
    verb.set_defaults(work=_duplicates)
    verb = verbs.add_parser("keygen", help="make the key that signs bundles", description="Make a signing key pair.")
    text = "let this checkout run bundles that the key signs; of a key that is there already, too"
    verb.add_argument("--trust", action="store_true", help=text)
    verb.add_argument("--site", action="store_true", help="the key that signs a clinic's site profile instead")
    verb.set_defaults(work=_keygen)
    text = "list the recipes; show or check one"
    verb = verbs.add_parser("recipes", help=text, description=text)
    verb.set_defaults(work=_recipes)
    actions = verb.add_subparsers(dest="action", metavar="show|check")
    for action, words in (("show", "print a recipe's file"), ("check", "say what is wrong with a recipe's file")):
        chosen = actions.add_parser(action, help=words, description=words)
        chosen.add_argument("recipe", metavar="NAME|FILE")
    text = "draw where the network of a `train --recipe` run looks"
    verb = verbs.add_parser("grad-cam", help=text, description=text)
    verb.set_defaults(work=_grad_cam, trains=True)
    verb.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="image, video or DICOM files")
    verb.add_argument("--run", type=Path, default=Path("work/run"), metavar="DIR", help="run folder (default work/run)")
    classes = ("normal", "benign", "malignant")
    verb.add_argument("--class", dest="name", choices=classes, help="default: the class that is most probable")
    verb.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="folder for the pictures (default: here)")
    for name, text, work in (
        ("adapt-site", "fit a bundle to a clinic's scanner, from 50 or more of its frames without labels", _adapt_site),
        ("calibrate-site", "choose threshold and band again, on 100 or more proven cases of a clinic", _calibrate_site),
    ):
        verb = verbs.add_parser(name, help=text, description=text)
        verb.set_defaults(work=work)
        _site_arguments(verb)
        if work is _calibrate_site:
            verb.add_argument("--sensitivity", type=float, default=0.95, help="wished sensitivity (default: 0.95)")
            verb.add_argument("--live", action="store_true", help="for the live picture, not for careful consideration")
    return parser


def _add(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    work: Callable[[argparse.Namespace], int],
    further: Callable[[argparse.ArgumentParser], None] | None = None,
) -> None:
    verb = verbs.add_parser(name, help=text, description=text)
    verb.set_defaults(work=work, trains=True)
    verb.add_argument("--run", type=Path, default=Path("work/run"), metavar="DIR", help="run folder (default work/run)")
    add_data_arguments(verb)
    if further is not None:
        further(verb)


def _training_arguments(parser: argparse.ArgumentParser) -> None:
    text = "train this recipe (COMMAND recipes) by the path of all recipes; --fold is then one of seven parts"
    parser.add_argument("--recipe", metavar="NAME|FILE", help=text)
    _recipe_arguments(parser)
    group = parser.add_argument_group("split")
    group.add_argument("--fold", type=int, default=0, help="which of the grouped folds is the test part")
    group.add_argument("--folds", type=whole_number, default=5, help="number of grouped folds (default: 5)")
    group.add_argument("--leave-out", default="", metavar="NAME", help="test on this data set or scanner instead")
    text = "train on everything but a calibration part, for release: the figures are then those of --folds-run"
    group.add_argument("--whole", action="store_true", help=text)


def _recipe_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("training")
    text = "backbone: mobilenet_v2, or efficientnet_lite0, _lite1 or _lite2"
    group.add_argument("--network", default="mobilenet_v2", metavar="NAME", help=f"{text} (default: mobilenet_v2)")
    text = "its pretrained weights: a file, imagenet (needs a connection once) or random (default: imagenet)"
    group.add_argument("--backbone", metavar="FILE", help=text)
    group.add_argument("--frozen", metavar="LAYER", help="last layer that stays as pretrained; '' trains all of them")
    group.add_argument("--no-mask", action="store_true", help="do not learn the outline, so take no second pass")
    group.add_argument("--epochs", type=whole_number, help="default: 16, or the recipe's")
    group.add_argument("--pictures", type=whole_number, default=0, help="pictures an epoch (default: each image once)")
    group.add_argument("--seed", type=int, default=0, help="of weights, sampling and augmentation")
    text = "finished runs whose soft targets are learned beside the labels (for folds: folders of folds)"
    group.add_argument("--teachers", type=Path, nargs="+", default=[], metavar="RUN", help=text)
    text = "how much they count against the labels, 0 to 1 (default: 0.7)"
    group.add_argument("--teacher-share", type=float, default=0.7, metavar="SHARE", help=text)
    group.add_argument("--size", type=number_between(*SIDES), default=224, help="side of the input (default: 224)")


def _folds_arguments(parser: argparse.ArgumentParser) -> None:
    _recipe_arguments(parser)
    _with_left_out(parser)
    group = parser.add_argument_group("folds")
    group.add_argument("--folds", type=whole_number, default=5, help="number of grouped folds (default: 5)")
    text = "make only these folds now, counted from 0 (the report needs all of them)"
    group.add_argument("--only", type=int, nargs="+", metavar="FOLD", help=text)


def _with_others(parser: argparse.ArgumentParser) -> None:
    _with_left_out(parser)
    text = "folder of the folds of the same recipe (COMMAND folds); their figures join the report"
    parser.add_argument("--folds-run", type=Path, metavar="DIR", help=text)


def _with_left_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--left-out-run",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="evaluated run that left a set or scanner out; its figures join the report (may be repeated)",
    )


def _on_bundle(parser: argparse.ArgumentParser) -> None:
    _with_others(parser)
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="a bundle to test instead of a run")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the report goes (default: figures/ of the run)")
    text = "with --bundle: your own images in folders normal, benign, malignant, which it has never seen"
    parser.add_argument("--own", type=_own_folder, metavar="[NAME=]DIR", help=text)


def _own_folder(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    return (name, Path(folder)) if equals else ("own", Path(text))


def _package_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("bundle")
    group.add_argument("--out", type=Path, default=Path("models"), metavar="DIR", help="default: models")
    group.add_argument("--name", default="own", help="name of the bundle (default: own; mammascope is the shipped one)")
    group.add_argument("--bundle-version", default="0.1.0", metavar="X.Y.Z", help="default: 0.1.0")
    text = "pack it although targets are not met; they are named, and stand in the model card"
    group.add_argument("--accept", action="store_true", help=text)
    group.add_argument("--replace", action="store_true", help="overwrite a bundle of this name and version")
    text = "calibrated run of the same split whose network takes part in careful consideration (may be repeated)"
    group.add_argument("--careful-with", type=Path, action="append", default=[], metavar="RUN", help=text)


def _comparison_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("work/comparison"), metavar="DIR", help="runs, table, plots")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="features and states (default: cache/ of --out)")
    parser.add_argument("--recipes", nargs="+", default=[], metavar="NAME", help="names or files (default: all)")
    parser.add_argument("--quick", action="store_true", help="tiny pictures and trainings: does everything work?")
    text = "make no further run: the table of what is there"
    parser.add_argument("--finished", action="store_true", help=text)
    text = "bundles whose own reports are set beside the table, for instance models/mammascope-0.6.0"
    parser.add_argument("--bundle", type=Path, nargs="+", default=[], metavar="DIR", help=text)
    text = "put tables and plots into this document, too, between its marks"
    parser.add_argument("--into", type=Path, metavar="FILE", help=text)
    parser.add_argument("--whole", action="store_true", help="train rows to the end that are cut short otherwise")
    add_data_arguments(parser)
    group = parser.add_argument_group("images")
    group.add_argument("--cbis", type=Path, metavar="DIR", help="CBIS-DDSM: mammograms, with its description tables")
    group.add_argument("--mammograms", type=Path, metavar="DIR", help="folder with benign and malignant")
    group.add_argument("--unseen", nargs="*", default=[], metavar="SET", help="sets that are left out in turn")
    group.add_argument(
        "--at-most", nargs="*", default=[], metavar="SET=N", help="so many images of a set, whole groups"
    )
    group.add_argument("--parts", type=int, choices=range(1, 8), default=7, help="of the seven test parts (default: 7)")
    text = "folder of weights files that begin with the network's name; they stand for imagenet"
    group.add_argument("--backbones", type=Path, metavar="DIR", help=text)
    group = parser.add_argument_group("workers")
    group.add_argument("--workers", type=whole_number, default=1, metavar="N", help="of the local cluster (default: 1)")
    group.add_argument("--threads", type=thread_count, default=1, metavar="N", help="of each run (default: 1)")
    group.add_argument("--scheduler", default="", metavar="ADDRESS", help="a running Dask scheduler instead")


def _compare(args: argparse.Namespace) -> int:
    from convert.compare.command import run_comparison

    return run_comparison(args)


def _build_arguments(parser: argparse.ArgumentParser) -> None:
    _with_others(parser)
    _training_arguments(parser)
    _package_arguments(parser)


def _plan(args: argparse.Namespace) -> TrainingPlan:
    # Late, so that --help does not wait for TensorFlow.
    from convert.train.fit import TrainingPlan
    from convert.train.network import NetworkSpec, frozen_by_default

    network = NetworkSpec(
        backbone=args.network,
        size=args.size,
        weights="none" if args.backbone == "random" else args.backbone or "imagenet",
        frozen=_frozen(args.backbone, frozen_by_default(args.network)) if args.frozen is None else args.frozen,
        mask=not args.no_mask,
    )
    if not 0 <= args.teacher_share <= 1:
        raise ValueError("--teacher-share: give a number from 0 to 1")
    return TrainingPlan(
        network=network,
        epochs=args.epochs or 16,
        pictures=args.pictures,
        seed=args.seed,
        teacher_share=args.teacher_share,
    )


def _frozen(backbone: str | None, by_default: str) -> str:
    """Random layers that stay as they are would pass on nothing worth learning from."""
    return "" if backbone == "random" else by_default


def _train(args: argparse.Namespace) -> int:
    if args.recipe is not None:
        from convert.compare.one_recipe import train_recipe

        train_recipe(args.recipe, args.run, folders_of(args), args.fold, args.backbone, args.epochs, args.seed)
        return 0
    from convert.run import Run, SplitChoice
    from convert.stages.fitting import train_stage

    split = SplitChoice(args.fold, args.folds, args.leave_out, whole=args.whole)
    train_stage(Run(args.run), folders_of(args), split, _plan(args), args.teachers)
    return 0


def _quantise(args: argparse.Namespace) -> int:
    from convert.run import Run
    from convert.stages.fitting import quantise_stage

    quantise_stage(Run(args.run), folders_of(args))
    return 0


def _calibrate(args: argparse.Namespace) -> int:
    from convert.run import Run
    from convert.stages.fitting import calibrate_stage

    calibrate_stage(Run(args.run), folders_of(args))
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    from convert.run import Run
    from convert.stages.own_images import evaluate_own
    from convert.stages.release import evaluate_bundle, evaluate_run

    if args.own is not None:
        if args.bundle is None:
            raise ValueError("--own: say with --bundle which bundle is tested on these images")
        evaluate_own(args.bundle, *args.own)
    elif args.bundle is not None:
        evaluate_bundle(args.bundle, folders_of(args), args.out)
    else:
        evaluate_run(Run(args.run), folders_of(args), args.left_out_run, args.folds_run)
    return 0


def _folds(args: argparse.Namespace) -> int:
    from convert.run import SplitChoice
    from convert.stages.folds import make_fold, report_folds
    from convert.stages.release import print_report

    data = folders_of(args)
    wanted = sorted(set(args.only or range(args.folds)))
    if not set(wanted) <= set(range(args.folds)):
        raise ValueError(f"--only: {args.folds} folds are counted from 0 to {args.folds - 1}")
    for fold in wanted:
        print(f"fold {fold + 1} of {args.folds}", flush=True)
        make_fold(args.run, data, SplitChoice(fold, args.folds), _plan(args), args.teachers)
    if len(wanted) == args.folds:
        print_report(report_folds(args.run, data, args.left_out_run), args.run / "figures")
    return 0


def _package(args: argparse.Namespace) -> int:
    from convert.run import Run
    from convert.stages.release import package_run

    run, data = Run(args.run), folders_of(args)
    folder = package_run(
        run, data, args.out, args.name, args.bundle_version, args.replace, args.accept, args.careful_with
    )
    print(f"{folder}\n{_how_to_use(folder)}")
    return 0


def _how_to_use(folder: Path) -> str:
    """What has to be done before a handheld runs a new bundle: nothing happens by itself."""
    from convert.release.keys import is_trusted
    from device.inference.bundle import SHIPPED_NAME

    words = []
    if not is_trusted():
        words.append("No handheld trusts its key yet: `python -m convert keygen --trust` makes this checkout do so.")
    if folder.name.rpartition("-")[0] != SHIPPED_NAME:
        words.append(f"It is used where it is named: `--model {folder}`, or `bundle` under [model] in the settings.")
    return " ".join(words)


def _build(args: argparse.Namespace) -> int:
    from convert.release.keys import read_signing_key, signing_key_path
    from convert.release.package import require_free_name

    # What would stop the last stage is said before the hours of the first one.
    read_signing_key(signing_key_path())
    if args.recipe is not None:
        raise ValueError("--recipe: recipes are for `train` and `compare`; `build` makes bundles of our own network")
    if not args.replace:
        require_free_name(args.out, args.name, args.bundle_version)
    for stage in (_train, _quantise, _calibrate, _evaluate_built, _package):
        status = stage(args)
        if status:
            return status
    return 0


def _evaluate_built(args: argparse.Namespace) -> int:
    from convert.run import Run
    from convert.stages.release import evaluate_run

    evaluate_run(Run(args.run), folders_of(args), args.left_out_run, args.folds_run)
    return 0


def _duplicates(args: argparse.Namespace) -> int:
    from convert.data.duplicates import main as list_duplicates

    return list_duplicates(args.folder)


def _site_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="frames, or folders normal, benign and malignant")
    parser.add_argument("--bundle", type=Path, required=True, metavar="DIR", help="the bundle that the site uses")
    parser.add_argument("--site", required=True, metavar="NAME", help="name of the site in small letters")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the profile (default: beside the settings)")


def _adapt_site(args: argparse.Namespace) -> int:
    from convert.release.keys import read_signing_key, site_key_path
    from convert.release.site import fit_source, sonograms_of, write_site_profile
    from device.inference.bundle import load_bundle

    key, bundle = read_signing_key(site_key_path()), load_bundle(args.bundle)
    source = fit_source(bundle, sonograms_of(args.folder))
    profile = write_site_profile(_profile_path(args), args.site, bundle, key, source=source)
    print(f"{_profile_path(args)}: {profile.label}, the scanner known by {source.frames} frames; delete it to undo")
    return 0


def _calibrate_site(args: argparse.Namespace) -> int:
    from convert.release.keys import read_signing_key, site_key_path
    from convert.release.site import answers_of, fit_limits, write_site_profile
    from convert.report.markdown import with_interval
    from device.inference.bundle import load_bundle

    key, bundle = read_signing_key(site_key_path()), load_bundle(args.bundle)
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


def _grad_cam(args: argparse.Namespace) -> int:
    from convert.compare.heat_maps import draw_heat_maps

    for path, name, found in draw_heat_maps(args.run, args.images, args.name, args.out):
        print(f"{path}: {name}" + ("" if found else ", for which nothing in the picture speaks"))
    return 0


def _recipes(args: argparse.Namespace) -> int:
    from convert.recipes.show import check_recipe, list_recipes, show_recipe

    if args.action == "show":
        print(show_recipe(args.recipe))
    elif args.action == "check":
        print(check_recipe(args.recipe))
    else:
        print(list_recipes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
