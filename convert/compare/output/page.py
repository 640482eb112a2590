# SPDX-License-Identifier: Apache-2.0
"""The same tables and plots as one HTML file that opens anywhere, and inside a document that has a place for them."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Mapping
from pathlib import Path

from device.files import write_atomically

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 78rem; padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; }
th, td { border-bottom: 1px solid #8886; padding: .3rem .6rem; text-align: left; white-space: nowrap; }
td:nth-child(3) { white-space: normal; min-width: 12rem; }
img { max-width: 100%; background: #fff; }
"""


def to_html(markdown: str, plots: Mapping[str, str], folder: Path) -> str:
    """The page.

    Args:
        markdown: As from ``convert.compare.output.table``: headings, tables, pictures.
        plots: File names by caption.
        folder: Where they lie.
    """
    body = "\n".join(_body(markdown, plots, folder))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Comparison</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


BEGINNING, END = "<!-- table -->", "<!-- end of the table -->"
"""Between these lines of a document the tables and plots of a comparison stand."""


def into_document(document: Path, markdown: str, plots: Mapping[str, str], folder: Path) -> None:
    """Put tables and plots into a document, in place of those that it had.

    Args:
        document: A Markdown file with the two marks; plots go into the folder beside it that has its name.
        markdown: As from ``convert.compare.output.table``; its title is left out and its headings go one level down.
        plots: File names by caption.
        folder: Where they lie.

    Raises:
        ValueError: The document cannot be read or has no place for a table.
    """
    try:
        text = document.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{document}: this document cannot be read ({error.strerror})") from error
    before, beginning, rest = text.partition(BEGINNING)
    _, end, after = rest.partition(END)
    if not beginning or not end:
        raise ValueError(f"{document}: no place for the table; write {BEGINNING} and {END} on lines of their own")
    beside = document.with_suffix("")
    lines = []
    for line in markdown.splitlines():
        if line.startswith("#"):
            line = "" if line.startswith("# ") else f"#{line}"
        lines.append(line)
    body = "\n".join(lines).strip()
    beside.mkdir(exist_ok=True)
    for stale in {path.name for path in beside.glob("*.png")} - set(plots.values()):
        (beside / stale).unlink()
    for name in plots.values():
        write_atomically(beside / name, (folder / name).read_bytes(), 0o644)
        body = body.replace(f"]({name})", f"]({beside.name}/{name})")
    write_atomically(document, f"{before}{BEGINNING}\n{body}\n\n{END}{after}".encode(), 0o644)


def _body(markdown: str, plots: Mapping[str, str], folder: Path) -> Iterator[str]:
    pictures = {f"![{caption}]({name})": (caption, folder / name) for caption, name in plots.items()}
    rows: list[str] = []
    for line in [*markdown.splitlines(), ""]:
        if line.startswith("|"):
            rows.append(line)
            continue
        if rows:
            yield _table(rows)
            rows = []
        if line in pictures:
            caption, path = pictures[line]
            data = base64.b64encode(path.read_bytes()).decode()
            yield f'<img alt="{html.escape(caption)}" src="data:image/png;base64,{data}">'
        elif line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            yield f"<h{level}>{html.escape(line.lstrip('# '))}</h{level}>"
        elif line:
            yield f"<p>{html.escape(line)}</p>"


def _table(rows: list[str]) -> str:
    cells = [[cell.strip().replace("\0", "|") for cell in _split(row)] for row in rows]
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in cells[0])
    lines = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in cells[2:])
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    return f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table></div>'


def _split(row: str) -> list[str]:
    return row.replace("\\|", "\0").strip().strip("|").split("|")
