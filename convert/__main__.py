# SPDX-License-Identifier: Apache-2.0
"""The command line that makes bundles: ``python -m convert VERB ...``, one verb a stage and one for all of them.

``build`` goes through all stages; each stage can be repeated alone on the same run folder. Everything is seeded, and a
training that was interrupted goes on where it was when the same command is given again. A room that offers verbs has
them, with their options, in its ``verbs``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

# Nothing heavy here, nor in what adds a verb: --help answers at once, each verb loads what it needs.
from convert.compare.verbs import add_comparison, add_grad_cam, add_recipes, train_by_recipe
from convert.data.verbs import add_duplicates
from convert.errors import ConvertError
from convert.quiet import load_keras
from convert.release.verbs import add_keygen, add_sites
from convert.stages.verbs import add_stages
from device.errors import MammascopeError

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130

_PURPOSE = "Train, test and sign the models that handhelds run."

_BACKBONES = (
    "Backbone files (.weights.h5 or .npz, without head): Keras downloads ImageNet's for the networks that it knows and "
    "keeps them in ~/.keras/models; a file from there can be named with --backbone on a machine without a connection."
)


_GOES_ON = "; what is finished is kept, and the same command goes on from there"


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
    except KeyboardInterrupt:
        print(f"{args.verb}: stopped{_GOES_ON if args.trains else ''}", file=sys.stderr)
        return EXIT_INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """Every verb with its options."""
    parser = argparse.ArgumentParser(prog="python -m convert", description=_PURPOSE, epilog=_BACKBONES)
    parser.set_defaults(trains=False)
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    add_stages(verbs, train_by_recipe)
    for add in (add_comparison, add_duplicates, add_keygen, add_recipes, add_grad_cam, add_sites):
        add(verbs)
    return parser


if __name__ == "__main__":
    sys.exit(main())
