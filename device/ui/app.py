# SPDX-License-Identifier: Apache-2.0
"""The program around the screens: window, main loop, screen stack, messages, lock.

The loop runs thirty times a second and never waits for anything else: what takes time runs in ``Tasks`` and comes back
through it. It draws only when something changed or the screen is live, so an idle handheld sleeps. ``SIGTERM`` ends
the loop between two frames, after the screen has been left, so that ``systemctl stop`` is quick and clean.
"""

from __future__ import annotations

import logging
import math
import signal
import time
from collections.abc import Callable
from types import FrameType

import pygame

from device.config import Settings
from device.errors import MammascopeError
from device.fonts.shaping import FontBook
from device.ui.context import Ui
from device.ui.display import Display
from device.ui.pointer import Phase, Pointer
from device.ui.screen import LeftOpen, Screen
from device.ui.session.services import Services
from device.ui.status import Level, Status, StatusBoard, Topic
from device.ui.tasks import Tasks
from device.ui.widgets import Dialog, ImageView, Overlay, Widget
from device.ui.widgets.entry.keyboard import TouchKeyboard
from device.ui.widgets.status_bar import StatusBar
from device.ui.widgets.toast import Toasts

log = logging.getLogger(__name__)

FRAMES_PER_SECOND = 30
LONGEST_STEP_S = 0.25
"""What a screen is told after a pause; a longer step would let animations jump."""

COUNTDOWN_S = 20
"""Seconds before locking from which they are counted down."""

Clock = Callable[[], float]
Change = Callable[[Settings], Settings]
"""Gives other settings for the present ones."""

SaveSettings = Callable[[Change], None]


