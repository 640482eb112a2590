# SPDX-License-Identifier: Apache-2.0
"""``python -m device run``: the touchscreen program, on a panel without X, in a window, or headless.

systemd starts it full screen on the handheld; on a desk it opens a window of the size of the usual panel.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import get_args

from device.arguments import any_path
from device.capture.sandbox.lock import hide_memory
from device.config import Language, Settings, load_settings, save_settings, settings_path
from device.errors import DisplayError, FileMissingError
from device.records.keys.device_secret import read_device_secret
from device.records.keys.key_file import read_key_file
from device.records.keys.vault import Vault
from device.system.watchdog import Watchdog
from device.ui.app import App, Change
from device.ui.demo import Demo
from device.ui.display import INVISIBLE, Display
from device.ui.flow.main import Flow
from device.ui.pointer import ROTATIONS
from device.ui.session.housekeeping import start_housekeeping
from device.ui.session.services import Services


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``run``."""
    parser.add_argument("--demo", action="store_true", help="try the program: phantom frames, records in a new folder")
    parser.add_argument("--frames", type=any_path, metavar="FOLDER", help="offer this folder's pictures as a source")
    parser.add_argument("--size", type=_size, metavar="WxH", help="size of the window, for instance 1280x720")
    parser.add_argument("--rotation", type=int, choices=ROTATIONS, help="degrees clockwise that the picture is turned")
    parser.add_argument("--language", choices=get_args(Language), help="language of the screens")
    parser.add_argument("--theme", choices=("light", "dark"), help="look of the screens")
    parser.add_argument(
        "--screenshot",
        type=any_path,
        metavar="FILE",
        default=Path("mammascope-demo.png"),
        help="where a demo without a screen saves its picture (default: %(default)s)",
    )
    parser.add_argument("--windowed", action="store_true", help="open a window even where full screen is set")


def run(args: argparse.Namespace) -> int:
    """Run the program until it is closed.

    Returns:
        0 after a clean end.

    Raises:
        ConfigError: The settings file cannot be used.
        FileMissingError: ``--frames`` is no folder.
        DisplayError: No screen can be opened.
        FontMissingError: The language's font is not installed.
    """
    hide_memory()  # the key of the records will be in it
    if args.frames is not None and not args.frames.is_dir():
        raise FileMissingError(args.frames, "not a folder")
    path = settings_path()
    settings = _chosen(load_settings(path), args)
    look = settings.display
    full = look.fullscreen and not args.windowed and args.size is None
    if args.demo:
        return _demo(args, settings.with_values("lock", timeout_s=3600), None if full else look.size)
    services = Services(settings.data_dir, device_secret=read_device_secret(), frames_dir=args.frames)

    def save(change: Change) -> None:
        """Keep what was changed on the screen, and nothing of what was said on the command line."""
        save_settings(change(load_settings(path)), path)

    app = App(Display(None if full else look.size, look.rotation), settings, services, save=save)
    Flow(app).start()
    start_housekeeping(app)
    _watch(app, Watchdog.from_environment())
    services.on_unlock.append(lambda vault: _let_clinic_recover(vault, services, app.settings.site.recovery_key))
    return app.run()


def _watch(app: App, watchdog: Watchdog) -> None:
    """Let the loop itself feed systemd's watchdog: nothing else shows that the screen still answers."""
    app.every(watchdog.interval_s, watchdog.beat)
    app.on_stop.append(watchdog.stopping)


def _let_clinic_recover(vault: Vault, services: Services, recovery_key: str) -> None:
    """Let the clinic of the enrolment open the records when every PIN is forgotten."""
    public = bytes.fromhex(recovery_key)
    if public and read_key_file(services.records_dir).clinic_public != public:
        vault.set_clinic_key(public)


def _demo(args: argparse.Namespace, settings: Settings, size: tuple[int, int] | None) -> int:
    """The demonstration, in a window or unseen; nothing of it touches the device's own records and settings."""
    try:
        display = Display(size, settings.display.rotation)
    except DisplayError:
        os.environ["SDL_VIDEODRIVER"] = "dummy"
        display = Display(settings.display.size, settings.display.rotation)
    with tempfile.TemporaryDirectory(prefix="mammascope-demo-", ignore_cleanup_errors=True) as folder:
        app = App(display, settings, Services(Path(folder), frames_dir=args.frames))
        demo = Demo(app, args.frames)
        demo.begin()
        return demo.run_unseen(args.screenshot) if display.driver in INVISIBLE else app.run()


def _chosen(settings: Settings, args: argparse.Namespace) -> Settings:
    """The settings with what the command line says instead."""
    given = {name: getattr(args, name) for name in ("size", "rotation", "language", "theme")}
    return settings.with_values("display", **{name: value for name, value in given.items() if value is not None})


def _size(words: str) -> tuple[int, int]:
    try:
        width, height = (int(word) for word in words.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{words!r} is not a size such as 800x480") from None
    return width, height
