# SPDX-License-Identifier: Apache-2.0
"""CSV that a spreadsheet opens without running anything in it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Final

from flask import Response, stream_with_context

_FORMULA: Final = re.compile(r"(?:^|(?<=[;|\t\r\n]))(?=\s*[=+\-@＝＋－＠]|[\t\r])")
"""Where a spreadsheet would begin a formula: at the beginning of a cell, also behind what separates cells or lines in
the spreadsheets of countries that write 1,5, and with the wide signs of East Asia."""


def lines(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The lines of a file, one by one."""
    yield "\ufeff"  # tells spreadsheets that it is UTF-8
    yield _line(headings)
    for row in rows:
        yield _line([_cell(value) for value in row])


def answer(name: str, content: Iterator[str]) -> Response:
    """The file as a download, sent while it is made."""
    response = Response(stream_with_context(content), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date | int | float):
        return str(value)
    return _FORMULA.sub("'", str(value))
