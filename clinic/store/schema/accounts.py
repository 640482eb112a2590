# SPDX-License-Identifier: Apache-2.0
"""Who may sign in, by what role, and which browsers are signed in now."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.store.schema.base import ID_LENGTH, Base, now, opaque_id


class Role(StrEnum):
    """What a person may do; one may have several."""

    READER = "reader"
    TECHNICIAN = "technician"
    ADMINISTRATOR = "administrator"


class Account(Base):
    """A person of the clinic.

    Attributes:
        name: What is typed to sign in, lower case.
        display_name: How readings and verdicts are signed.
        password_hash: Argon2id in its own text form; ``None`` for who signs in elsewhere.
        role_names: The roles, separated by blanks.
        language: Of the pages.
        active: ``False`` shuts the person out and keeps what they did.
    """

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=opaque_id)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str] = mapped_column(String(64))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    role_names: Mapped[str] = mapped_column(String(64))
    language: Mapped[str | None] = mapped_column(String(8))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def roles(self) -> frozenset[Role]:
        """What this person may do."""
        return frozenset(Role(name) for name in self.role_names.split())

    @roles.setter
    def roles(self, roles: frozenset[Role]) -> None:
        self.role_names = " ".join(role.value for role in Role if role in roles)


class SignIn(Base):
    """A browser that is signed in. Only a digest of its cookie is kept, so the table cannot be used to sign in.

    Attributes:
        token_digest: SHA-256 of the cookie's value.
        browser_digest: SHA-256 of what the browser calls itself; a cookie that turns up in another one is refused.
        seen_at: Last use, kept to the minute.
        expires_at: End, however busy it is.
    """

    __tablename__ = "sign_in"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=opaque_id)
    token_digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    browser_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    started_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)

    account: Mapped[Account] = relationship(lazy="joined")


class Invitation(Base):
    """A code, good once, by which a person makes their own account or a new password; no one else ever knows it.

    Attributes:
        code_digest: SHA-256 of the code.
        role_names: What the new account may do.
        account_id: Whose password it renews; ``None`` for a new account.
    """

    __tablename__ = "invitation"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=opaque_id)
    code_digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    role_names: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column()
    used_at: Mapped[datetime | None] = mapped_column()


class OutsideIdentity(Base):
    """A person as the clinic's own provider knows them, and whose account that is.

    Attributes:
        issuer: The provider.
        subject: The person there.
    """

    __tablename__ = "outside_identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=opaque_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    linked_at: Mapped[datetime] = mapped_column(default=now)


class OutsideTry(Base):
    """A signing in that has begun at the provider and is not finished.

    Attributes:
        state_digest: SHA-256 of the state that names it.
        browser_digest: SHA-256 of the cookie of the browser that began it.
        account_id: Whose identity is to be linked; ``None`` for signing in.
    """

    __tablename__ = "outside_try"

    state_digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    browser_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    expires_at: Mapped[datetime] = mapped_column(index=True)
