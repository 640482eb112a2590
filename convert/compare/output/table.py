# SPDX-License-Identifier: Apache-2.0
"""The comparison as tables: Markdown for people, and every figure with its interval as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from convert.compare.cost.measure import Cost
from convert.compare.output.rows import Block, Row
from convert.compare.output.shipped import Shipped
from convert.compare.task import Task, papers_set
from convert.data.datasets.sample import Sample
from convert.evaluate.intervals import Estimate
from convert.report.markdown import UNKNOWN, set_name, table
from device.inference.finding import CLASSES

_DETAILS = {
    "accuracy": "accuracy",
    **{measure: f"{measure}_malignant" for measure in ("sensitivity", "specificity", "precision")},
    "AUC": "auc_malignant_vs_rest",
    "F1 macro": "f1_macro",
    **{f"F1 {label}": f"f1_{label}" for label in CLASSES},
}
"""Columns of all figures, and what each is called among the figures."""


def headings(rows: Sequence[Row]) -> list[str]:
    """The divisions that any row has, in the order in which they were asked for."""
    return list(dict.fromkeys(name for row in rows for name in row.blocks))


def block_title(name: str) -> str:
    """A division in words."""
    kind, _, unseen = name.partition(" ")
    if kind == "unseen":
        return f"unseen hospital ({set_name(unseen)} left out)"
    return {"random": "random image split", "grouped": "duplicate-free groups"}[kind]


def figure(estimate: Estimate | None, digits: int = 2) -> str:
    """A figure with its interval in brackets."""
    if estimate is None or math.isnan(estimate.value):
        return UNKNOWN
    text = f"{estimate.value:.{digits}f}"
    if math.isnan(estimate.low):
        return text
    return f"{text} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"


def markdown(
    rows: Sequence[Row],
    plots: Mapping[str, str],
    samples: Sequence[Sample] = (),
    bundles: Sequence[Shipped] = (),
    missing: Sequence[Task] = (),
) -> str:
    """The whole page.

    Args:
        rows: Of the comparison.
        plots: File names by caption.
        samples: All images that take part.
        bundles: That are set beside the rows.
        missing: Runs of the plan that have no result.
    """
    parts = ["# Comparison", ""]
    if samples:
        parts += ["## Images", "", images(samples), ""]
    if missing:
        parts += ["## Not run yet", "", not_run(missing), ""]
    parts += [
        "## Accuracy and AUC (malignant against the rest)",
        "",
        overview(rows, bundles),
        "",
        *_notes(rows, bundles),
    ]
    for name in headings(rows):
        parts += [f"## {_sentence(block_title(name))}", "", details(rows, name), ""]
    for bundle in bundles:
        parts += [f"## {bundle.name}, by its own report", "", report(bundle), ""]
    parts += ["## Cost", "", costs(rows, bundles), "", *_load(rows, bundles)]
    parts += ["## The lesion's outline", "", outlines(rows), ""]
    parts += ["## Trainings", "", trainings(rows), ""]
    for caption, file in plots.items():
        parts += [f"## {caption}", "", f"![{caption}]({file})", ""]
    return "\n".join(parts)


def images(samples: Sequence[Sample]) -> str:
    """How many images of each set take part, and what is divided."""
    divided = {sample.dataset for sample in papers_set(samples)}
    lines = []
    for name in dict.fromkeys(sample.dataset for sample in samples):
        of_set = [sample for sample in samples if sample.dataset == name]
        by_class = Counter(sample.label for sample in of_set)
        use = "divided by chance and by groups; trained on for other hospitals" if name in divided else (
            "an unseen hospital, or trained on for another"
        )  # fmt: skip
        groups = len({sample.group for sample in of_set})
        lines.append([set_name(name), len(of_set), groups, *(by_class[label] for label in range(len(CLASSES))), use])
    return table(["set", "images", "groups", *CLASSES, "use"], lines, numbers=False)


def not_run(missing: Sequence[Task]) -> str:
    """Which recipes have no result on which division."""
    lines = []
    for name in dict.fromkeys(task.recipe.name for task in missing):
        own = [task for task in missing if task.recipe.name == name]
        divisions = dict.fromkeys(f"{task.protocol} {task.unseen}".strip() for task in own)
        lines.append([own[0].recipe.title, "; ".join(block_title(division) for division in divisions)])
    return table(["recipe", "division"], lines, numbers=False)


def _notes(rows: Sequence[Row], bundles: Sequence[Shipped]) -> list[str]:
    """What the marks of the overview mean, where they stand in it."""
    notes = []
    if any(row.shortened for row in rows):
        notes += ["Rows with a star are cut short: trained only so far that their loss is seen to fall.", ""]
    if bundles:
        notes += [
            "† by the bundle's own report, made when it was released: integers, both passes, and the images that stand "
            "below. Shipped weights are never tested on images that they were trained on.",
            "",
        ]
    return notes


def _load(rows: Sequence[Row], bundles: Sequence[Shipped]) -> list[str]:
    costs = [*(row.cost for row in rows), *(bundle.cost for bundle in bundles)]
    loads = [cost.load for cost in costs if cost.load is not None]
    if not loads:
        return []
    return [
        "Processor time was measured, not the clock's, ours and the other in turn; meanwhile the machine's load was "
        f"{min(loads):.1f} to {max(loads):.1f}.",
        "",
    ]


def _sentence(words: str) -> str:
    """With a capital at the beginning; names inside keep theirs."""
    return words[:1].upper() + words[1:]


def overview(rows: Sequence[Row], bundles: Sequence[Shipped] = ()) -> str:
    """One line a recipe: what its authors claim, and what it did on each division."""
    names = headings(rows)
    header = ["recipe", "weights", "published claim"]
    header += [f"{block_title(name)}: {what}" for name in names for what in ("accuracy", "AUC")]
    lines = []
    for row in _classifying(rows):
        claim = row.recipe.published.claim if row.recipe.published else UNKNOWN
        cells = [marked(row), row.weights.partition(" (")[0], claim]
        for name in names:
            found = row.blocks[name].figures if name in row.blocks else {}
            cells += [figure(found.get("accuracy")), figure(found.get("auc_malignant_vs_rest"))]
        lines.append(cells)
    lines += [_shipped(bundle, names) for bundle in bundles]
    return table(header, lines, numbers=False)


def _shipped(bundle: Shipped, names: Sequence[str]) -> list[str]:
    cells = [f"{bundle.name}, shipped †", "its own", UNKNOWN]
    for name in names:
        found = bundle.of(name, "busi" if name == "grouped" else "")
        if found is not None:
            cells += [figure(found.figures.get("accuracy")), figure(found.figures.get("auc_malignant_vs_rest"))]
            continue
        # By chance, near copies of its training images would be among those it is tested on.
        trained = name == "random" or name.removeprefix("unseen ") in bundle.trained_on
        cells += ["trained on it" if trained else UNKNOWN] * 2
    return cells


def details(rows: Sequence[Row], name: str) -> str:
    """All figures of one division: of malignant against the rest, over the classes, and of each class."""
    lines = [
        [marked(row), str(block.images), *(figure(block.figures.get(key)) for key in _DETAILS.values())]
        for row, block in _with_block(rows, name)
    ]
    return table(["recipe", "images", *_DETAILS], lines)


def report(bundle: Shipped) -> str:
    """All figures of a bundle's report, set by set."""
    lines = [
        [each.title, str(each.images), *(figure(each.figures.get(key)) for key in _DETAILS.values())]
        for each in bundle.reported
    ]
    return table([f"{bundle.name}, int8", "images", *_DETAILS], lines)


