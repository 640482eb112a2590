# SPDX-License-Identifier: Apache-2.0
"""The table says what was measured: figures, marks, claims, and a dash where nothing is known."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from convert.compare.cost.measure import Cost
from convert.compare.output.page import into_document, to_html
from convert.compare.output.plots import draw_plots
from convert.compare.output.rows import Block, Row, overlap_figures
from convert.compare.output.shipped import read_bundle
from convert.compare.output.table import (
    costs,
    details,
    images,
    markdown,
    not_run,
    outlines,
    overview,
    report,
    to_csv,
    trainings,
)
from convert.compare.phantom_sets import make_phantom_sets
from convert.compare.protocols import Protocol
from convert.compare.task import Task
from convert.evaluate.intervals import figures
from convert.evaluate.metrics import confusion_figures, discrimination_figures
from convert.recipes.library import load_recipe
from convert.train.architectures.weights import Weights
from tests.convert.made_up import make_predictions


def block(seed: int, protocol: Protocol, unseen: str = "", strength: float = 1.5) -> Block:
    predictions = make_predictions(seed, n=120, strength=strength)
    found = figures(predictions, (confusion_figures, discrimination_figures), draws=30)
    found |= overlap_figures(np.array([0.2, 0.6, np.nan, 1.0]), np.array(["a", "b", "c", "d"]), 30)
    return Block(protocol, unseen, len(predictions), found, predictions)


def rows() -> list[Row]:
    three = {"grouped": block(1, Protocol.GROUPED), "random": block(2, Protocol.RANDOM, strength=3.0)}
    three["unseen uclm"] = block(3, Protocol.UNSEEN, "uclm", 0.7)
    cost = Cost(4_000_000, 300_000_000, 16.1, 4.3, 1.0, 1.0, 30.0, 12.0)
    heavy = Cost(66_000_000, 5_000_000_000, 256.0, 70.0, 25.0, 40.0, 700.0, 200.0, integer=False)
    outline = Block(Protocol.GROUPED, "", 4, overlap_figures(np.array([0.1, 0.9]), np.array(["a", "b"]), 30), None)
    return [
        Row(load_recipe("mammascope"), "ImageNet (file x)", False, three, (1.1, 0.4), 8, 0, cost),
        Row(load_recipe("efficientnet_b7"), "random", True, dict(three), (2.0, 1.5), 10, 0, heavy),
        Row(load_recipe("cadx_nasnet_large"), "random", False, {"grouped": three["grouped"]}, None, 0, 37, heavy),
        Row(load_recipe("classical_outline"), "", False, {"grouped": outline}),
    ]


def line_of(table: str, start: str) -> list[str]:
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {start}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_overview_sets_the_claim_beside_every_division() -> None:
    text = overview(rows())
    cells = line_of(text, "EfficientNet-B7")
    assert cells[0].endswith("*")
    assert "98 % accuracy" in cells[2]
    assert cells[1] == "random"
    assert "unseen hospital (BUS-UCLM left out): AUC" in text
    grouped = rows()[0].blocks["grouped"].figures["accuracy"]
    assert f"{grouped.value:.2f} [{grouped.low:.2f}, {grouped.high:.2f}]" in line_of(text, "Mammascope")
    assert "classical" not in text
    assert line_of(text, "CADx")[-1] == "–"


def test_headings_keep_the_names_of_sets() -> None:
    assert "## Unseen hospital (BUS-UCLM left out)" in markdown(rows(), {})


def test_details_have_the_figures_of_every_class() -> None:
    text = details(rows(), "random")
    header = line_of(text, "recipe")
    for name in (
        "sensitivity",
        "specificity",
        "precision",
        "F1 macro",
        "F1 normal",
        "F1 benign",
        "F1 malignant",
        "AUC",
    ):
        assert name in header
    assert len(line_of(text, "Mammascope")) == len(header)
    assert "CADx" not in text


def test_costs_say_what_is_not_an_integer_and_what_is_not_known() -> None:
    text = costs(rows())
    assert line_of(text, "EfficientNet-B7")[1:3] == ["66.00", "5.00"]
    assert "partly float" in line_of(text, "EfficientNet-B7")[6]
    assert set(line_of(text, "classical")[1:]) == {"–"}


def test_outlines_and_trainings() -> None:
    assert line_of(outlines(rows()), "classical")[2].startswith("0.50")
    text = trainings(rows())
    assert line_of(text, "EfficientNet-B7")[2:] == ["10", "2.000", "1.500", "no: cut short"]
    assert line_of(text, "CADx")[2] == "37 components kept"


def test_every_figure_is_in_the_csv() -> None:
    lines = list(csv.DictReader(io.StringIO(to_csv(rows()))))
    published = [x for x in lines if x["division"] == "published" and x["recipe"] == "efficientnet_b7"]
    assert {x["figure"]: x["value"] for x in published}["f1_malignant"] == "0.83"
    one = [x for x in lines if (x["recipe"], x["division"], x["figure"]) == ("mammascope", "unseen uclm", "f1_macro")]
    assert float(one[0]["value"]) == pytest.approx(rows()[0].blocks["unseen uclm"].figures["f1_macro"].value, abs=1e-6)
    assert any(x["division"] == "cost" and x["figure"] == "int8_ratio" for x in lines)


class _Checked(HTMLParser):
    """Counts what opens and closes, and what would be loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.cells += tag in ("td", "th")
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("img", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing(tmp_path: Path) -> None:
    drawn = draw_plots(rows(), tmp_path)
    text = markdown(rows(), drawn)
    page = _Checked()
    page.feed(to_html(text + "\n\n<script>alert(1)</script>\n", drawn, tmp_path))
    assert page.open == []
    assert len(page.sources) == len(drawn)
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert page.cells > 100
    for name in drawn.values():
        assert f"({name})" in text


def test_every_plot_is_drawn_and_shows_something(tmp_path: Path) -> None:
    drawn = draw_plots(rows(), tmp_path)
    wanted = {"accuracy-latency", "accuracy-size", "roc-grouped", "roc-random", "roc-unseen-uclm", "confusion-grouped"}
    assert wanted <= {Path(name).stem for name in drawn.values()}
    for name in drawn.values():
        pixels = cv2.imread(str(tmp_path / name))
        assert pixels is not None
        assert pixels.std() > 10
        assert pixels.shape[1] > 500


def test_nothing_to_plot_is_no_error(tmp_path: Path) -> None:
    assert draw_plots(rows()[-1:], tmp_path) == {}


def make_bundle(folder: Path, trained_on: list[str]) -> Path:
    """The two files that the comparison reads of a bundle."""
    figure = {"value": 0.9, "low": 0.85, "high": 0.95}
    row = {"images": 7, "figures": {"accuracy": figure, "auc_malignant_vs_rest": {"value": None}}}
    report = {"folds": {"int8": {"sets": {"busi": row}}}, "left_out": {"uclm": {"int8": {"all": row}}}}
    folder.mkdir(exist_ok=True)
    (folder / "figures.json").write_text(json.dumps(report), encoding="utf-8")
    manifest = {"network": "model.tflite", "training": {"datasets": dict.fromkeys(trained_on, 5)}}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def test_a_bundles_own_report_stands_beside_the_table(tmp_path: Path) -> None:
    bundle = read_bundle(make_bundle(tmp_path / "b-1", ["busi"]))
    text = report(bundle)
    assert line_of(text, "BUSI, grouped folds")[1:3] == ["7", "0.90 [0.85, 0.95]"]
    assert line_of(text, "BUS-UCLM, left out")[6] == "–"
    page = markdown(rows(), {}, bundles=[bundle])
    assert "## b-1, by its own report" in page
    lines = list(csv.DictReader(io.StringIO(to_csv(rows(), [bundle]))))
    (own,) = [x for x in lines if x["recipe"] == "b-1" and x["division"] == "own report: BUSI, grouped folds"]
    assert (own["figure"], own["value"], own["images"]) == ("accuracy", "0.900000", "7")
    with pytest.raises(ValueError, match=r"figures\.json"):
        read_bundle(tmp_path / "nowhere")


def test_a_bundle_is_not_tested_on_what_it_was_trained_on(tmp_path: Path) -> None:
    left_out, trained = (read_bundle(make_bundle(tmp_path / name, sets)) for name, sets in (
        ("left", ["busi"]), ("trained", ["busi", "busbra"])
    ))  # fmt: skip
    one = rows()[0]
    blocks = one.blocks | {"unseen busbra": block(4, Protocol.UNSEEN, "busbra")}
    text = overview([replace(one, blocks=blocks)], [left_out, trained])
    # recipe, weights, claim, then accuracy and AUC of groups, chance, UCLM and BUS-BRA
    value, said = "0.90 [0.85, 0.95]", "trained on it"
    assert line_of(text, "left, shipped")[3:] == [value, "–", said, said, value, "–", "–", "–"]
    assert line_of(text, "trained, shipped")[3:] == [value, "–", said, said, value, "–", said, said]


def test_the_images_are_counted_by_set_and_class(tmp_path: Path) -> None:
    samples = make_phantom_sets(tmp_path).load()
    text = images(samples)
    assert line_of(text, "BUSI")[1:6] == ["42", "42", "14", "14", "14"]
    assert line_of(text, "BUS-UCLM")[1:6] == ["12", "12", "4", "4", "4"]
    assert "divided" in line_of(text, "BUSI")[6]


def test_what_was_not_run_is_named(tmp_path: Path) -> None:
    data = make_phantom_sets(tmp_path)
    tasks = [
        Task(
            recipe=load_recipe(name), weights=Weights("random"), protocol=protocol, unseen=unseen, part=part, data=data
        )
        for name, protocol, unseen, part in (
            ("vgg16", Protocol.RANDOM, "", 0),
            ("vgg16", Protocol.RANDOM, "", 1),
            ("vgg16", Protocol.UNSEEN, "uclm", 0),
            ("alexnet", Protocol.GROUPED, "", 1),
        )
    ]
    text = not_run(tasks)
    assert line_of(text, "VGG16")[1] == "random image split; unseen hospital (BUS-UCLM left out)"
    assert line_of(text, "AlexNet")[1] == "duplicate-free groups"
    assert "## Not run yet" in markdown(rows(), {}, missing=tasks)
    assert "Not run" not in markdown(rows(), {})


def test_the_load_is_said_where_time_was_measured() -> None:
    one, other = rows()[:2]
    said = [replace(each, cost=replace(each.cost, load=load)) for each, load in ((one, 1.25), (other, 6.0))]
    assert "load was 1.2 to 6.0" in markdown(said, {})
    assert "load was" not in markdown(rows(), {})


DOCUMENT = "before\n<!-- table -->\n## what was there\n<!-- end of the table -->\nafter\n"


def test_a_document_gets_the_table_in_place_of_its_old_one(tmp_path: Path) -> None:
    drawn = draw_plots(rows()[:1], tmp_path)
    document = tmp_path / "docs" / "comparison.md"
    stale = tmp_path / "docs" / "comparison" / "gone.png"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"x")
    document.write_text(DOCUMENT, encoding="utf-8")
    for _ in range(2):
        into_document(document, markdown(rows(), drawn), drawn, tmp_path)
        text = document.read_text(encoding="utf-8")
        assert text.startswith("before\n<!-- table -->\n")
        assert text.endswith("\n<!-- end of the table -->\nafter\n")
        assert "what was there" not in text
        assert "\n# Comparison" not in text
        assert text.count("\n### Cost\n") == 1
        for name in drawn.values():
            assert text.count(f"](comparison/{name})") == 1
        assert {path.name for path in stale.parent.iterdir()} == set(drawn.values())


@pytest.mark.parametrize("text", ["no place", "<!-- table -->\nno end", None])
def test_a_document_without_a_place_is_refused(tmp_path: Path, text: str | None) -> None:
    document = tmp_path / "other.md"
    if text is not None:
        document.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"other\.md"):
        into_document(document, "# Comparison", {}, tmp_path)
    assert not document.exists() or document.read_text(encoding="utf-8") == text


def test_overlap_counts_images_with_a_lesion_only() -> None:
    found = overlap_figures(np.array([0.5, np.nan, 1.0, 0.0]), np.array(["a", "b", "c", "d"]), 200)
    assert found["dice"].value == pytest.approx(0.5)
    assert found["jaccard"].value == pytest.approx((1 / 3 + 1 + 0) / 3)
    assert found["found"].value == pytest.approx(2 / 3)
    assert 0.0 <= found["dice"].low < found["dice"].high <= 1.0
