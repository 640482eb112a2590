"""The settings of one device: a TOML file read into immutable models, unknown keys refused by name.

Technicians edit this file by hand and the settings screen writes it, so a typing mistake must never pass in silence:
the error names the file, the key and what would be allowed. Only what somebody has set is written back, so a later
version's better default reaches every device that never asked for another.

``Settings`` is a value: change it with :meth:`Settings.with_values`, then :func:`save_settings`.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from device.errors import ConfigError
from device.files import write_atomically

MODELS = Path(__file__).resolve().parents[1] / "models"
"""The bundles that came with this software."""

MAX_SETTINGS_BYTES = 1 << 20
"""A settings file is a page of text; anything beyond this is not one."""

Language = Literal["en", "hi", "ta", "es", "fr"]
LooseTuple = Field(strict=False)  # TOML has lists only; everything else keeps its type: "5" is not 5
PixelPoint = Annotated[tuple[float, float], LooseTuple]
Millimetres = Annotated[float, Field(gt=0, le=10)]


class _Section(BaseModel):
    """What all sections share: immutable, typed as written, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class PathSettings(_Section):
    """Where things are kept; ask :attr:`Settings.data_dir` for the folder that applies.

    Attributes:
        data_dir: Exams, outbox and receipts; unset: the user's data folder.
    """

    data_dir: Annotated[Path, Field(strict=False)] | None = None


class DisplaySettings(_Section):
    """How the touchscreen looks.

    Attributes:
        rotation: Degrees clockwise by which the picture and the touch are turned.
        brightness: Backlight in per cent.
        size: Width and height of the window in pixels, used when not ``fullscreen``.
    """

    rotation: Literal[0, 90, 180, 270] = 0
    theme: Literal["light", "dark"] = "dark"
    brightness: int = Field(default=80, ge=5, le=100)
    language: Language = "en"
    fullscreen: bool = False
    size: Annotated[
        tuple[Annotated[int, Field(ge=320, le=7680)], Annotated[int, Field(ge=320, le=7680)]], LooseTuple
    ] = (
        800,
        480,
    )


class LockSettings(_Section):
    """When the device locks itself.

    Attributes:
        timeout_s: Seconds without a touch after which the PIN is asked again.
    """

    timeout_s: int = Field(default=300, ge=30, le=3600)


class PolicySettings(_Section):
    """What the site has decided about its data.

    Attributes:
        retention_days: Days that an exam is kept after the clinic has confirmed it.
        upload_kib_per_s: Upper limit of the upload in KiB a second; 0 means no limit.
    """

    retention_days: int = Field(default=90, ge=1, le=3650)
    upload_kib_per_s: int = Field(default=0, ge=0)


class SiteSettings(_Section):
    """The site that this device is enrolled with.

    Attributes:
        name: Shown on screen and in reports; empty until enrolled.
        clinic_url: Address of the clinic's archive; empty: nothing is sent. HTTPS, or HTTP to this very machine.
        recovery_key: X25519 public key (hexadecimal) of the clinic, which may open the records when all PINs are lost.
    """

    name: str = Field(default="", max_length=64)
    clinic_url: str = Field(default="", max_length=512)
    recovery_key: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    policy: PolicySettings = PolicySettings()

    @field_validator("clinic_url")
    @classmethod
    def _protected(cls, url: str) -> str:
        parts = urlsplit(url)
        local = parts.scheme == "http" and _is_loopback(parts.hostname or "")
        if url and not (parts.hostname and (parts.scheme == "https" or local)):
            raise ValueError("an address that begins with https:// is needed")
        return url


class SourceSettings(_Section):
    """Which picture source was used last.

    Attributes:
        last_by_site: Identifier of the source chosen last, by site name.
        preset_by_source: Name of the scanner preset that its frames are looked at with, by the source's identifier.
    """

    last_by_site: dict[str, str] = {}
    preset_by_source: dict[str, str] = {}


class ScannerPreset(_Section):
    """Where one scanner shows its B-mode picture, and how large its pixels are. One of ``corners`` and ``box``.

    Attributes:
        name: What the clinician calls the scanner.
        corners: Four (x, y) in pixels of the frame, clockwise from top left, for a screen seen by the camera.
        box: Left, top, width, height in pixels of the frame, for a straight signal.
        spacing_mm: Millimetres a pixel across and down, unset when unknown.
    """

    name: str = Field(min_length=1, max_length=64)
    corners: Annotated[tuple[PixelPoint, PixelPoint, PixelPoint, PixelPoint], LooseTuple] | None = None
    box: Annotated[tuple[int, int, int, int], LooseTuple] | None = None
    spacing_mm: Annotated[tuple[Millimetres, Millimetres], LooseTuple] | None = None

    @model_validator(mode="after")
    def _one_region(self) -> Self:
        if (self.corners is None) == (self.box is None):
            raise ValueError("exactly one of corners and box is needed")
        if self.box is not None and (min(self.box) < 0 or 0 in self.box[2:]):
            raise ValueError("box is left, top, width, height, none of them negative, and not empty")
        return self


class ModelSettings(_Section):
    """Which model the device runs.

    Attributes:
        bundle: Folder of a bundle; unset: the newest in ``models/``.
    """

    bundle: Annotated[Path, Field(strict=False)] | None = None


