# SPDX-License-Identifier: Apache-2.0
"""The verbs of a build: each stage alone, and all of them. What one needs is loaded when it is run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from convert.data.folders import add_data_arguments, folders_of
from convert.stages.arguments import (
    add_building,
    add_folds,
    add_packaging,
    add_testing,
    add_training,
    plan_of,
)
from device.arguments import any_path

Work = Callable[[argparse.Namespace], int]


def add_stages(verbs: argparse._SubParsersAction[argparse.ArgumentParser], by_recipe: Work) -> None:
    """Add each stage of a build, and ``build``, which does all of them.

    Args:
        verbs: Where to.
        by_recipe: Does ``train --recipe``: the path of all recipes belongs to a room above this one.
    """

    def train(args: argparse.Namespace) -> int:
        return _train(args) if args.recipe is None else by_recipe(args)

    _add(verbs, "train", "train a network, or go on with an interrupted training", train, add_training)
    _add(verbs, "quantise", "convert the trained network to int8 and to float", _quantise)
    _add(verbs, "calibrate", "choose calibration, thresholds and limits on the calibration part", _calibrate)
    _add(verbs, "evaluate", "test a bundle or a run, and print every target beside its figure", _evaluate, add_testing)
    _add(verbs, "folds", "train and test every grouped fold, and report over all of them", _folds, add_folds)
    _add(verbs, "package", "write the signed bundle of an evaluated run", _package, add_packaging)
    _add(verbs, "build", "all of these, from images to a signed bundle", _build, add_building)


def _add(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    work: Work,
    further: Callable[[argparse.ArgumentParser], None] | None = None,
) -> None:
    verb = verbs.add_parser(name, help=text, description=text)
    verb.set_defaults(work=work, trains=True)
    verb.add_argument(
        "--run", type=any_path, default=Path("work/run"), metavar="DIR", help="run folder (default work/run)"
    )
    add_data_arguments(verb)
    if further is not None:
        further(verb)


def _say_remarks(args: argparse.Namespace) -> None:
    """What the owner of images should look at before hours are spent on them."""
    for remark in folders_of(args).remarks():
        print(f"note: {remark}", file=sys.stderr)


def _train(args: argparse.Namespace) -> int:
    from convert.run import Run, SplitChoice
    from convert.stages.fitting import train_stage

    split = SplitChoice(args.fold, args.folds, args.leave_out, whole=args.whole)
    _say_remarks(args)
    train_stage(Run(args.run), folders_of(args), split, plan_of(args), args.teachers)
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
        name, folder = args.own
        evaluate_own(args.bundle, name, folder, args.out)
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
    _say_remarks(args)
    for fold in wanted:
        print(f"fold {fold + 1} of {args.folds}", flush=True)
        make_fold(args.run, data, SplitChoice(fold, args.folds), plan_of(args), args.teachers)
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
