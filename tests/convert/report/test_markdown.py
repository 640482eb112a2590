# SPDX-License-Identifier: Apache-2.0
"""Numbers in tables: fixed digits, a dash for what is unknown, and no cell that breaks the table."""

from __future__ import annotations

from convert.report.markdown import find, number, over_folds, set_name, table, with_interval


def test_a_table_keeps_its_columns_whatever_a_cell_says() -> None:
    assert table(["what", "figure"], [["a|b", 1]]).splitlines() == [
        "| what | figure |",
        "| :--- | ---: |",
        "| a\\|b | 1 |",
    ]


def test_columns_of_words_stand_on_the_left() -> None:
    assert table(["what", "verdict"], [["a", "met"]], numbers=False).splitlines()[1] == "| :--- | :--- |"


def test_figures_show_their_interval_where_they_have_one() -> None:
    assert with_interval({"value": 0.91239, "low": 0.9, "high": 0.93}) == "0.912 [0.900, 0.930]"
    assert with_interval({"value": 0.91239, "low": None, "high": None}, 4) == "0.9124"
    assert with_interval({"value": None, "low": None, "high": None}) == "–"
    assert with_interval(None) == "–"
    assert over_folds({"mean": 0.9, "sd": 0.0123, "folds": 5}) == "0.900 ± 0.012"
    assert over_folds({"mean": None, "sd": None, "folds": 0}) == "–"
    assert number(0.0) == "0.000"


def test_a_path_that_ends_early_is_unknown() -> None:
    assert find({"a": {"b": 3}}, "a", "b") == 3
    assert find({"a": {"b": 3}}, "a", "c", "d") is None
    assert find({"a": None}, "a", "b") is None
    assert set_name("busbra") == "BUS-BRA"
    assert set_name("Logiq 5") == "Logiq 5"
