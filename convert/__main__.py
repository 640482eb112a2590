"""The command line that makes bundles: ``python -m convert VERB ...``, one verb a stage and one for all of them.

``build`` goes through all stages; each stage can be repeated alone on the same run folder. Everything is seeded, and a
training that was interrupted goes on where it was when the same command is given again.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

# TensorFlow reports its own start-up on standard error; what a user needs to know, our stages say.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from convert.data import add_data_arguments, folders_of
from convert.datasets.sample import DatasetError
from convert.run import Run, SplitChoice, StageMissingError
from device.errors import MammascopeError

if TYPE_CHECKING:
    from convert.train import TrainingPlan

EXIT_ERROR = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; errors that a user can mend end as one line on standard error and exit status 2."""
    args = _parser().parse_args(argv)
    work: Callable[[argparse.Namespace], int] = args.work
    try:
        return work(args)
    except (DatasetError, StageMissingError, MammascopeError, ValueError, OSError) as error:
        print(f"{args.verb}: {error}", file=sys.stderr)
        return EXIT_ERROR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m convert", description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    _add(verbs, "train", "train a network, or go on with an interrupted training", _train, _training_arguments)
    _add(verbs, "quantise", "convert the trained network to int8 and to float", _quantise)
    _add(verbs, "calibrate", "choose calibration, thresholds and limits on the calibration part", _calibrate)
    _add(verbs, "evaluate", "test a bundle or a run, and print every target beside its figure", _evaluate, _on_bundle)
    _add(verbs, "folds", "train and test every grouped fold, and report over all of them", _folds, _folds_arguments)
    _add(verbs, "package", "write the signed bundle of an evaluated run", _package, _package_arguments)
    _add(verbs, "build", "all of these, from images to a signed bundle", _build, _build_arguments)
    text = "list near-duplicate groups of a data set as CSV"
    verb = verbs.add_parser("duplicates", help=text, description=text)
    verb.add_argument("folder", type=Path, metavar="DIR", help="folder whose subfolders are the classes")
    verb.set_defaults(work=_duplicates)
    verb = verbs.add_parser("keygen", help="make the key that signs bundles", description="Make a signing key pair.")
    verb.set_defaults(work=_keygen)
    return parser


def _add(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    work: Callable[[argparse.Namespace], int],
    further: Callable[[argparse.ArgumentParser], None] | None = None,
) -> None:
    verb = verbs.add_parser(name, help=text, description=text)
    verb.set_defaults(work=work)
    verb.add_argument("--run", type=Path, default=Path("work/run"), metavar="DIR", help="run folder (default work/run)")
    add_data_arguments(verb)
    if further is not None:
        further(verb)


def _training_arguments(parser: argparse.ArgumentParser) -> None:
    _recipe_arguments(parser)
    group = parser.add_argument_group("split")
    group.add_argument("--fold", type=int, default=0, help="which of the grouped folds is the test part")
    group.add_argument("--folds", type=int, default=5, help="number of grouped folds (default: 5)")
    group.add_argument("--leave-out", default="", metavar="NAME", help="test on this data set or scanner instead")
    text = "train on everything but a calibration part, for release: the figures are then those of --folds-run"
    group.add_argument("--whole", action="store_true", help=text)


def _recipe_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("training")
    text = "backbone: mobilenet_v2 or efficientnet_lite0"
    group.add_argument("--network", default="mobilenet_v2", metavar="NAME", help=f"{text} (default: mobilenet_v2)")
    group.add_argument("--backbone", default="imagenet", metavar="FILE", help="its pretrained weights, or imagenet")
    group.add_argument("--frozen", metavar="LAYER", help="last layer that stays as pretrained; '' trains all of them")
    group.add_argument("--no-mask", action="store_true", help="do not learn the outline, so take no second look")
    group.add_argument("--epochs", type=int, default=16, help="default: 16")
    group.add_argument("--pictures", type=int, default=0, help="pictures an epoch (default: one a training image)")
    group.add_argument("--seed", type=int, default=0, help="of weights, sampling and augmentation")
    text = "finished runs whose joint opinion is learned beside the labels (for folds: folders of folds)"
    group.add_argument("--teachers", type=Path, nargs="+", default=[], metavar="RUN", help=text)
    text = "how much they count against the labels, 0 to 1 (default: 0.7)"
    group.add_argument("--teacher-share", type=float, default=0.7, metavar="SHARE", help=text)
    group.add_argument("--size", type=int, default=224, help="side of the network's input (default: 224)")


