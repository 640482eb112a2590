# SPDX-License-Identifier: Apache-2.0
"""The command line: verbs that exist, errors in one line, and nothing loaded that was not asked for."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from device import __main__ as command_line
from device.commands import COMMANDS, Command
from device.errors import EmptyFileError
from device.words import texts


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "device", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_help_offers_every_verb_and_each_has_its_module(checkout: Path) -> None:
    shown = run("--help", folder=checkout)
    assert shown.returncode == 0
    for command in COMMANDS:
        assert f"    {command.verb} " in shown.stdout, command.verb
        assert importlib.util.find_spec(command.module) is not None, command.module


def test_every_verb_explains_itself(checkout: Path) -> None:
    for command in COMMANDS:
        shown = run(command.verb, "--help", folder=checkout)
        assert shown.returncode == 0, shown.stderr
        assert command.help.split()[0] in shown.stdout


def test_an_unknown_verb_is_a_usage_error(checkout: Path) -> None:
    done = run("classifi", folder=checkout)
    assert done.returncode == 2
    assert "classifi" in done.stderr
    assert done.stdout == ""


def test_start_up_loads_nothing_heavy(checkout: Path) -> None:
    code = (
        "import sys\n"
        "from device.__main__ import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    heavy = {"numpy", "cv2", "pygame", "pydicom", "pydantic", "ai_edge_litert", "sqlite3", "cryptography", "PIL"}
    assert "device" in loaded
    assert not loaded & heavy


class OneVerb:
    """A command module that does what a test asks for."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("path")

    def run(self, args: argparse.Namespace) -> int:
        if self.error is not None:
            raise self.error
        return len(args.path)


def with_verb(monkeypatch: pytest.MonkeyPatch, module: OneVerb) -> None:
    monkeypatch.setattr(command_line, "COMMANDS", (Command("look", "nowhere", "look at a file"),))
    monkeypatch.setattr(Command, "load", lambda _self: module)


def test_a_verb_gets_its_arguments_and_gives_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    with_verb(monkeypatch, OneVerb())
    assert command_line.main(["look", "abc"]) == 3


def test_an_error_is_one_line_that_begins_with_the_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_verb(monkeypatch, OneVerb(EmptyFileError("stick/a.png")))
    assert command_line.main(["look", "stick/a.png"]) == 2
    shown = capsys.readouterr()
    assert shown.err == f"stick/a.png: {texts('en')['errors.file-empty']}\n"
    assert shown.out == ""


def test_a_mistake_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    with_verb(monkeypatch, OneVerb(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        command_line.main(["look", "x"])


def test_interruption_by_the_user_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with_verb(monkeypatch, OneVerb(KeyboardInterrupt()))
    assert command_line.main(["look", "x"]) == 130
    assert capsys.readouterr().err == ""


def test_a_reader_that_leaves_early_is_no_error(checkout: Path) -> None:
    code = "import device.__main__ as m, device.commands as c\n"
    code += "class V:\n def add_arguments(s, p): pass\n def run(s, a):\n  while True: print('x' * 9999, flush=True)\n"
    code += "m.COMMANDS = (c.Command('talk', 'n', 'h'),)\nc.Command.load = lambda s: V()\n"
    code += "raise SystemExit(m.main(['talk']))\n"
    line = f'"{sys.executable}" -c "$CODE" | head -c 1 >/dev/null; exit "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=checkout,
        env={"CODE": code, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (141, b"")
