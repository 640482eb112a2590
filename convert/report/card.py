# SPDX-License-Identifier: Apache-2.0
"""The model card: one page that says what a bundle is for, how well it does, and where it fails.

It has the sections of the CHAI Applied Model Card (Coalition for Health AI, schema 0.2). The sentences stand in
``model_card.md``; every number comes from the manifest or the report, and what depends on them (which sets were left
out, whose terms bind) is written from them, so a worse model gets a worse card.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

from convert.report.card_data import NON_COMMERCIAL, describe
from convert.report.markdown import UNKNOWN, find, number, set_name, table, with_interval
from convert.report.targets import check_targets
from convert.report.targets import to_markdown as targets_table

Document = Mapping[str, Any]

_TEMPLATE = Path(__file__).with_name("model_card.md")

_USEFULNESS = {
    "AUC malignant/rest": "auc_malignant_vs_rest",
    "AUC benign/malignant": "auc_benign_vs_malignant",
    "accuracy": "accuracy",
    "balanced accuracy": "balanced_accuracy",
    "Dice of the outline": "dice",
}
_FAIRNESS = {
    "AUC benign/malignant": "auc_benign_vs_malignant",
    "sensitivity": "sensitivity_at_threshold",
    "specificity": "specificity_at_threshold",
    "benign called normal": "benign_called_normal",
}
_HOSPITALS = (
    "uncertain",
    "coverage",
    "sensitivity_at_threshold",
    "specificity_at_threshold",
    "auc_benign_vs_malignant",
)
_SAFETY = {
    "sensitivity at the operating point": "sensitivity_at_threshold",
    "specificity": "specificity_at_threshold",
    "answered": "coverage",
    "accuracy of these": "accuracy_decided",
    "malignant called normal or benign": "malignant_missed",
    "ECE": "ece",
}


def model_card(manifest: Document, report: Document) -> str:
    """The card as Markdown.

    Args:
        manifest: As in the bundle (``files`` may be missing: the card itself is one of them).
        report: As from ``convert.report.report.evaluate``.

    Raises:
        KeyError: One of them lacks a part.
    """
    values = _from_manifest(manifest) | _from_training(manifest["training"]) | _from_report(report)
    values["transfer"] = "\n".join(f"- {sentence}" for sentence in _transfer(manifest, report))
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(values)


def _from_manifest(manifest: Document) -> dict[str, object]:
    point, band, rejection = manifest["operating_points"][0], manifest["abstention"], manifest["rejection"]
    return {
        **manifest["preprocessing"],
        "name": manifest["name"],
        "version": manifest["version"],
        "date": str(manifest["created"])[:10],
        "classes": ", ".join(f"*{name}*" for name in manifest["classes"]),
        "outline_threshold": manifest["lesion"]["threshold"],
        "calibration": _calibration(manifest["calibration"]),
        "point_name": point["name"],
        "threshold": number(point["malignant_threshold"], 4),
        "target_sensitivity": number(point["target_sensitivity"], 2),
        "point_sensitivity": number(point["sensitivity"]),
        "point_specificity": number(point["specificity"]),
        "lower": number(band["lower"], 4),
        "upper": number(band["upper"], 4),
        "limit": number(rejection["limit"], 4),
        "source": "\n".join(_source(manifest)),
        "careful": "\n".join(_careful(manifest)),
    }


def _source(manifest: Document) -> Iterator[str]:
    """The two tiers in words, or what the one limit costs."""
    source = manifest.get("source")
    if not source:
        yield f"  Of the breast frames of the calibration part {manifest['rejection']['breast_loss']:.1%} do."
    else:
        refuse, accept = number(source["refuse_below"], 2), number(source["familiar_from"], 2)
        lower, upper = (number(source["abstention"][end], 4) for end in ("lower", "upper"))
        yield f"- **Out of distribution:** a frame whose log-odds of breast lie under {refuse} is *not evaluable*;"
        yield f"  of the breasts of a set that these layers were fitted without, {source['breast_loss']:.1%} are."
        near = number(source["familiar_distance"], 2)
        yield f"  From {accept} on, and within a distance of {near}, it is in-distribution. Between, the finding"
        yield f"  carries a caution, and malignant probabilities from {lower} to {upper} are *uncertain*."


def _careful(manifest: Document) -> Iterator[str]:
    """How a frozen frame and several views are considered."""
    careful, views = manifest.get("careful"), manifest.get("views")
    if careful:
        variants = len(careful["zooms"]) * (2 if careful["mirrored"] else 1)
        threshold = number(careful["operating_points"][0]["malignant_threshold"], 4)
        upper, spread = number(careful["abstention"]["upper"], 4), number(careful["spread_limit"], 2)
        networks = 1 + len(careful["further"])
        yield f"- **Careful consideration** of a frozen frame: networks: {networks}, variants: {variants},"
        yield f"  averaged in log-odds; operating point {threshold}, *uncertain* up to {upper} and where the malignant"
        yield f"  log-odds of all answers have a standard deviation of more than {spread}."
    if views:
        point = views["operating_point"]
        found = [number(point[name], 4 if name == "malignant_threshold" else 3) for name in _POINT]
        yield f"- **Two views of a lesion**, averaged in log-odds: operating point {found[0]}; on the calibration part"
        yield f"  it gave a sensitivity of {found[1]} and a specificity of {found[2]}."


_POINT = ("malignant_threshold", "sensitivity", "specificity")


def _from_training(training: Document) -> dict[str, object]:
    sets = training["datasets"]
    rows = [[describe(n).name, count, describe(n).terms, describe(n).known] for n, count in sets.items()]
    return {
        "images": sum(sets.values()),
        "split": training["split"],
        "seed": training["seed"],
        "backbone": find(training["settings"], "network", "backbone") or "that its settings in the manifest name",
        "software": ", ".join(f"{name} {version}" for name, version in sorted(training["software"].items())),
        "data_table": table(["data set", "images", "terms", "what is known"], rows, numbers=False),
        "terms": "\n".join(_terms(sets)),
        "bibliography": "\n".join(f"- {describe(name).name}: {describe(name).citation}." for name in sets),
    }


def _from_report(report: Document) -> dict[str, object]:
    interval = report["interval"]
    agreement = find(report, "folds", "agreement") or find(report, "held_out", "agreement") or {}
    tested = [f"{title} ({sections['all']['images']} images)" for title, sections in _evaluations(report)]
    return {
        "interval_level": f"{interval['level']:.0%}",
        "interval_method": interval["method"],
        "draws": interval["draws"],
        "hospitals_table": _hospitals(report),
        "tested": "; ".join(tested) or "**nothing was tested**",
        "usefulness_table": _figures(report, _USEFULNESS),
        "fairness_table": _figures(report, _FAIRNESS, scanners=True),
        "safety_table": _figures(report, _SAFETY),
        "same_assessment": with_interval(agreement.get("same_assessment"), 4),
        "auc_lost": with_interval(agreement.get("auc_lost"), 4),
        "rejected": with_interval(report["rejection"].get("rejected")),
        "breast_lost": with_interval(report["rejection"].get("breast_lost")),
        "targets_table": targets_table(check_targets(report)),
        "shortcuts": "\n".join(_shortcuts(report)),
    }


def _hospitals(report: Document) -> str:
    """What a hospital meets that took no part in training: first of all figures, since every new user is one."""
    header = ["never seen", "images", "refused", "with a caution", "uncertain", "named", "sensitivity", "specificity"]
    header.append("AUC benign/malignant")
    rows = []
    shares = report.get("sources", {})
    for name, evaluation in report["left_out"].items():
        figures = evaluation["int8"]["all"]["figures"]
        source = [with_interval(shares.get(name, {}).get(what)) for what in ("refused", "unfamiliar")]
        cells = [with_interval(figures[what]) for what in _HOSPITALS]
        rows.append([set_name(name), evaluation["int8"]["all"]["images"], *source, *cells])
    if len(rows) > 1:
        rows.append(_mean_of_hospitals(report))
    for name, share in shares.items():
        if name not in report["left_out"]:
            both = [with_interval(share[what]) for what in ("refused", "unfamiliar")]
            rows.append([set_name(name), UNKNOWN, *both, *[UNKNOWN] * 5])
    return table(header, rows) if rows else "**Not measured** for this bundle."


def _mean_of_hospitals(report: Document) -> list[str]:
    """The row of what a further hospital may expect; no interval, since hospitals are few and no sample of all."""

    def mean(figures: list[Any]) -> str:
        values = [figure["value"] for figure in figures if figure is not None and figure["value"] is not None]
        return number(sum(values) / len(values) if values else None)

    shares = [report.get("sources", {}).get(name, {}) for name in report["left_out"]]
    figures = [evaluation["int8"]["all"]["figures"] for evaluation in report["left_out"].values()]
    sources = [mean([share.get(what) for share in shares]) for what in ("refused", "unfamiliar")]
    return ["**mean of these**", UNKNOWN, *sources, *(mean([row[what] for row in figures]) for what in _HOSPITALS)]


def _transfer(manifest: Document, report: Document) -> Iterator[str]:
    """What became of the operating point on data sets and scanners that took no part in training."""
    target = number(manifest["operating_points"][0]["target_sensitivity"], 2)
    if not report["left_out"]:
        yield "How it does in a hospital that took no part in training was **not measured** for this bundle."
    for name, evaluation in report["left_out"].items():
        figures = evaluation["int8"]["all"]["figures"]
        sensitivity, specificity = (
            with_interval(figures[f"{name}_at_threshold"]) for name in ("sensitivity", "specificity")
        )
        yield (
            f"**A threshold does not travel unchanged:** chosen for a sensitivity of {target}, it gave {sensitivity}\n"
            f"  on {set_name(name)} when that took no part in training, with a specificity of {specificity}."
        )


def _shortcuts(report: Document) -> Iterator[str]:
    if not report["shortcuts"]:
        yield "- Whether it takes shortcuts (the scanner, burned-in text) was **not measured** for this bundle."
    for name, figure in report["shortcuts"].items():
        yield f"- Shortcuts, measured: {name.replace('_', ' ')} {with_interval(figure)}."


def _terms(sets: Mapping[str, int]) -> Iterator[str]:
    binding = [set_name(name) for name in sets if name in NON_COMMERCIAL]
    if binding:
        yield f"- **Trained with {', '.join(binding)}, whose terms are treated as non-commercial: so is this bundle.**"
        yield "  The training works without that set, for those who need other terms."
    else:
        yield "- It was trained without the sets that are restricted to non-commercial use; all sets want to be cited."


def _calibration(how: Document) -> str:
    first, second, alone = (number(how[name]) for name in ("whole", "lesion", "single_whole"))
    biases = ", ".join(number(value, 2) for value in how["bias"])
    return (
        f"softmax of {first} times the first pass's logits plus {second} times the second pass's plus\n"
        f"  ({biases}); {alone} times the first pass's where there is no second, with biases of its own. Fitted to\n"
        "  the int8 network on the calibration part."
    )


def _evaluations(report: Document) -> Iterator[tuple[str, Document]]:
    """Every evaluation with a name: the grouped folds or test part, and what was left out."""
    for key in ("folds", "held_out"):
        if report[key] is not None:
            yield report[key]["title"], report[key]["int8"]
    for name, evaluation in report["left_out"].items():
        yield f"{set_name(name)}, left out of training", evaluation["int8"]


def _figures(report: Document, columns: Mapping[str, str], scanners: bool = False) -> str:
    """A table of figures by evaluation, data set and, if wanted, scanner."""
    rows = []
    for title, sections in _evaluations(report):
        parts = {title: sections["all"]}
        if len(sections["sets"]) > 1:
            parts |= {f"{title}: {set_name(name)}": row for name, row in sections["sets"].items()}
        if scanners:
            others = {name: row for name, row in sections["scanners"].items() if name not in sections["sets"]}
            parts |= {f"{title}: scanner {name}": row for name, row in others.items()}
        rows += [
            [n, r["images"], *(with_interval(r["figures"][key]) for key in columns.values())] for n, r in parts.items()
        ]
    return table(["tested on", "images", *columns], rows)