class App:
    """The running program.

    Args:
        display: Where it is shown.
        settings: Language, theme, time-out; see ``device.config``.
        services: Records, model and whatever else the screens work with.
        clock: Seconds that only go forward; tests move it by hand.
        save: Makes a change to the settings on the card as well; called in the background.

    Attributes:
        ui: Look, words and time; a new one after each change of language, theme, size or rotation.
        tasks: Work in the background.
        status: What the status bar says.
        services: As given.
        on_stop: Called when the loop has ended, before anything is closed.
        on_settings: Called with the settings before and after each change that is kept.
    """

    def __init__(
        self,
        display: Display,
        settings: Settings,
        services: Services,
        clock: Clock = time.monotonic,
        *,
        save: SaveSettings | None = None,
    ) -> None:
        self.display = display
        self.settings = settings
        self.services = services
        self.clock = clock
        self.tasks = Tasks()
        self._save = save
        self._fonts = FontBook()
        self._dirty = True
        self._stopping = False
        self._stack: list[Screen] = []
        self._overlays: list[Overlay] = []
        self._timers: list[tuple[float, Callable[[], None], list[float]]] = []
        self._make_lock: Callable[[], Screen] | None = None
        self._interrupted: TouchKeyboard | None = None
        self.on_stop: list[Callable[[], None]] = []
        self.on_settings: list[Callable[[Settings, Settings], None]] = []
        self._last_step = self._last_touch = self._last_use = clock()
        self.status = StatusBoard(self._invalidate)
        self.ui = self._new_ui()
        self._build_chrome()

    # --- look -----------------------------------------------------------------------------------------------------

    def _new_ui(self) -> Ui:
        look = self.settings.display
        self._fonts.require(look.language)
        return Ui(
            self.display.size,
            look.theme,
            look.language,
            fonts=self._fonts,
            clock=self.clock,
            on_invalid=self._invalidate,
        )

    def _build_chrome(self) -> None:
        """Make and place what belongs to the program itself rather than to a screen."""
        width, height = self.display.size
        self._bar = StatusBar(self.ui, self.status)
        bar_height = self._bar.preferred(width)[1]
        self._bar.place(pygame.Rect(0, 0, width, bar_height))
        self.area = pygame.Rect(0, bar_height, width, height - bar_height)
        self.toasts = Toasts(self.ui, self.area)

    def change_settings(self, section: str, **values: object) -> None:
        """Use other settings from now on, and keep them; the look changes at once on every screen.

        Args:
            section: Name of a settings section, for instance ``display``.
            **values: New values by key.

        Raises:
            ConfigError: A key is unknown or a value is not allowed; everything stays as it was.
            FontMissingError: The language cannot be shown; everything stays as it was.
        """
        self.change(lambda settings: settings.with_values(section, **values))

    def change(self, change: Change) -> None:
        """Use other settings from now on, and keep them; for what ``change_settings`` cannot say.

        Args:
            change: Applied to the settings in use, and to those on the card, which may differ.

        Raises:
            ConfigError: A value is not allowed; everything stays as it was.
            FontMissingError: The language cannot be shown; everything stays as it was.
        """
        settings = change(self.settings)
        self._fonts.require(settings.display.language)
        before, self.settings = self.settings, settings
        if self._save is not None:
            save = self._save
            self.tasks.start("settings", lambda _: save(change), lambda _: None, self.show_error)
        for action in self.on_settings:
            action(before, settings)
        if settings.display != before.display:
            self._dress_anew()

    def try_settings(self, section: str, **values: object) -> None:
        """Use other settings without keeping them: a restart, or ``change_settings``, ends the trial.

        Raises:
            ConfigError: A key is unknown or a value is not allowed; everything stays as it was.
        """
        before, self.settings = self.settings, self.settings.with_values(section, **values)
        if self.settings.display != before.display:
            self._dress_anew()

    def _dress_anew(self) -> None:
        """Build everything again in the new language, theme and rotation."""
        self.display.rotate(self.settings.display.rotation)
        self.ui = self._new_ui()
        self._close_overlays()
        self._build_chrome()
        self._show()

    def _invalidate(self) -> None:
        self._dirty = True

    # --- screens --------------------------------------------------------------------------------------------------

    @property
    def screen(self) -> Screen | None:
        """The topmost screen."""
        return self._stack[-1] if self._stack else None

    def push(self, screen: Screen) -> None:
        """Cover the present screen with another one."""
        self._cover()
        self._enter(screen)

    def pop(self) -> None:
        """Close the topmost screen; the last one stays."""
        if len(self._stack) > 1:
            self._cover()
            self._stack.pop()
            self._enter(self._stack.pop())

    def replace(self, screen: Screen) -> None:
        """Close the topmost screen and show another one in its place."""
        self._cover()
        if self._stack:
            self._stack.pop()
        self._enter(screen)

    def reset(self, screen: Screen) -> None:
        """Close all screens and begin with this one."""
        self._interrupted = None
        self._cover()
        self._stack.clear()
        self._enter(screen)

    def _cover(self) -> None:
        self._close_overlays()
        if self.screen is not None:
            self.screen.root.release()
            self.screen.leave()

    def _enter(self, screen: Screen) -> None:
        screen.app = self
        self._stack.append(screen)
        log.info("screen %s", screen.name)
        screen.enter()
        # Entering may have gone on to another screen already.
        if self.screen is screen:
            self._show()

    def _show(self) -> None:
        self.place_screen()
        self._dirty = True

    def place_screen(self) -> None:
        """Give the topmost screen its place: below the status bar, or where it is bare all there is."""
        if self.screen is not None:
            whole = pygame.Rect((0, 0), self.display.size)
            self.screen.layout(whole if self.screen.bare else self.area)

    # --- lock -----------------------------------------------------------------------------------------------------

    def lock_with(self, make_screen: Callable[[], Screen]) -> None:
        """Say which screen locks the device after ``settings.lock.timeout_s`` seconds without a touch."""
        self._make_lock = make_screen

    def lock(self) -> None:
        """Cover everything with the lock screen now, and forget the keys of the records."""
        if self._make_lock is not None:
            self.toasts.clear()
            top = self.top
            self._interrupted = top if isinstance(top, TouchKeyboard) and top.half_written else None
            self.push(self._make_lock())
            self.services.lock()

    def set_aside(self) -> LeftOpen:
        """Take away what lies under the lock screen."""
        *screens, lock = self._stack
        self._stack = [lock]
        keyboard, self._interrupted = self._interrupted, None
        return LeftOpen(tuple(screens), keyboard)

    def bring_back(self, left: LeftOpen) -> None:
        """Show again what was set aside, and nothing else; a text that was half written is on the keyboard again."""
        self._cover()
        self._stack = list(left.screens[:-1])
        self._enter(left.screens[-1])
        if left.keyboard is not None and self.screen is left.screens[-1]:
            self.open(left.keyboard.again(self.ui))

    def _lock_when_idle(self, now: float) -> None:
        screen, limits = self.screen, self.settings.lock
        if screen is None or not screen.can_lock or self._make_lock is None:
            self.status.clear(Topic.LOCK)
            return
        if screen.in_use:
            self._last_use = now
        longest = max(limits.timeout_s, limits.live_timeout_s) - (now - self._last_touch)
        left = math.ceil(min(longest, limits.timeout_s - (now - max(self._last_touch, self._last_use))))
        if left <= 0:
            self.status.clear(Topic.LOCK)
            self.lock()
        elif left <= COUNTDOWN_S:
            if screen.bare:
                screen.show_bare(False)
            self.status.set(Status(Topic.LOCK, Level.WARNING, "status.locks_soon", {"seconds": left}))
        else:
            self.status.clear(Topic.LOCK)

    # --- messages -------------------------------------------------------------------------------------------------

    @property
    def top(self) -> Widget | None:
        """The widgets that a finger can reach now: the topmost overlay, else the screen's."""
        if self._overlays:
            return self._overlays[-1]
        return self.screen.root if self.screen is not None else None

    def open(self, overlay: Overlay) -> None:
        """Lay something over the screen that has to be answered first (a dialog, a keyboard)."""
        if self.top is not None:
            self.top.release()
        self._overlays.append(overlay)
        overlay.opened(self.close)
        overlay.place(pygame.Rect((0, 0), self.display.size))
        self._dirty = True

    def close(self, overlay: Overlay) -> None:
        """Take an overlay away; nothing happens if it has gone already."""
        if overlay in self._overlays:
            overlay.release()
            self._overlays.remove(overlay)
            self._dirty = True

    def _close_overlays(self) -> None:
        for overlay in list(self._overlays):
            self.close(overlay)

    def toast(self, text: str, level: Level = Level.INFO) -> None:
        """Show a line for a few seconds that needs no answer."""
        self.toasts.show(text, level, self._buttons())

    def _buttons(self) -> list[pygame.Rect]:
        """Where a finger could mean something that is not a picture."""
        top = self.top
        found = [widget for widget in top.walk() if widget.touchable] if top is not None else []
        return [widget.rect for widget in found if not isinstance(widget, ImageView)]

    def show_error(self, error: MammascopeError) -> None:
        """Say what went wrong, where, and what to do; the log gets the technical detail."""
        log.warning("%s: %s", error.code, error)
        self.open(Dialog.message(self.ui, self.ui.t("common.problem"), self.ui.t.error(error), where=error.where))

    # --- loop -----------------------------------------------------------------------------------------------------

    def every(self, seconds: float, action: Callable[[], None]) -> None:
        """Call ``action`` on the UI thread every so many seconds (watchdog, status)."""
        self._timers.append((seconds, action, [self.clock() + seconds]))

    def stop(self) -> None:
        """End the loop after this frame."""
        self._stopping = True

    def run(self) -> int:
        """Run until the window is closed or the process is asked to end; returns the exit status."""
        pacer = pygame.time.Clock()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        while not self._stopping:
            self.step()
            pacer.tick(FRAMES_PER_SECOND)
        for action in self.on_stop:
            action()
        self.close_all()
        return 0

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.stop()

    def close_all(self) -> None:
        """Leave the screen, stop the background work and give the panel back."""
        self._cover()
        self._stack.clear()
        self.services.close()
        self.tasks.close()
        self.display.close()

    def step(self) -> None:
        """One turn of the loop: touches, results, time, picture."""
        now = self.clock()
        dt, self._last_step = min(now - self._last_step, LONGEST_STEP_S), now
        try:
            for event in pygame.event.get():
                self._event(event)
            self.tasks.deliver()
            self._run_timers(now)
            self._lock_when_idle(now)
            self._update(dt)
        except MammascopeError as error:
            self.show_error(error)
        if self._dirty or (self.screen is not None and self.screen.live):
            self._dirty = False
            self.draw()
            self.display.present()

    def _run_timers(self, now: float) -> None:
        for seconds, action, due in self._timers:
            if now >= due[0]:
                due[0] = now + seconds
                action()

    def _update(self, dt: float) -> None:
        if self.screen is not None:
            self.screen.update(dt)
        for overlay in self._overlays:
            overlay.update(dt)
        self._bar.update(dt)
        self.toasts.update(dt)

    def _event(self, event: pygame.event.Event) -> None:
        if event.type == pygame.QUIT:
            self.stop()
        elif event.type in (pygame.WINDOWEXPOSED, pygame.WINDOWRESTORED):
            self._dirty = True
        elif event.type == pygame.WINDOWFOCUSLOST and self.top is not None:
            self.top.release()
        elif event.type in (pygame.KEYDOWN, pygame.TEXTINPUT):
            self._last_touch = self.clock()
            self._key(event)
        else:
            pointer = self.display.reader.read(event)
            if pointer is not None:
                self._pointer(pointer)

    def _pointer(self, pointer: Pointer) -> None:
        self._last_touch = self.clock()
        if pointer.phase is Phase.DOWN:
            self.toasts.dismiss()
        if self._overlays:
            self._overlays[-1].handle(pointer)
        elif self.screen is not None:
            self.screen.handle(pointer)

    def _key(self, event: pygame.event.Event) -> None:
        if self._overlays:
            self._overlays[-1].typed(event)
        elif self.screen is not None and event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE:
            self.screen.back()
        elif self.screen is not None:
            self.screen.key(event)

    def draw(self) -> None:
        """Draw everything on the logical surface, from the screen up to the toasts."""
        surface = self.display.surface
        self.ui.text.begin()
        surface.fill(self.ui.palette.background)
        if self.screen is not None:
            self.screen.draw(surface)
        if self.screen is None or not self.screen.bare:
            self._bar.draw(surface)
        for overlay in self._overlays:
            self.ui.text.cover(overlay.panel)
            overlay.draw(surface)
        self.toasts.avoid(self._buttons())
        self.toasts.draw(surface)
