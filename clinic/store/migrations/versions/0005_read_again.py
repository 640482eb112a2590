# SPDX-License-Identifier: Apache-2.0
"""The index holds lesions now: every study is read from the archive once more, in the background."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Begin the archive's change feed anew; where there is none, no study has the number of instances it had."""
    op.execute("UPDATE archive_feed SET position = 0")
    op.execute("UPDATE exam SET instances = 0")
