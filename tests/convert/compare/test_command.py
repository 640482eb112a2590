# SPDX-License-Identifier: Apache-2.0
"""``compare --quick`` with one recipe of each kind: every division and plot, from phantoms that it draws itself.

``tests/system/test_full_comparison.py`` does the same with every recipe, in a process of its own as a user starts it;
here the process that has loaded TensorFlow for other tests does it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from convert.__main__ import main
from tests.convert.compare.quick import check_page, check_row
from tests.patience import PATIENT_S

CHAIN = """name: chain
kind: cadx
title: chain
source: a test
picture: {size: 48, colour: pseudocolour}
network: {architecture: simple_cnn, weights: random}
components: 6
folds: 2
"""
"""Features and support vectors on the smallest network."""

NAMES = ("mammascope", "simple_cnn", "classical_outline")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What ``--recipes`` is given for each row: a name, or a file of one's own."""
    chain = tmp_path_factory.mktemp("recipes") / "chain.yaml"
    chain.write_text(CHAIN, encoding="utf-8")
    return {**{name: name for name in NAMES}, "chain": str(chain)}


@pytest.fixture(scope="module")
def folder(rows: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("comparison")
    assert main(["compare", "--quick", "--out", str(out), "--recipes", *rows.values()]) == 0
    return out


@pytest.mark.timeout(6 * PATIENT_S)
@pytest.mark.parametrize("name", [*NAMES, "chain"])
def test_a_recipe_is_trained_tested_on_every_division_and_measured(
    folder: Path, rows: dict[str, str], name: str
) -> None:
    check_row(folder, rows[name])


def test_the_page_has_every_table_and_plot(folder: Path, rows: dict[str, str]) -> None:
    check_page(folder, list(rows.values()))


def test_what_is_finished_is_not_done_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = {path: path.stat().st_mtime_ns for path in folder.rglob("*.zip")}
    costs = {path: path.stat().st_mtime_ns for path in folder.rglob("cost-*.json")}
    assert (len(results), len(costs)) == (12, 3)
    before = (folder / "comparison.csv").read_text(encoding="utf-8")
    assert (
        main(["compare", "--quick", "--finished", "--out", str(folder), "--recipes", "mammascope", "simple_cnn"]) == 0
    )
    assert {path: path.stat().st_mtime_ns for path in (*results, *costs)} == results | costs
    assert "measuring" not in capsys.readouterr().out
    own = [line for line in before.splitlines() if line.startswith(("recipe,", "mammascope,", "simple_cnn,"))]
    assert (folder / "comparison.csv").read_text(encoding="utf-8").splitlines() == own


def test_without_ours_nothing_is_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--quick", "--out", str(tmp_path), "--recipes", "vgg16"]) == 2
    assert "mammascope" in capsys.readouterr().err
