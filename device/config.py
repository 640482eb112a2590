# SPDX-License-Identifier: Apache-2.0
"""The settings of one device: a TOML file read into immutable models, typing mistakes named by their key.

Technicians edit this file by hand and the settings screen writes it, so a typing mistake must never pass in silence,
and none may keep a handheld from its exams: the default applies in its place, and ``Settings.problem`` names the key
and what would be allowed (``unusable``). Only what was set is written back, so a later version's better default reaches
every device that never asked for another.

``Settings`` is a value: change it with :meth:`Settings.with_values`, then :func:`save_settings`.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from device.arguments import possible_path
from device.clinic_url import checked_clinic_url
from device.errors import ConfigError
from device.files import read_bounded, write_atomically
from device.problems import key_of
from device.shown_text import checked_shown_text, written_out
from device.structured import StructureError, parse_toml
from device.unusable import MOST, Key, Unusable, place_of, put_back, without

MODELS = Path(__file__).resolve().parents[1] / "models"
"""The bundles that came with this software."""

MAX_SETTINGS_BYTES = 256 * 1024
"""A settings file is a page of text; anything beyond this is not one."""

_LONGEST_ADDRESS = 512
_NEEDED = "paths"
"""The section without which it is not known where the exams are; with another folder the device would look empty."""

Language = Literal["en", "hi", "ta", "es", "fr"]
LooseTuple = Field(strict=False)  # TOML has lists only; everything else keeps its type: "5" is not 5
NumberOfPixels = Annotated[int, Field(le=65_535)]
"""Of a place or a side."""

PossiblePath = Annotated[
    Path, Field(strict=False), BeforeValidator(lambda path: possible_path(path) if isinstance(path, str) else path)
]
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

    data_dir: PossiblePath | None = None


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
        live_timeout_s: The same while a live picture moves: both hands are at the probe then.
        pin_digits: What is known of the PINs in use: with ``six``, or a number from 7 on, that digit tries the PIN by
            itself; ``longer`` where they differ. Six is the fewest that a PIN can have.
    """

    timeout_s: int = Field(default=300, ge=30, le=3600)
    live_timeout_s: int = Field(default=1800, ge=30, le=7200)
    pin_digits: Literal["unknown", "six", "longer"] | Annotated[int, Field(ge=7, le=12)] = "unknown"


class PolicySettings(_Section):
    """What the site has decided about its data.

    Attributes:
        retention_days: Days that an exam is kept after the clinic has confirmed it.
        upload_kib_per_s: Upper limit of the upload in KiB a second; 0 means no limit.
        training_exams: Whether exams that show only the phantom go to the clinic, as studies of a training patient.
        older_exams: What becomes of exams that were made final before the device had a clinic, or restored: they are
            queued for the clinic, or it is asked once, or they are kept here.
    """

    retention_days: int = Field(default=90, ge=1, le=3650)
    upload_kib_per_s: int = Field(default=0, ge=0, le=1_000_000)
    training_exams: bool = False
    older_exams: Literal["queue", "ask", "keep"] = "queue"


class SiteSettings(_Section):
    """The site that this device is enrolled with.

    Attributes:
        name: Shown on screen and in reports; empty until enrolled.
        clinic_url: Address of the clinic's archive; empty: nothing is sent. HTTPS, or HTTP to this very machine.
        recovery_key: X25519 public key (hexadecimal) of the clinic, which may open the records when all PINs are lost.
    """

    name: str = Field(default="", max_length=64)
    clinic_url: str = ""
    recovery_key: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    policy: PolicySettings = PolicySettings()

    @field_validator("clinic_url", mode="before")
    @classmethod
    def _as_typed(cls, value: object) -> str:
        """Whatever stands where the address should, as a text; one of absurd length is cut, and stays none."""
        text = value if isinstance(value, str) else str(value)
        return text if len(text) <= _LONGEST_ADDRESS else f"{text[:400]} ..."

    @property
    def address_problem(self) -> str:
        """Why nothing can be sent to ``clinic_url``, which was typed into the file by hand; empty: nothing is wrong.

        The handheld works without its clinic, and what is finalised meanwhile waits for it. So such an address is not
        left out like other values: it is kept as it was typed, said where it matters, and never connected to.
        """
        try:
            checked_clinic_url(self.clinic_url)
        except ValueError as error:
            return str(error)
        return ""

    @field_validator("name")
    @classmethod
    def _can_be_shown(cls, name: str) -> str:
        return checked_shown_text(name)


