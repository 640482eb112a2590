# SPDX-License-Identifier: Apache-2.0
"""People who sign in elsewhere: tries that have begun, and whose account an identity there is.

A try is good once, for ten minutes, and for the browser that began it. No identity becomes an account's by its name or
e-mail address: its owner links it, signed in, or the clinic's rule makes a new account.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clinic.store.audit import Action, note
from clinic.store.schema import Account, OutsideIdentity, OutsideTry, now
from clinic.web.oidc.provider import Begun, Identity, OidcError

LASTS: Final = timedelta(minutes=10)
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class Try:
    """What is needed to finish it.

    Attributes:
        nonce: Has to stand in the ID token.
        verifier: Goes to the provider with the code.
        account_id: Whose identity is to be linked; ``None`` for signing in.
    """

    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    account_id: str | None


def keep(session: Session, begun: Begun, browser: str, account_id: str | None) -> None:
    """Keep a try for the browser that began it.

    Args:
        session: A writing transaction.
        begun: The try.
        browser: Value of the cookie that binds it.
        account_id: Whose identity is to be linked; ``None`` for signing in.
    """
    session.execute(delete(OutsideTry).where(OutsideTry.expires_at < now()))
    kept = OutsideTry(state_digest=_digest(begun.state), browser_digest=_digest(browser), account_id=account_id)
    kept.nonce, kept.verifier, kept.expires_at = begun.nonce, begun.verifier, now() + LASTS
    session.add(kept)


def take(session: Session, state: str, browser: str) -> Try | None:
    """What was kept; it is gone then, whatever follows.

    Returns:
        ``None`` where there is none, it has ended, or another browser has begun it: an error would undo the taking.
    """
    taking = delete(OutsideTry).where(OutsideTry.state_digest == _digest(state))
    columns = (OutsideTry.nonce, OutsideTry.verifier, OutsideTry.account_id)
    found = session.execute(taking.returning(*columns, OutsideTry.browser_digest, OutsideTry.expires_at)).one_or_none()
    if found is None or found.browser_digest != _digest(browser) or found.expires_at <= now():
        return None
    return Try(found.nonce, found.verifier, found.account_id)


def link(session: Session, account: Account, identity: Identity, address: str) -> None:
    """Make an identity the account's.

    Raises:
        OidcError: It is another account's.
    """
    owner = _owner(session, identity)
    if owner is not None and owner.id != account.id:
        raise OidcError("outside_other")
    if owner is None:
        _add(session, account, identity)
        note(session, Action.IDENTITY_LINKED, actor=account.name, subject=account.id, address=address)


def account_of(session: Session, identity: Identity, create: bool, address: str) -> Account:
    """The account of who signs in, with what the provider says that may be done.

    Args:
        session: A writing transaction.
        identity: Who it is.
        create: Whether a person without an account gets one.
        address: Where the request came from.

    Raises:
        OidcError: There is no account, it is shut, or the person may do nothing here.
    """
    account = _owner(session, identity)
    if identity.roles is not None and not identity.roles:
        raise OidcError("outside_no_role")
    if account is None:
        if not create or identity.roles is None:
            raise OidcError("outside_unknown")
        shown = " ".join(identity.display_name.split())[:64]
        account = Account(name=_free_name(session, identity), display_name="")
        account.display_name = shown if shown and shown.isprintable() else account.name
        account.roles = identity.roles
        session.add(account)
        session.flush()
        _add(session, account, identity)
        details = {"roles": account.role_names, "by": "provider"}
        note(session, Action.ACCOUNT_MADE, actor=account.name, subject=account.id, address=address, details=details)
    if not account.active:
        raise OidcError("outside_unknown")
    if identity.roles is not None and identity.roles != account.roles:
        account.roles = identity.roles
        details = {"roles": account.role_names, "by": "provider"}
        note(session, Action.ACCOUNT_CHANGED, actor=account.name, subject=account.id, address=address, details=details)
    return account


def _owner(session: Session, identity: Identity) -> Account | None:
    wanted = select(Account).join(OutsideIdentity, OutsideIdentity.account_id == Account.id)
    mine = (OutsideIdentity.issuer == identity.issuer, OutsideIdentity.subject == identity.subject)
    return session.scalars(wanted.where(*mine)).one_or_none()


def _add(session: Session, account: Account, identity: Identity) -> None:
    session.add(OutsideIdentity(account_id=account.id, issuer=identity.issuer, subject=identity.subject))


def _free_name(session: Session, identity: Identity) -> str:
    for name in _names(identity):
        if session.scalars(select(Account.id).where(Account.name == name)).first() is None:
            return name
    raise OidcError("outside_failed")


def _names(identity: Identity) -> Iterator[str]:
    """A name like the person's there, and the same with a few letters, should it be taken here."""
    plain = _NOT_IN_NAMES.sub("-", identity.login.partition("@")[0].casefold()).strip("-.")[:40]
    few = hashlib.sha256(f"{identity.issuer} {identity.subject}".encode()).hexdigest()
    if len(plain) >= 2:
        yield plain
    yield f"{plain or 'person'}-{few[:6]}"
    yield f"person-{few[:24]}"


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()
