# SPDX-License-Identifier: Apache-2.0
"""The verbs of systems that are set side by side: ``compare``, ``recipes``, ``grad-cam`` and ``train --recipe``."""

from __future__ import annotations

import argparse
from pathlib import Path

from convert.data.folders import add_data_arguments, folders_of
from device.arguments import any_path, thread_count, whole_number


def add_comparison(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``compare``."""
    text = "every recipe on the same images: one table, and its plots"
    verb = verbs.add_parser("compare", help=text, description=text)
    _comparison_arguments(verb)
    verb.set_defaults(work=_compare, trains=True)


def add_recipes(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``recipes``."""
    text = "list the recipes; show or check one"
    verb = verbs.add_parser("recipes", help=text, description=text)
    verb.set_defaults(work=_recipes)
    actions = verb.add_subparsers(dest="action", metavar="show|check")
    for action, words in (("show", "print a recipe's file"), ("check", "say what is wrong with a recipe's file")):
        chosen = actions.add_parser(action, help=words, description=words)
        chosen.add_argument("recipe", metavar="NAME|FILE")


def add_grad_cam(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``grad-cam``."""
    text = "draw where the network of a `train --recipe` run looks"
    verb = verbs.add_parser("grad-cam", help=text, description=text)
    verb.set_defaults(work=_grad_cam, trains=True)
    verb.add_argument("images", type=any_path, nargs="+", metavar="IMAGE", help="image, video or DICOM files")
    verb.add_argument(
        "--run", type=any_path, default=Path("work/run"), metavar="DIR", help="run folder (default work/run)"
    )
    classes = ("normal", "benign", "malignant")
    verb.add_argument("--class", dest="name", choices=classes, help="default: the class that is most probable")
    verb.add_argument(
        "--out", type=any_path, default=Path(), metavar="DIR", help="folder for the pictures (default: here)"
    )


def _comparison_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=any_path, default=Path("work/comparison"), metavar="DIR", help="runs, table, plots"
    )
    parser.add_argument("--cache", type=any_path, metavar="DIR", help="features and states (default: cache/ of --out)")
    parser.add_argument("--recipes", nargs="+", default=[], metavar="NAME", help="names or files (default: all)")
    parser.add_argument("--quick", action="store_true", help="tiny pictures and trainings: does everything work?")
    text = "make no further run: the table of what is there"
    parser.add_argument("--finished", action="store_true", help=text)
    text = "bundles whose own reports are set beside the table, for instance models/mammascope-0.7.0"
    parser.add_argument("--bundle", type=any_path, nargs="+", default=[], metavar="DIR", help=text)
    text = "put tables and plots into this document, too, between its marks"
    parser.add_argument("--into", type=any_path, metavar="FILE", help=text)
    parser.add_argument("--whole", action="store_true", help="train rows to the end that are cut short otherwise")
    add_data_arguments(parser)
    group = parser.add_argument_group("images")
    group.add_argument(
        "--cbis", type=any_path, metavar="DIR", help="CBIS-DDSM: mammograms, with its description tables"
    )
    group.add_argument("--mammograms", type=any_path, metavar="DIR", help="folder with benign and malignant")
    group.add_argument("--unseen", nargs="*", default=[], metavar="SET", help="sets that are left out in turn")
    group.add_argument(
        "--at-most", nargs="*", default=[], metavar="SET=N", help="so many images of a set, whole groups"
    )
    group.add_argument("--parts", type=int, choices=range(1, 8), default=7, help="of the seven test parts (default: 7)")
    text = "folder of weights files that begin with the network's name; they stand for imagenet"
    group.add_argument("--backbones", type=any_path, metavar="DIR", help=text)
    group = parser.add_argument_group("workers")
    group.add_argument("--workers", type=whole_number, default=1, metavar="N", help="of the local cluster (default: 1)")
    group.add_argument("--threads", type=thread_count, default=1, metavar="N", help="of each run (default: 1)")
    group.add_argument("--scheduler", default="", metavar="ADDRESS", help="a running Dask scheduler instead")


def _compare(args: argparse.Namespace) -> int:
    from convert.compare.command import run_comparison

    return run_comparison(args)


def train_by_recipe(args: argparse.Namespace) -> int:
    """Do ``train --recipe``."""
    from convert.compare.one_recipe import train_recipe

    train_recipe(args.recipe, args.run, folders_of(args), args.fold, args.backbone, args.epochs, args.seed)
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


def _grad_cam(args: argparse.Namespace) -> int:
    from convert.compare.heat_maps import draw_heat_maps

    for path, name, found in draw_heat_maps(args.run, args.images, args.name, args.out):
        print(f"{path}: {name}" + ("" if found else ", for which nothing in the picture speaks"))
    return 0