def costs(rows: Sequence[Row], bundles: Sequence[Shipped] = ()) -> str:
    """Size, operations, time and memory."""
    header = [
        "recipe", "parameters (M)", "multiply-adds (G)", "float (MB)", "int8 (MB)", "time / ours, float",
        "time / ours, int8", "memory, float (MB)", "memory, int8 (MB)",
    ]  # fmt: skip
    lines = [[row.recipe.title, *_cost(row.cost)] for row in rows]
    lines += [[f"{bundle.name}, shipped", *_cost(bundle.cost)] for bundle in bundles]
    return table(header, lines)


def _cost(cost: Cost) -> list[str]:
    return [
        _number(None if cost.parameters is None else cost.parameters / 1e6, 2),
        _number(None if cost.multiply_adds is None else cost.multiply_adds / 1e9, 2),
        _number(cost.float_mb, 1),
        _number(cost.int8_mb, 1),
        _number(cost.float_ratio, 2),
        _number(cost.int8_ratio, 2) + ("" if cost.integer else " (partly float)"),
        _number(cost.float_memory_mb, 0),
        _number(cost.int8_memory_mb, 0),
    ]


def outlines(rows: Sequence[Row]) -> str:
    """Overlap with the masks, of every recipe that draws an outline."""
    header = ["recipe", "division", "mean Dice", "mean Jaccard", "found (Dice 0.5 or more)"]
    lines = [
        [marked(row), block_title(block.name), *(figure(block.figures.get(k)) for k in ("dice", "jaccard", "found"))]
        for row in rows
        for block in row.blocks.values()
        if "found" in block.figures
    ]
    return table(header, lines, numbers=False)


