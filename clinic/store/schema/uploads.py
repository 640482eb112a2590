# SPDX-License-Identifier: Apache-2.0
"""Pictures that were given to the upload page and that are not in the archive yet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, deferred, mapped_column

from clinic.store.schema.base import ID_LENGTH, Base, now, opaque_id


class Upload(Base):
    """A file between upload and archive; here, not on a disk, because the next request may meet another instance.

    Attributes:
        details: Patient's code, name, age, gender, family history, side, clock position, as typed.
        content: The file; removed as soon as the archive has what was made of it.
        frame: Which frame of it was chosen.
        study_uid: The study that it became.
        result: The finding's JSON form (``Finding.to_json_dict``).
    """

    __tablename__ = "upload"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=opaque_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    content: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    preview: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    frames: Mapped[int] = mapped_column(default=1)
    frame: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime] = mapped_column(default=now, index=True)
    study_uid: Mapped[str | None] = mapped_column(String(64), index=True)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    done_at: Mapped[datetime | None] = mapped_column()
