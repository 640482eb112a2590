# SPDX-License-Identifier: Apache-2.0
"""UIDs, made once: when an exam is begun and when a view is frozen.

Everything that is ever sent to a clinic is named by one of these, and they are stored with the exam. So whatever is
built or sent a second time is the same instance, and the archive can tell a repetition from something new. Two kinds
are needed: fresh ones (``new_exam_uid``, ``new_uids``,
``new_lesion_uid``), and ones that follow from a stored UID (``derived_uid``), for
series and items inside a report, which need a name but no column of their own.

All are of the form ``2.25.<UUID as a decimal number>`` (DICOM PS3.5, annex B.2), which needs no registered root.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import NAMESPACE_OID, uuid4, uuid5

OVERLAY = "overlay"
"""Kind of a derived UID: the picture with outline and long axis burned in."""

CINE = "cine"
"""Kind of a derived UID: the loop that the view was taken from."""

REPORT = "report"
"""Kind of a derived UID: the measurement report (the exam's first view lends its own to the exam's report)."""


class NewUids(NamedTuple):
    """The UIDs of one view, in the form that ``View`` keeps them.

    Attributes:
        uid: SOP Instance UID of the image.
        derived_uids: SOP Instance UIDs of what will be derived from it, by kind.
    """

    uid: str
    derived_uids: dict[str, str]


def new_exam_uid() -> str:
    """A fresh Study Instance UID, for an exam that is begun."""
    return _uid(uuid4().int)


def new_lesion_uid() -> str:
    """A fresh UID for a lesion of the breast; it names the lesion in every report."""
    return _uid(uuid4().int)


def new_uids() -> NewUids:
    """Fresh UIDs for a view that is frozen; give both parts to ``View``."""
    return NewUids(_uid(uuid4().int), {kind: _uid(uuid4().int) for kind in (OVERLAY, CINE, REPORT)})


def derived_uid(uid: str, role: str) -> str:
    """A UID that follows from another one, the same every time.

    Args:
        uid: The stored UID that it hangs on, for instance that of the exam.
        role: What it is for, for instance ``series/ultrasound``.
    """
    return _uid(uuid5(NAMESPACE_OID, f"{uid}/{role}").int)


def _uid(number: int) -> str:
    return f"2.25.{number}"
