# SPDX-License-Identifier: Apache-2.0
"""What the pages have to know of the clinic's OpenID Connect provider; comes from a TOML file of its owner's.

issuer = "https://id.example/realms/clinic"
client_id = "mammascope"
client_secret = "..."            # left out: a public client, by PKCE alone
name = "Example Hospital"        # on the button
authority = "-----BEGIN ..."     # left out: the system's authorities
claim = "realm_access.roles"     # where the provider says what a person is
create = true                    # left out: only people who have an account here and have linked it
[roles]
breast-readers = ["reader"]
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError, model_validator

from clinic.errors import ClinicError
from clinic.store.schema import Role
from device.files import read_bounded
from device.problems import in_words
from device.structured import StructureError, parse_toml

MAX_BYTES: Final = 256 * 1024

Words = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class OidcSettings(BaseModel):
    """A provider, and by which rule its people get in.

    Attributes:
        issuer: As the provider calls itself; HTTPS, and its metadata are below it.
        client_id: What this clinic's pages are called there.
        client_secret: Their password there.
        name: On the button.
        authority: PEM of the certificate authority to trust, and no other.
        scope: What is asked for.
        claim: Where the provider says what a person is: a claim, or a way through claims, with points.
        roles: What who is that may do here; then the provider decides it at every signing in, else the account here.
        create: Whether who may do something by ``roles`` and has no account gets one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(pattern=r"^https://[^\s?#]+$", max_length=255)
    client_id: Words
    client_secret: SecretStr | None = None
    name: str = Field(default="OpenID", min_length=1, max_length=40)
    authority: str | None = Field(default=None, max_length=64 * 1024)
    scope: str = Field(default="openid profile", pattern=r"^openid( [\x21-\x7e]+)*$")
    claim: Words | None = None
    roles: dict[str, tuple[Role, ...]] = Field(default_factory=dict)
    create: bool = False

    @model_validator(mode="after")
    def _has_a_rule(self) -> Self:
        if bool(self.roles) != (self.claim is not None):
            raise ValueError("claim and roles belong together")
        if self.create and not self.roles:
            raise ValueError("accounts are made by a rule only: create needs claim and roles")
        return self


def load(path: Path) -> OidcSettings:
    """Read the file.

    Raises:
        ClinicError: It cannot be read or used; no value of it is repeated.
    """
    try:
        return OidcSettings.model_validate(parse_toml(read_bounded(path, MAX_BYTES)))
    except OSError as error:
        raise ClinicError(f"{path}: {error.strerror}") from error
    except StructureError as error:
        raise ClinicError(f"{path}: {error}") from None
    except ValidationError as error:
        raise ClinicError(f"{path}: {in_words(error)}") from None
