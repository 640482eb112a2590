# SPDX-License-Identifier: Apache-2.0
"""Makes site files: what ``python -m device enrol make`` does, at the technician's desk.

The parts come as TOML files: the one that the clinic's archive prints for each handheld, and those that the technician
keeps for all of them (Wi-Fi, language, scanner presets). What lies in several parts must not contradict.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import tomli_w

from device.errors import EnrolmentError, SiteFileError
from device.files import read_bounded, write_atomically
from device.operations.enrolment.signing_key import signing_key
from device.signed import fingerprint
from device.site.access import access_from
from device.site.site_code import site_codes
from device.site.site_file import MAX_BYTES, sign_site
from device.structured import StructureError, parse_toml

FILE_NAME = "mammascope-site.toml"
SHEET_NAME = "mammascope-site.png"
MOST_DAYS = 3650


def make(parts: Sequence[Path], key_file: Path, days: int, out: Path) -> int:
    """Put the parts together, sign them, and write the file and its sheet of codes.

    Args:
        parts: TOML files.
        key_file: PEM of the signer's Ed25519 key; made, for its owner only, when it is not there.
        days: How long the file can be used.
        out: Where the results go.

    Returns:
        0.

    Raises:
        SiteFileError: A part cannot be read, two contradict, or the whole is not allowed.
        AccessError: The credentials cannot be used.
        EnrolmentError: The key cannot be used, or the results cannot be written.
    """
    from device.operations.enrolment.code_sheet import code_sheet  # OpenCV, which no other part of enrolment needs

    if not 1 <= days <= MOST_DAYS:
        raise SiteFileError("enrol make", f"it can be used for 1 to {MOST_DAYS} days")
    content = merged(parts)
    issued = datetime.now(UTC).replace(microsecond=0)
    content["enrolment"] = {"issued": issued, "expires": issued + timedelta(days=days)}
    access_from({k: v for k, v in content.get("clinic", {}).items() if k != "url"}, "clinic")
    key = signing_key(key_file, EnrolmentError)
    raw = sign_site(tomli_w.dumps(content, multiline_strings=True), key, "site file")
    sheet = code_sheet(site_codes(raw))
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / FILE_NAME, raw)
        write_atomically(out / SHEET_NAME, sheet)
    except OSError as error:
        raise EnrolmentError(out, error.strerror or "") from error
    print(f"file         {out / FILE_NAME}")
    print(f"codes        {out / SHEET_NAME}")
    print(f"valid until  {content['enrolment']['expires']:%Y-%m-%d %H:%M} UTC")
    print(f"fingerprint  {fingerprint(key.public_key().public_bytes_raw())}")
    print("Both hold passwords: hand them over, and delete them when the device is enrolled.")
    return 0


def merged(parts: Sequence[Path]) -> dict[str, Any]:
    """One content from several parts: sections are joined, lists of sections follow each other.

    Raises:
        SiteFileError: A part cannot be read, or two parts say different things of the same.
    """
    content: dict[str, Any] = {}
    for path in parts:
        for name, value in _read_part(path).items():
            known = content.setdefault(name, type(value)())
            if isinstance(value, list) and isinstance(known, list):
                known.extend(value)
            elif isinstance(value, dict) and isinstance(known, dict):
                differing = sorted(key for key in value.keys() & known.keys() if value[key] != known[key])
                if differing:
                    raise SiteFileError(path, f"an earlier part says otherwise: {name}.{differing[0]}")
                known.update(value)
            else:
                raise SiteFileError(path, f"not a section: {name}")
    return content


def _read_part(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(read_bounded(path, MAX_BYTES))
    except OSError as error:
        raise SiteFileError(path, error.strerror or "") from error
    except StructureError as error:
        raise SiteFileError(path, str(error)) from None
