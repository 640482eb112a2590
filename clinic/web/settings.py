# SPDX-License-Identifier: Apache-2.0
"""What one instance of the web application is started with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from clinic.reading.policy import Policy
from clinic.web.oidc.settings import OidcSettings
from device.site.access import ClinicAccess

DEFAULT_MODELS = Path(__file__).resolve().parents[2] / "models"


@dataclass(frozen=True, slots=True)
class PasswordCost:
    """What a try of a password costs (Argon2id); the defaults are RFC 9106's second recommendation.

    Attributes:
        passes: Passes over the memory.
        memory_kib: Memory.
        lanes: Threads.
    """

    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of an instance; the same for all that share a store.

    Attributes:
        database: SQLAlchemy's address of the store.
        archive: Address of the archive's DICOMweb service.
        access: Whom to trust there, and user and password.
        doors: Address of a DICOMweb service that knows the handhelds' passwords; empty where the archive itself does.
        secret: Key of the tokens against forged requests, 32 bytes, the same in all instances.
        signing_key: Private key for verdicts, 32 bytes.
        clinic: Name of the clinic.
        hosts: Host names that the pages answer to; a request for another one is refused.
        proxies: How many proxies stand before it, whose word on address and scheme is taken.
        models: Folder of bundles, or one bundle.
        open_in: Address that opens a study in the clinic's own viewer, with ``{study}``; empty for no link.
        policy: How the clinic reads and follows up.
        language: Of the pages for a visitor who has chosen none.
        idle: How long a browser may do nothing before it is signed out.
        longest: When it is signed out however busy it is.
        password_cost: What a try of a password costs.
        largest_upload: Bytes.
        poll_s: Seconds between two looks at the archive.
        record: Base address of the health record's FHIR R4 server; empty for none.
        record_access: Whom to trust there, and who we are.
        worklists: Folder of files for Modality Worklist queries; ``None`` for none.
        oidc: The clinic's own provider of accounts; ``None`` for passwords of the pages alone.
        patients: URI of the system that patients' codes belong to; empty for one made of the clinic's key.
    """

    database: str
    archive: str
    access: ClinicAccess = field(repr=False)
    secret: bytes = field(repr=False)
    signing_key: bytes = field(repr=False)
    clinic: str = "Clinic"
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1")
    proxies: int = 0
    models: Path = DEFAULT_MODELS
    open_in: str = ""
    policy: Policy = field(default_factory=Policy)
    language: str = "en"
    idle: timedelta = timedelta(minutes=30)
    longest: timedelta = timedelta(hours=12)
    password_cost: PasswordCost = field(default_factory=PasswordCost)
    largest_upload: int = 64 * 1024 * 1024
    poll_s: float = 5.0
    record: str = ""
    record_access: ClinicAccess = field(default_factory=ClinicAccess, repr=False)
    patients: str = ""
    doors: str = ""
    worklists: Path | None = None
    oidc: OidcSettings | None = field(default=None, repr=False)
