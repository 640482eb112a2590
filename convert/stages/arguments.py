# SPDX-License-Identifier: Apache-2.0
"""The options of the stages of a build, and the plan of a training that they give; nothing heavy is loaded for them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from convert.data.folders import named_folder
from device.arguments import any_path, number_between, whole_number

if TYPE_CHECKING:
    from convert.train.fit import TrainingPlan

SIDES = (32, 1024)
"""Least and most pixels of a network's side: five halvings have to leave something, and a board has to hold it."""


_fold = number_between(0, 99)


def add_training(parser: argparse.ArgumentParser) -> None:
    """Network, training and split, for ``train``."""
    text = "train this recipe (see `recipes`) by the path of all recipes; --fold is then one of seven parts"
    parser.add_argument("--recipe", metavar="NAME|FILE", help=text)
    _recipe_arguments(parser)
    group = parser.add_argument_group("split")
    group.add_argument(
        "--fold", type=_fold, default=0, help="which of the grouped folds is the test part, counted from 0 (default: 0)"
    )
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
    group.add_argument(
        "--seed", type=number_between(0, 1_000_000), default=0, help="of weights, sampling and augmentation"
    )
    text = "finished runs whose soft targets are learned beside the labels (for folds: folders of folds)"
    group.add_argument("--teachers", type=any_path, nargs="+", default=[], metavar="RUN", help=text)
    text = "how much they count against the labels, 0 to 1 (default: 0.7)"
    group.add_argument("--teacher-share", type=float, default=0.7, metavar="SHARE", help=text)
    group.add_argument("--size", type=number_between(*SIDES), default=224, help="side of the input (default: 224)")


def add_folds(parser: argparse.ArgumentParser) -> None:
    """For ``folds``."""
    _recipe_arguments(parser)
    _with_left_out(parser)
    group = parser.add_argument_group("folds")
    group.add_argument("--folds", type=whole_number, default=5, help="number of grouped folds (default: 5)")
    text = "make only these folds now, counted from 0 (the report needs all of them)"
    group.add_argument("--only", type=_fold, nargs="+", metavar="FOLD", help=text)


def _with_others(parser: argparse.ArgumentParser) -> None:
    _with_left_out(parser)
    text = "folder of the folds of the same recipe (see `folds`); their figures join the report"
    parser.add_argument("--folds-run", type=any_path, metavar="DIR", help=text)


def _with_left_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--left-out-run",
        type=any_path,
        action="append",
        default=[],
        metavar="DIR",
        help="evaluated run that left a set or scanner out; its figures join the report (may be repeated)",
    )


def add_testing(parser: argparse.ArgumentParser) -> None:
    """For ``evaluate``."""
    _with_others(parser)
    parser.add_argument("--bundle", type=any_path, metavar="DIR", help="a bundle to test instead of a run")
    parser.add_argument(
        "--out",
        type=any_path,
        metavar="DIR",
        help="where the report of a bundle goes; with --own, the answer to each image. A run's is in its figures/",
    )
    text = "with --bundle, needs no set: your own images in folders normal, benign, malignant, which it has never seen"
    parser.add_argument("--own", type=_own_folder, metavar="[NAME=]DIR", help=text)


def _own_folder(text: str) -> tuple[str, Path]:
    name, equals, _ = text.partition("=")
    return named_folder(text) if equals and "/" not in name else ("own", any_path(text))


def add_packaging(parser: argparse.ArgumentParser) -> None:
    """Where a bundle goes and what it is called, for ``package``."""
    group = parser.add_argument_group("bundle")
    group.add_argument("--out", type=any_path, default=Path("models"), metavar="DIR", help="default: models")
    group.add_argument("--name", default="own", help="name of the bundle (default: own; mammascope is the shipped one)")
    group.add_argument("--bundle-version", default="0.1.0", metavar="X.Y.Z", help="default: 0.1.0")
    text = "pack it although targets are not met; they are named, and stand in the model card"
    group.add_argument("--accept", action="store_true", help=text)
    group.add_argument("--replace", action="store_true", help="overwrite a bundle of this name and version")
    text = "calibrated run of the same split whose network takes part in careful consideration (may be repeated)"
    group.add_argument("--careful-with", type=any_path, action="append", default=[], metavar="RUN", help=text)


def add_building(parser: argparse.ArgumentParser) -> None:
    """All that ``build`` needs."""
    _with_others(parser)
    add_training(parser)
    add_packaging(parser)


def plan_of(args: argparse.Namespace) -> TrainingPlan:
    """How a network is trained, as :func:`add_training` was answered.

    Raises:
        ValueError: The share of the teachers is none.
    """
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
