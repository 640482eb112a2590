# SPDX-License-Identifier: Apache-2.0
"""The verb ``compare``: its options, and from them the runs, the measurements, the table and the page."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from convert.compare.cost.export import Exported, export
from convert.compare.cost.measure import Cost, MeasureError, kept, measured
from convert.compare.engine import Crew, carry_out_all, result_path
from convert.compare.output.page import into_document, to_html
from convert.compare.output.plots import draw_plots
from convert.compare.output.rows import Row, gather
from convert.compare.output.shipped import Shipped, read_bundle
from convert.compare.output.table import markdown, to_csv
from convert.compare.phantom_sets import make_phantom_sets
from convert.compare.plan import Plan, cut_short, make_quick, plan_tasks
from convert.compare.task import DataChoice, Task
from convert.recipes.library import load_recipe, recipe_names
from convert.recipes.recipe import OwnRecipe, Recipe
from device.files import write_atomically


def run_comparison(args: argparse.Namespace) -> int:
    """Carry out what the command line asks for, and write ``comparison.md``, ``.csv``, ``.html`` and the plots."""
    folder: Path = args.out
    cache: Path = args.cache or folder / "cache"
    plan = plan_of(args, folder)
    tasks, missing = plan_tasks(plan), list[Task]()
    if args.finished:
        tasks, missing = _parted(tasks, folder)
    else:
        carry_out_all(tasks, folder, cache, Crew(args.scheduler, args.workers, args.threads), _tell)
    rows = make_rows(plan, tasks, folder, cache)
    bundles = _bundles(args.bundle, tasks, cache)
    drawn = draw_plots(rows, folder)
    text = markdown(rows, drawn, [*plan.data.load(), *plan.data.load_external()], bundles, missing)
    write_atomically(folder / "comparison.md", text.encode(), 0o644)
    write_atomically(folder / "comparison.csv", to_csv(rows, bundles).encode(), 0o644)
    write_atomically(folder / "comparison.html", to_html(text, drawn, folder).encode(), 0o644)
    _tell(f"{folder / 'comparison.html'}, .md and .csv: {len(rows)} rows, {len(drawn)} plots")
    if args.into is not None:
        into_document(args.into, text, drawn, folder)
        _tell(f"{args.into} and its plots")
    return 0


def _parted(planned: Sequence[Task], folder: Path) -> tuple[list[Task], list[Task]]:
    """Runs with a result, and those without."""
    parted: tuple[list[Task], list[Task]] = [], []
    for task in planned:
        parted[0 if result_path(folder, task.name()).exists() else 1].append(task)
    return parted


def make_rows(plan: Plan, tasks: Sequence[Task], folder: Path, cache: Path) -> list[Row]:
    """A row for every recipe that has a run, in the order of the plan, ours first."""
    ordered = sorted(plan.recipes, key=lambda recipe: not isinstance(recipe, OwnRecipe))
    of_recipe = {recipe.name: [task for task in tasks if task.recipe.name == recipe.name] for recipe in ordered}
    own = _own(tasks, cache)
    rows = []
    for recipe in ordered:
        runs = of_recipe[recipe.name]
        if runs:
            paths = [result_path(folder, task.name()) for task in runs]
            rows.append(gather(recipe, runs, paths, cut_short(recipe, plan), _cost(recipe, runs[0], own, cache)))
    return rows


def _own(tasks: Sequence[Task], cache: Path) -> Exported | None:
    ours = next((task for task in tasks if isinstance(task.recipe, OwnRecipe)), None)
    return None if ours is None else export(ours, cache)


def _cost(recipe: Recipe, task: Task, own: Exported | None, cache: Path) -> Cost:
    """Size, time beside ours and memory; what cannot be measured here is said and left open."""
    exported = export(task, cache)
    if exported is None:
        return Cost()
    known = Cost(
        parameters=exported.parameters,
        multiply_adds=exported.multiply_adds,
        float_mb=exported.float32.stat().st_size / 1e6,
        int8_mb=exported.int8.stat().st_size / 1e6,
        integer=exported.integer,
    )
    return _measured(recipe.name, known, exported.float32, exported.int8, own, exported.int8.parent)


def _measured(name: str, known: Cost, float32: Path | None, int8: Path, own: Exported | None, kept_in: Path) -> Cost:
    """What is known of a cost, and what is measured of it, once."""
    beside = None if own is None else (own.float32, own.int8)
    # A ratio belongs to the network that it is taken over, too.
    file = kept_in / f"cost-{own.int8.parent.name if own is not None else 'alone'}.json"

    def measure() -> Cost:
        _tell(f"measuring {name}")
        return measured(known, float32, int8, beside)

    try:
        return kept(file, measure)
    except MeasureError as error:
        _tell(str(error))
        return known


def _bundles(folders: Sequence[Path], tasks: Sequence[Task], cache: Path) -> list[Shipped]:
    """Shipped bundles with what their networks cost."""
    own = _own(tasks, cache)
    bundles = []
    for folder in folders:
        bundle = read_bundle(folder)
        known = Cost(int8_mb=bundle.network.stat().st_size / 1e6)
        digest = hashlib.sha256(bundle.network.read_bytes()).hexdigest()[:16]
        place = cache / "exports" / f"{bundle.name}-{digest}"
        bundles.append(replace(bundle, cost=_measured(bundle.name, known, None, bundle.network, own, place)))
    return bundles


def plan_of(args: argparse.Namespace, folder: Path) -> Plan:
    """What the options say, phantoms in place of images that a quick look was not given."""
    recipes = tuple(load_recipe(name) for name in args.recipes or recipe_names())
    limits = {}
    for text in args.at_most:
        name, _, number = text.partition("=")
        if not number.isdecimal():
            raise ValueError(f"--at-most {text}: write SET=NUMBER, for instance busbra=300")
        limits[name] = int(number)
    data = DataChoice(
        busi=args.busi,
        busbra=args.busbra,
        uclm=args.uclm,
        cbis=args.cbis,
        mammograms=args.mammograms,
        others=tuple(args.sets),
        limits=limits,
    )
    unseen = tuple(args.unseen)
    if args.quick and data == DataChoice():
        data, unseen = make_phantom_sets(folder / "phantoms"), ("uclm",)
    return Plan(
        recipes=tuple(make_quick(recipe) for recipe in recipes) if args.quick else recipes,
        data=data,
        parts=args.parts,
        unseen=unseen,
        backbones=args.backbones,
        quick=args.quick,
        whole=args.whole,
    )


def _tell(line: str) -> None:
    print(line, flush=True)