def trainings(rows: Sequence[Row]) -> str:
    """How long each was trained, and that its loss fell."""
    header = ["recipe", "weights", "epochs", "loss, first epoch", "loss, last epoch", "to the end"]
    lines = []
    for row in _classifying(rows):
        first, last = row.losses or (math.nan, math.nan)
        if row.components:
            epochs, ended = f"{row.components} components kept", "yes"
        else:
            epochs, ended = str(row.epochs), "no: cut short" if row.shortened else "yes"
        lines.append([row.recipe.title, row.weights, epochs, _number(first, 3), _number(last, 3), ended])
    return table(header, lines, numbers=False)


def to_csv(rows: Sequence[Row], bundles: Sequence[Shipped] = ()) -> str:
    """Every figure: recipe, weights, division, images, figure, value, low, high; costs have no division."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["recipe", "weights", "cut_short", "division", "images", "figure", "value", "low", "high"])
    for row in rows:
        start = [row.recipe.name, row.weights, int(row.shortened)]
        published = row.recipe.published
        if published is not None:
            for name, value in (("accuracy", published.accuracy), ("auc", published.auc), *published.f1.items()):
                if value is not None:
                    label = f"f1_{name}" if name in CLASSES else name
                    writer.writerow([*start, "published", "", label, value, "", ""])
        for block in row.blocks.values():
            writer.writerows([*start, *line] for line in _values(block.name, block.images, block.figures))
        writer.writerows([*start, *line] for line in _cost_values(row.cost))
    for bundle in bundles:
        start = [bundle.name, "its own", 0]
        for each in bundle.reported:
            division = f"own report: {each.title}"
            writer.writerows([*start, *line] for line in _values(division, each.images, each.figures))
        writer.writerows([*start, *line] for line in _cost_values(bundle.cost))
    return text.getvalue()


def _values(division: str, count: int, found: Mapping[str, Estimate]) -> Iterator[list[object]]:
    for name, estimate in found.items():
        yield [division, count, name, *("" if math.isnan(v) else f"{v:.6f}" for v in estimate)]


def _cost_values(cost: Cost) -> Iterator[list[object]]:
    for name in cost.__dataclass_fields__:
        value = getattr(cost, name)
        if value is not None and name != "integer":
            yield ["cost", "", name, value, "", ""]


def _classifying(rows: Iterable[Row]) -> Iterator[Row]:
    return (row for row in rows if any(block.predictions is not None for block in row.blocks.values()))


def _with_block(rows: Iterable[Row], name: str) -> Iterator[tuple[Row, Block]]:
    return ((row, row.blocks[name]) for row in _classifying(rows) if name in row.blocks)


def marked(row: Row) -> str:
    """A row's title, with a star where it was cut short."""
    return f"{row.recipe.title}{' *' if row.shortened else ''}"


def _number(value: float | None, digits: int) -> str:
    return UNKNOWN if value is None or math.isnan(value) else f"{value:.{digits}f}"
