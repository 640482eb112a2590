# SPDX-License-Identifier: Apache-2.0
"""One exception a cause, so that a screen, a log line and a test can each say exactly what went wrong.

Every error carries *where* it happened (a file name, a device, a setting) and a ``code``: the stable key of its
sentence, which says what is wrong and what to do, in ``device/words/<language>/errors.toml``. The screens show it in
their language; the command line prints ``str(error)``, which is English, one line, and begins with the place.

Messages never contain patient data: ``where`` is a file name or a technical name, not a person.
"""

from __future__ import annotations

from typing import ClassVar

from device.words import FALLBACK, texts


class MammascopeError(Exception):
    """Base of every error that a user can meet.

    Attributes:
        code: Stable key of the cause, used for translations and in support bundles.
        where: The file, device or setting concerned.
        detail: Technical addition for the log, may be empty.
    """

    code: ClassVar[str] = "error"

    def __init__(self, where: object, detail: str = "") -> None:
        self.where = str(where)
        self.detail = " ".join(detail.split())
        super().__init__(self.where, self.detail)

    @property
    def sentence(self) -> str:
        """What is wrong and what to do, in English; the bare code where the sentences cannot be read any more."""
        try:
            english = texts(FALLBACK)
        except OSError:  # a failing card, or a process that may open no files: the error must be told all the same
            return self.code
        return english.get(f"errors.{self.code}", self.code)

    def __str__(self) -> str:
        tail = f" ({self.detail})" if self.detail else ""
        return f"{self.where}: {self.sentence}{tail}"


class ConfigError(MammascopeError):
    """A settings file holds an unknown key or a value out of range; correct the named key."""

    code = "config"
