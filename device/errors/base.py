"""One exception a cause, so that a screen, a log line and a test can each say exactly what went wrong.

Every error carries *where* it happened (a file name, a device, a setting) and a fixed English sentence that says what
is wrong and what to do. ``code`` is the stable key under which the screens hold the translated sentence; the command
line prints ``str(error)``, which is one line and begins with the place.

Messages never contain patient data: ``where`` is a file name or a technical name, not a person.
"""

from __future__ import annotations

from typing import ClassVar


class MammascopeError(Exception):
    """Base of every error that a user can meet.

    Attributes:
        code: Stable key of the cause, used for translations and in support bundles.
        sentence: What is wrong and what to do, in English, one sentence.
        where: The file, device or setting concerned.
        detail: Technical addition for the log, may be empty.
    """

    code: ClassVar[str] = "error"
    sentence: ClassVar[str] = "Something went wrong; try again, and run the self-check if it stays."

    def __init__(self, where: object, detail: str = "") -> None:
        self.where = str(where)
        self.detail = " ".join(detail.split())
        super().__init__(self.where, self.detail)

    def __str__(self) -> str:
        tail = f" ({self.detail})" if self.detail else ""
        return f"{self.where}: {self.sentence}{tail}"


class ConfigError(MammascopeError):
    """A settings file holds an unknown key or a value out of range; correct the named key."""

    code = "config"
    sentence = "This settings file cannot be used; correct the setting that is named and start again."
