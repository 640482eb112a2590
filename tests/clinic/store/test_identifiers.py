# SPDX-License-Identifier: Apache-2.0
"""Names of rows, as they stand in addresses and files."""

from __future__ import annotations

import re

from clinic.store.schema import opaque_id


def test_the_name_of_a_row_is_the_same_in_an_address_a_spreadsheet_and_on_a_command_line() -> None:
    names = {opaque_id() for _ in range(4000)}
    assert len(names) == 4000
    assert [name for name in names if not re.fullmatch(r"\w[\w-]{21}", name)] == [], "one in 64 began with -"
