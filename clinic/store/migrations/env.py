# SPDX-License-Identifier: Apache-2.0
"""How Alembic reaches the store: by the connection that ``Store.migrate`` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from clinic.store.schema import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