class SourceSettings(_Section):
    """Which picture source was used last, and whether the phantom is one.

    Attributes:
        last_by_site: Identifier of the source chosen last, by site name.
        preset_by_source: Name of the scanner preset that its frames are looked at with, by the source's identifier.
        practice: Whether the phantom is offered on an enrolled device.
    """

    last_by_site: dict[str, str] = {}
    preset_by_source: dict[str, str] = {}
    practice: bool = False


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
    box: Annotated[tuple[NumberOfPixels, NumberOfPixels, NumberOfPixels, NumberOfPixels], LooseTuple] | None = None
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
        bundle: Folder of a bundle, for instance one of your own; unset: the newest shipped one in ``models/``.
    """

    bundle: PossiblePath | None = None


class Settings(_Section):
    """All settings of one device; ``Settings()`` are the defaults."""

    paths: PathSettings = PathSettings()
    display: DisplaySettings = DisplaySettings()
    lock: LockSettings = LockSettings()
    site: SiteSettings = SiteSettings()
    sources: SourceSettings = SourceSettings()
    presets: Annotated[tuple[ScannerPreset, ...], LooseTuple] = ()
    model: ModelSettings = ModelSettings()

    _unusable: tuple[Unusable, ...] = PrivateAttr(default=())

    @field_validator("presets")
    @classmethod
    def _names_differ(cls, presets: tuple[ScannerPreset, ...]) -> tuple[ScannerPreset, ...]:
        names = [preset.name for preset in presets]
        if len(set(names)) != len(names):
            raise ValueError("every preset needs a name of its own")
        return presets

    @property
    def problem(self) -> str:
        """What is wrong in the file and did not keep the device from starting, by its key; empty: nothing."""
        found = [one.words for one in self._unusable]
        if self.site.address_problem:
            found.append(_about_address(self.site.clinic_url, self.site.address_problem))
        return "; ".join(found)

    @property
    def unusable(self) -> tuple[str, ...]:
        """Keys of the file whose value is not allowed, so that the default applies: ``display.rotation``."""
        return tuple(written_out(key_of({"loc": one.key})) for one in self._unusable)

    @property
    def policy_known(self) -> bool:
        """Whether the file says what the site has decided; if not, nothing is deleted, and nothing older is sent."""
        return not any(one.key[0] == "site" for one in self._unusable)

    @property
    def data_dir(self) -> Path:
        """Where exams are kept: ``MAMMASCOPE_DATA``, else ``paths.data_dir``, else the user's data folder."""
        named = os.environ.get("MAMMASCOPE_DATA")
        if named:
            return Path(named)
        return self.paths.data_dir or _xdg("XDG_DATA_HOME", ".local/share") / "mammascope"

    @property
    def models(self) -> Path:
        """Where the model is taken from: the chosen bundle, else the folder whose newest shipped bundle is used."""
        return self.model.bundle or MODELS

    def with_values(self, section: str, **values: object) -> Settings:
        """A copy in which some keys of one section have new, checked values.

        Args:
            section: Name of a section, for instance ``display``.
            **values: New values by key.

        Raises:
            ConfigError: A key is unknown or a value is not allowed.
        """
        if section == "site" and "clinic_url" in values:
            _require_address(values["clinic_url"])
        current = _as_written(self)
        merged = {**current, section: {**current.get(section, {}), **values}}
        return self._followed_by(merged, lambda one: any(one.is_set_by((section, key)) for key in values))

    def with_presets(self, presets: Sequence[ScannerPreset]) -> Settings:
        """A copy with these scanner presets in place of the present ones.

        Raises:
            ConfigError: Two of them have the same name.
        """
        written = [preset.model_dump(mode="json", exclude_none=True) for preset in presets]
        return self._followed_by({**_as_written(self), "presets": written}, lambda one: one.key == ("presets",))

    def _followed_by(self, written: Mapping[str, Any], is_set: Callable[[Unusable], bool]) -> Settings:
        """These values, and of what was put aside all that is not set by them."""
        changed = _validated(written, "settings")
        changed._unusable = tuple(one for one in self._unusable if not is_set(one))
        return changed


