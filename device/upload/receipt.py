# SPDX-License-Identifier: Apache-2.0
"""The clinic's proof that it has an exam: for every instance what it was, where it is, and when that was seen.

Written when the last instance is confirmed, kept with the exam in the outbox. It holds no names.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Self

from device.structured import parse_json


@dataclass(frozen=True, slots=True)
class ConfirmedInstance:
    """One instance that the archive has.

    Attributes:
        sop_uid: SOP Instance UID.
        sha256: Of the DICOM file that was sent, hexadecimal; the archive's copy was read back and compared with it.
        url: Where the archive has it.
        confirmed_at: When it was read back.
    """

    sop_uid: str
    sha256: str
    url: str
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """All instances of one exam.

    Attributes:
        study_uid: Study Instance UID, the exam's own.
        archive: Address of the DICOMweb service.
        instances: Every instance that was sent.
    """

    study_uid: str
    archive: str
    instances: tuple[ConfirmedInstance, ...]

    def to_json(self) -> str:
        """One line of JSON, as it is kept."""
        return json.dumps(asdict(self), default=datetime.isoformat, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote.

        Raises:
            ValueError: It is something else.
        """
        raw = parse_json(text.encode())
        try:
            instances = tuple(
                ConfirmedInstance(i["sop_uid"], i["sha256"], i["url"], datetime.fromisoformat(i["confirmed_at"]))
                for i in raw["instances"]
            )
            return cls(raw["study_uid"], raw["archive"], instances)
        except (KeyError, TypeError, AttributeError):
            raise ValueError("not a receipt") from None