def _folds_arguments(parser: argparse.ArgumentParser) -> None:
    _recipe_arguments(parser)
    _with_left_out(parser)
    group = parser.add_argument_group("folds")
    group.add_argument("--folds", type=int, default=5, help="number of grouped folds (default: 5)")
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


def _package_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("bundle")
    group.add_argument("--out", type=Path, default=Path("models"), metavar="DIR", help="default: models")
    group.add_argument("--name", default="mammascope", help="name of the bundle (default: mammascope)")
    group.add_argument("--bundle-version", default="1.0.0", metavar="X.Y.Z", help="default: 1.0.0")
    group.add_argument("--replace", action="store_true", help="overwrite a bundle of this name and version")


def _build_arguments(parser: argparse.ArgumentParser) -> None:
    _with_others(parser)
    _training_arguments(parser)
    _package_arguments(parser)


def _plan(args: argparse.Namespace) -> TrainingPlan:
    # Late, so that --help does not wait for TensorFlow.
    from convert.network import NetworkSpec, frozen_by_default
    from convert.train import TrainingPlan

    network = NetworkSpec(
        backbone=args.network,
        size=args.size,
        weights=args.backbone,
        frozen=frozen_by_default(args.network) if args.frozen is None else args.frozen,
        mask=not args.no_mask,
    )
    if not 0 <= args.teacher_share <= 1:
        raise ValueError("--teacher-share: give a number from 0 to 1")
    return TrainingPlan(
        network=network,
        epochs=args.epochs,
        pictures=args.pictures,
        seed=args.seed,
        teacher_share=args.teacher_share,
    )


def _train(args: argparse.Namespace) -> int:
    from convert.stages import train_stage

    split = SplitChoice(args.fold, args.folds, args.leave_out, whole=args.whole)
    train_stage(Run(args.run), folders_of(args), split, _plan(args), args.teachers)
    return 0


def _quantise(args: argparse.Namespace) -> int:
    from convert.stages import quantise_stage

    quantise_stage(Run(args.run), folders_of(args))
    return 0


def _calibrate(args: argparse.Namespace) -> int:
    from convert.stages import calibrate_stage

    calibrate_stage(Run(args.run), folders_of(args))
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    from convert.release import evaluate_bundle, evaluate_run

    if args.bundle is not None:
        evaluate_bundle(args.bundle, folders_of(args), args.out)
    else:
        evaluate_run(Run(args.run), folders_of(args), args.left_out_run, args.folds_run)
    return 0


def _folds(args: argparse.Namespace) -> int:
    from convert.folds import make_fold, report_folds
    from convert.release import print_report

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
    from convert.release import package_run

    print(package_run(Run(args.run), folders_of(args), args.out, args.name, args.bundle_version, args.replace))
    return 0


def _build(args: argparse.Namespace) -> int:
    from convert.keys import read_signing_key, signing_key_path
    from convert.package import require_free_name

    # What would stop the last stage is said before the hours of the first one.
    read_signing_key(signing_key_path())
    if not args.replace:
        require_free_name(args.out, args.name, args.bundle_version)
    for stage in (_train, _quantise, _calibrate, _evaluate_built, _package):
        status = stage(args)
        if status:
            return status
    return 0


def _evaluate_built(args: argparse.Namespace) -> int:
    from convert.release import evaluate_run

    evaluate_run(Run(args.run), folders_of(args), args.left_out_run, args.folds_run)
    return 0


def _duplicates(args: argparse.Namespace) -> int:
    from convert.duplicates import main as list_duplicates

    return list_duplicates(args.folder)


def _keygen(args: argparse.Namespace) -> int:
    from convert.keys import make_signing_key, signing_key_path
    from device.inference.bundle import TRUSTED_KEYS

    path = signing_key_path()
    public = TRUSTED_KEYS / f"{datetime.now(UTC):%Y-%m-%d}.pub"
    make_signing_key(path, public)
    print(f"private key: {path} (keep it, and never put it into the project)\npublic key: {public}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
