# SPDX-License-Identifier: Apache-2.0
"""The touchscreen: everything a field clinician does, by touch, on pygame-ce with a small widget set of our own.

How to write a screen
---------------------
A screen is a class in ``screens/<name>.py``, derived from ``screen.Screen``. It keeps its state in attributes and
builds its widgets from it; it never changes widgets one by one::

    class CounterScreen(Screen):
        name = "counter"                                   # stable: tests, gallery, log

        def __init__(self) -> None:
            super().__init__()
            self._count = 0

        def build(self) -> Widget:                         # called on entering, rebuild(), new language/theme/size
            ui = self.ui
            more = Button(ui, ui.t("counter.more"), self._more, kind=Kind.PRIMARY, key="more")
            shown = Label(ui, ui.t("counter.shown", n=self._count), Style.TITLE, grow=1)
            return Page(ui, ui.t("counter.title"), [shown], on_back=self.back, footer=[more])

        def _more(self) -> None:
            self._count += 1
            self.rebuild()                                 # scroll and zoom are kept by widget key

* **State**: what a touch changes calls ``rebuild()``; what arrives by itself calls ``rebuild_when_free()``: once a
  frame, however much arrives. Both wait for a finger to lift, or the widget under it would go, and its tap with it.
* **Words**: one TOML file an area and language, ``device/words/<language>/counter.toml``, all five at once, with the
  same placeholders (``tests/device/words/test_words.py`` sees to it). Also ``ui.t.error(e)``, ``.result``, ``.reason``.
* **Layout**: ``Column``, ``Row``, ``Grid``, ``Card``, ``Spacer``, ``ScrollView`` (long forms), ``Page`` (title, way
  back, footer). ``grow`` shares out what is left. Lengths are those of 800x480: ``ui.px(12)``, ``ui.sizes.target``
  (64), ``.pad``, ``.gap``, ``.portrait``. Nothing may overflow in any language: it is reported, and tests fail.
* **Widgets**: ``Button``, ``Label``, ``TextField``, ``ListView``, ``Toggle``, ``Choice``, ``Slider``, ``ProgressBar``,
  ``ProbabilityBar``, ``Banner`` (a state in a screen), ``ImageView`` with ``drawings`` (outline, measure, heat map).
  Text is drawn only through an ``Ink``, so its contrast is tested; a state is an icon and a word, never a colour alone.
* **Anything slow** (disk, stick, network, key derivation, decoding)::

      self._task = self.app.tasks.start("import", lambda progress: work(progress), self._done, self._failed, self._told)

  ``work`` runs in a thread and calls ``progress.tell(0.5, "file")``; the other three run on the UI thread. Cancel it in
  ``leave()``. Other threads deliver with ``app.tasks.call(function)``. ``app.every(seconds, action)`` repeats.
* **Moving**: ``app.push(screen)``, ``pop()``, ``replace``, ``reset``; ``enter()`` when it comes on top (again),
  ``leave()`` when covered, closed or locked. ``live = True`` redraws every frame; otherwise ``ui.invalidate()`` asks
  for one.
* **Asking and telling**: ``self.ask_text(title, text, on_done, check=...)`` opens the keyboard;
  ``app.open(Dialog.confirm(...))``; ``app.toast(text, level)``; ``app.show_error(error)``
  (also what happens to an error raised in a handler);
  ``app.status.set(Status(Topic.DISK, Level.WARNING, "status.disk_low", {"free": "1 GB"}))``.
* **Settings**: ``app.change_settings("display", theme="light")`` applies and keeps. **Services**: ``app.services``.
* **Main menu**: add the tile's screen in ``flow.main.entries``.
* **Tests** drive the real program: ``with Driver(services, size, language="ta") as d: d.show(screen); d.tap("more");
  assert d.shows("1"); assert not d.overflows()``. See ``testing.Driver``.
"""
