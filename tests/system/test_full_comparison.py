# SPDX-License-Identifier: Apache-2.0
"""``compare --quick`` with every recipe of the project, NASNet-Large and EfficientNet-B7 among them.

    python -m pytest tests/system/test_full_comparison.py

The default suite does this with one recipe of each kind (``tests/convert/compare/test_command.py``).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from convert.recipes.library import recipe_names
from tests.convert.compare.quick import check_page, check_row, compare

LONGEST_S = 2 * 3600.0
"""On a machine with other work; two idle cores need minutes."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("comparison")
    done = compare("--quick", "--out", str(out), seconds=LONGEST_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return out


@pytest.mark.timeout(LONGEST_S)
@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_is_trained_tested_on_every_division_and_measured(folder: Path, name: str) -> None:
    check_row(folder, name)


def test_the_page_has_every_table_and_plot(folder: Path) -> None:
    check_page(folder, recipe_names())