class Settings(_Section):
    """All settings of one device; ``Settings()`` are the defaults."""

    paths: PathSettings = PathSettings()
    display: DisplaySettings = DisplaySettings()
    lock: LockSettings = LockSettings()
    site: SiteSettings = SiteSettings()
    sources: SourceSettings = SourceSettings()
    presets: Annotated[tuple[ScannerPreset, ...], LooseTuple] = ()
    model: ModelSettings = ModelSettings()

    @field_validator("presets")
    @classmethod
    def _names_differ(cls, presets: tuple[ScannerPreset, ...]) -> tuple[ScannerPreset, ...]:
        names = [preset.name for preset in presets]
        if len(set(names)) != len(names):
            raise ValueError("every preset needs a name of its own")
        return presets

    @property
    def data_dir(self) -> Path:
        """Where exams are kept: ``MAMMASCOPE_DATA``, else ``paths.data_dir``, else the user's data folder."""
        named = os.environ.get("MAMMASCOPE_DATA")
        if named:
            return Path(named)
        return self.paths.data_dir or _xdg("XDG_DATA_HOME", ".local/share") / "mammascope"

    @property
    def models(self) -> Path:
        """Where the model is taken from: the chosen bundle, else the folder of all bundles, whose newest is used."""
        return self.model.bundle or MODELS

    def with_values(self, section: str, **values: object) -> Settings:
        """A copy in which some keys of one section have new, checked values.

        Args:
            section: Name of a section, for instance ``display``.
            **values: New values by key.

        Raises:
            ConfigError: A key is unknown or a value is not allowed.
        """
        current = _as_written(self)
        merged = {**current, section: {**current.get(section, {}), **values}}
        return _validated(merged, where="settings")

    def with_presets(self, presets: Sequence[ScannerPreset]) -> Settings:
        """A copy with these scanner presets in place of the present ones.

        Raises:
            ConfigError: Two of them have the same name.
        """
        written = [preset.model_dump(mode="json", exclude_none=True) for preset in presets]
        return _validated({**_as_written(self), "presets": written}, where="settings")


def settings_path() -> Path:
    """The settings file of this user: ``MAMMASCOPE_CONFIG``, else ``mammascope/settings.toml`` in the config folder."""
    named = os.environ.get("MAMMASCOPE_CONFIG")
    return Path(named) if named else _xdg("XDG_CONFIG_HOME", ".config") / "mammascope" / "settings.toml"


def load_settings(path: Path) -> Settings:
    """Read a settings file; a file that does not exist means all defaults.

    Args:
        path: TOML file, UTF-8.

    Raises:
        ConfigError: The file cannot be read, is not TOML, or holds an unknown key or a value that is not allowed.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_SETTINGS_BYTES + 1)
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise ConfigError(path, error.strerror or type(error).__name__) from error
    if len(content) > MAX_SETTINGS_BYTES:
        raise ConfigError(path, "the file is too large to be a settings file")
    try:
        written = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(path, f"not valid TOML: {error}") from error
    return _validated(written, where=path)


def save_settings(settings: Settings, path: Path) -> None:
    """Write what was set (not the defaults) so that a power cut leaves the old file or the new one.

    Comments that a technician wrote into the file are not kept.

    Args:
        settings: What to write.
        path: TOML file; its folder is made when absent.

    Raises:
        ConfigError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, settings_as_toml(settings))
    except OSError as error:
        raise ConfigError(path, error.strerror or type(error).__name__) from error


def settings_as_toml(settings: Settings) -> bytes:
    """What a settings file holds: what was set, not the defaults."""
    return tomli_w.dumps(_as_written(settings)).encode("utf-8")


def _as_written(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json", exclude_unset=True, exclude_none=True)


def _validated(written: Mapping[str, Any], where: object) -> Settings:
    try:
        return Settings.model_validate(written)
    except ValidationError as error:
        raise ConfigError(where, "; ".join(_in_words(problem) for problem in error.errors())) from error


def _in_words(problem: Mapping[str, Any]) -> str:
    """One sentence for one problem that pydantic found: the key, what is wrong, what is allowed."""
    location: tuple[int | str, ...] = problem["loc"]
    key = ".".join(str(part) for part in location) or "the file"
    if problem["type"] == "extra_forbidden":
        allowed = _keys_beside(location)
        near = difflib.get_close_matches(str(location[-1]), allowed, n=1)
        hint = f", did you mean {near[0]}?" if near else ""
        return f"{key} is not a setting{hint} Allowed here: {', '.join(allowed)}"
    given = repr(problem["input"])
    shown = given if len(given) <= 40 else f"{given[:37]}..."
    return f"{key} = {shown}: {problem['msg']}"


def _keys_beside(location: tuple[int | str, ...]) -> list[str]:
    """The keys that are allowed where an unknown one was found."""
    model: type[BaseModel] = Settings
    for part in location[:-1]:
        if part == "presets":
            model = ScannerPreset
        elif isinstance(part, str):
            annotation = model.model_fields[part].annotation
            if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                model = annotation
    return list(model.model_fields)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _xdg(variable: str, default: str) -> Path:
    """A base folder by the XDG Base Directory Specification: an absolute path from the environment, else below home."""
    named = Path(os.environ.get(variable, ""))
    return named if named.is_absolute() else Path.home() / default
