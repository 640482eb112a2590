# SPDX-License-Identifier: Apache-2.0
"""Accounts: made by the holder of an invitation's code, never with a password that another person has chosen.

The first administrator's code is printed where the application is started; there is no default password. Codes are good
once, end by themselves, and are kept as digests only.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import timedelta
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from clinic.errors import ClinicError
from clinic.store.audit import Action, note
from clinic.store.schema import Account, Invitation, Role, now

INVITED_FOR: Final = timedelta(days=3)
SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 256
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,62}")
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Letters and digits that are not taken for one another when a code is read out."""

_CODE_LENGTH: Final = 20
_COMMON: Final = ("password", "mammascope", "123456", "qwerty", "letmein", "welcome", "abcdef", "iloveyou")


class AccountError(ClinicError):
    """What was typed cannot be used; ``str()`` is the key of the sentence, ``accounts.<key>``."""


def invite(session: Session, roles: frozenset[Role], account_id: str | None = None) -> str:
    """Make an invitation.

    Args:
        session: A writing transaction.
        roles: What the new account may do.
        account_id: Whose password it renews; ``None`` for a new account.

    Returns:
        The code, in groups of five; afterwards only the person who gets it knows it.
    """
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    session.add(
        Invitation(
            code_digest=_digest(code),
            role_names=" ".join(role.value for role in Role if role in roles),
            account_id=account_id,
            expires_at=now() + INVITED_FOR,
        )
    )
    return "-".join(code[start : start + 5] for start in range(0, _CODE_LENGTH, 5))


def first_invitation(session: Session) -> str | None:
    """A code for the first administrator, who may also read; ``None`` once there is an account.

    Codes that an earlier start has printed end here.
    """
    if session.scalar(select(func.count()).select_from(Account)):
        return None
    session.execute(delete(Invitation))
    return invite(session, frozenset({Role.ADMINISTRATOR, Role.READER}))


def accept(session: Session, hasher: PasswordHasher, code: str, name: str, display_name: str, password: str) -> Account:
    """Make an account, or renew the password of the one that the invitation is for.

    Args:
        session: A writing transaction.
        hasher: Of passwords.
        code: As it was given.
        name: What will be typed to sign in; ignored where a password is renewed.
        display_name: How readings are signed; ignored likewise.
        password: The new one.

    Raises:
        AccountError: The code, the name or the password cannot be used.
    """
    found = select(Invitation).where(Invitation.code_digest == _digest(code)).with_for_update()
    invitation = session.scalars(found).one_or_none()
    if invitation is None or invitation.used_at is not None or invitation.expires_at <= now():
        raise AccountError("code_unknown")
    if invitation.account_id is not None:
        account = session.get_one(Account, invitation.account_id)
    else:
        account = _new_account(session, invitation, name, display_name)
    check_password(password, account.name)
    account.password_hash = hasher.hash(password)
    invitation.used_at = now()
    session.flush()
    done = Action.PASSWORD_CHANGED if invitation.account_id is not None else Action.ACCOUNT_MADE
    note(session, done, actor=account.name, subject=account.id, details={"roles": account.role_names})
    return account


def check_password(password: str, name: str) -> None:
    """See that a password is not one of those that are tried first. Length counts; kinds of characters do not.

    Raises:
        AccountError: It is.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise AccountError("password_length")
    plain = password.casefold()
    if name.casefold() in plain or len(set(plain)) < 6 or any(word in plain for word in _COMMON):
        raise AccountError("password_common")


def verified(session: Session, hasher: PasswordHasher, name: str, password: str) -> Account | None:
    """The account of a name and password; takes as long for a name that does not exist."""
    account = session.scalars(select(Account).where(Account.name == name.strip().casefold())).one_or_none()
    known = account.password_hash if account is not None and account.active else None
    try:
        hasher.verify(known or _nobodys(hasher), password[:LONGEST_PASSWORD])
    except (VerificationError, InvalidHashError):
        return None
    return account if known is not None else None


_nobody: dict[int, str] = {}


def _nobodys(hasher: PasswordHasher) -> str:
    """The hash of a password that no account has, at the same cost; made once, for making it takes time as well."""
    if id(hasher) not in _nobody:
        _nobody[id(hasher)] = hasher.hash(secrets.token_urlsafe(24))
    return _nobody[id(hasher)]


def _new_account(session: Session, invitation: Invitation, name: str, display_name: str) -> Account:
    wanted, shown = name.strip().casefold(), " ".join(display_name.split())
    if not _NAME.fullmatch(wanted):
        raise AccountError("name_form")
    if not 1 <= len(shown) <= 64 or not shown.isprintable():
        raise AccountError("display_name_form")
    if session.scalars(select(Account.id).where(Account.name == wanted)).first() is not None:
        raise AccountError("name_taken")
    account = Account(name=wanted, display_name=shown, role_names=invitation.role_names)
    session.add(account)
    return account


def _digest(code: str) -> bytes:
    typed = code.upper().replace("O", "0").replace("I", "1")  # neither is in the alphabet: a misread code stays wrong
    return hashlib.sha256("".join(char for char in typed if char.isalnum()).encode()).digest()