def settings_path() -> Path:
    """The settings file of this user: ``MAMMASCOPE_CONFIG``, else ``mammascope/settings.toml`` in the config folder."""
    named = os.environ.get("MAMMASCOPE_CONFIG")
    return Path(named) if named else _xdg("XDG_CONFIG_HOME", ".config") / "mammascope" / "settings.toml"


def load_settings(path: Path) -> Settings:
    """Read a settings file; a file that does not exist means all defaults.

    A key that is unknown or has a value that is not allowed is left out and named by ``Settings.problem``; a clinic's
    address that cannot be one is kept as it stands, see ``SiteSettings.address_problem``.

    Args:
        path: TOML file, UTF-8.

    Raises:
        ConfigError: The file cannot be read, is not TOML, or says where the exams are in a way that is not understood:
            ``paths``, or a section that nobody knows; or more is wrong with it than a few values.
    """
    try:
        written = parse_toml(read_bounded(path, MAX_SETTINGS_BYTES))
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise ConfigError(path, error.strerror or type(error).__name__) from error
    except StructureError as error:
        raise ConfigError(path, str(error)) from None
    put_aside: list[Unusable] = []
    while problems := _problems(written):
        words = {place_of(written, problem["loc"]): _in_words(problem) for problem in reversed(problems)}
        if any(not _can_be_left_out(place) for place in words) or len(words) + len(put_aside) > MOST:
            raise ConfigError(path, "; ".join(_in_words(problem) for problem in problems[:MOST]))
        written, taken = without(written, words)
        put_aside += [Unusable(place, taken[place], words[place]) for place in words]
    settings = Settings.model_validate(written)
    settings._unusable = tuple(reversed(put_aside))
    return settings


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
    """What a settings file holds: what was set, not the defaults, and what is not understood as it stands there."""
    return tomli_w.dumps(put_back(_as_written(settings), settings._unusable)).encode("utf-8")


def _as_written(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(mode="json", exclude_unset=True, exclude_none=True)


def _validated(written: Mapping[str, Any], where: object) -> Settings:
    problems = _problems(written)
    if problems:
        raise ConfigError(where, "; ".join(_in_words(problem) for problem in problems))
    return Settings.model_validate(written)


def _problems(written: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """What pydantic finds wrong."""
    try:
        Settings.model_validate(written)
    except ValidationError as error:
        return error.errors()
    return ()


def _can_be_left_out(place: Key) -> bool:
    return bool(place) and place[0] != _NEEDED and (len(place) > 1 or place[0] in Settings.model_fields)


def _require_address(url: object) -> None:
    """Raise ``ConfigError`` for a clinic's address that cannot be one; what is typed into the file is not asked."""
    try:
        checked_clinic_url(str(url))
    except ValueError as error:
        raise ConfigError("settings", _about_address(str(url), str(error))) from None


def _about_address(url: str, problem: str) -> str:
    return _in_words({"loc": ("site", "clinic_url"), "msg": problem, "input": url})


def _in_words(problem: Mapping[str, Any]) -> str:
    """One sentence for one problem that pydantic found: the key, what is wrong, what is allowed."""
    location: tuple[int | str, ...] = problem["loc"]
    key = written_out(key_of(problem))
    if problem.get("type") == "extra_forbidden":
        allowed = _keys_beside(location)
        near = difflib.get_close_matches(str(location[-1]), allowed, n=1)
        hint = f", did you mean {near[0]}?" if near else ""
        return f"{key} is not a setting{hint} Allowed here: {', '.join(allowed)}"
    given = repr(problem["input"])
    if key == "site.clinic_url" and "@" in given:
        return f"{key}: {problem['msg']}"  # what stands before the sign is a password
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


def _xdg(variable: str, default: str) -> Path:
    """A base folder by the XDG Base Directory Specification: an absolute path from the environment, else below home."""
    named = Path(os.environ.get(variable, ""))
    return named if named.is_absolute() else Path.home() / default
