# SPDX-License-Identifier: Apache-2.0
"""setup.sh and the locks: what a technician runs first, tried in a small checkout with packages made on the spot."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PINNED = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)(?: ; ([^\\]+))?\s*\\$")


def test_every_shell_script_parses(checkout: Path) -> None:
    for script in (checkout / "setup.sh", checkout / ".ci" / "run", checkout / "requirements" / "lock"):
        assert os.access(script, os.X_OK), script
        subprocess.run(["bash", "-n", script], check=True)


def test_it_runs_where_nobody_has_a_home_as_at_the_first_start_of_a_card(checkout: Path) -> None:
    environment = {"PATH": os.environ["PATH"]}
    subprocess.run([checkout / "setup.sh", "--help"], env=environment, check=True, stdout=subprocess.DEVNULL)


def test_help_names_every_command_and_an_unknown_one_is_refused(checkout: Path) -> None:
    script = checkout / "setup.sh"
    shown = subprocess.run([script, "--help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^        ([a-z]+)\)", script.read_text(), flags=re.MULTILINE)
    assert commands
    assert re.findall(r"^  ([a-z]+)  ", shown, flags=re.MULTILINE) == commands
    refused = subprocess.run([script, "dmeo"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "dmeo is not a command" in refused.stderr


# --- the locks --------------------------------------------------------------------------------------------------------


def locked(path: Path) -> dict[str, str]:
    """Version by package name; every package must carry the hashes of its files."""
    versions: dict[str, str] = {}
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        found = PINNED.match(line)
        if found:
            assert lines[number + 1].strip().startswith("--hash=sha256:"), line
            versions[canonicalize_name(found[1])] = found[2]
        else:
            assert not line or line.startswith(("#", "    --hash=sha256:")), f"{path.name}: {line}"
    return versions


def wanted(checkout: Path, *extras: str) -> list[Requirement]:
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = project["dependencies"] + [text for extra in extras for text in project["optional-dependencies"][extra]]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize(("lock", "extras"), [("device", ["device"]), ("test", ["device", "convert", "dev"])])
def test_every_dependency_is_locked_at_a_version_that_is_allowed(checkout: Path, lock: str, extras: list[str]) -> None:
    versions = locked(checkout / "requirements" / f"{lock}.lock")
    for requirement in wanted(checkout, *extras):
        name = canonicalize_name(requirement.name)
        assert name in versions, f"{name} is not in {lock}.lock: run requirements/lock"
        assert requirement.specifier.contains(versions[name]), f"{name} {versions[name]} is not {requirement}"


def test_tests_run_with_the_versions_of_the_device(checkout: Path) -> None:
    device, test = (locked(checkout / "requirements" / f"{name}.lock") for name in ("device", "test"))
    assert {name: test.get(name) for name in device} == device


def test_the_device_gets_neither_training_nor_a_gpl_decoder(checkout: Path) -> None:
    names = set(locked(checkout / "requirements" / "device.lock"))
    assert not names & {"tensorflow", "keras", "scikit-learn", "matplotlib", "pylibjpeg-libjpeg", "pygame"}


def test_every_dependency_has_its_reason_written_down(checkout: Path) -> None:
    rows = (checkout / "docs" / "dependencies.md").read_text(encoding="utf-8")
    named = {canonicalize_name(name) for name in re.findall(r"`([A-Za-z0-9_.-]+)`", rows)}
    for requirement in wanted(checkout, "device", "gpl-decoders", "convert", "dev"):
        assert canonicalize_name(requirement.name) in named, f"docs/dependencies.md has no row for {requirement.name}"


# --- the environment --------------------------------------------------------------------------------------------------


class SmallCheckout:
    """A checkout with the real setup.sh, a program that only shows what it was given, and one package of its own."""

    def __init__(self, folder: Path, script: Path) -> None:
        self.folder = folder / "check out"  # paths with blanks are ordinary
        self.shop = folder / "shop"
        self.cache = folder / "cache"
        for made in (self.folder / "device", self.folder / "clinic", self.folder / "requirements", self.shop):
            made.mkdir(parents=True)
        shutil.copy(script, self.folder)
        program = "import greeting, sys\nprint(greeting.TEXT, *sys.argv[1:])\n"
        (self.folder / "device" / "__init__.py").touch()
        (self.folder / "device" / "__main__.py").write_text(program)
        (self.folder / "clinic" / "__init__.py").touch()
        (self.folder / "clinic" / "__main__.py").write_text(program)
        shutil.copy(script.parent / "clinic" / "run", self.folder / "clinic")
        for name in ("debian-device.txt", "debian-test.txt"):
            (self.folder / "requirements" / name).write_text("# nothing needed\n")
        self.offer("hello")

    def offer(self, text: str, version: str = "1.0") -> None:
        """Put a package into the shop and lock it."""
        wheel = make_wheel(self.shop, "greeting", version, f"TEXT = {text!r}\n")
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        lock = f"greeting=={version} \\\n    --hash=sha256:{digest}\n"
        (self.folder / "requirements" / "device.lock").write_text(lock)
        (self.folder / "requirements" / "clinic.lock").write_text(lock)
        (self.folder / "requirements" / "test.lock").write_text(lock)

    def run(self, *words: str, script: str = "setup.sh") -> subprocess.CompletedProcess[str]:
        """Run setup.sh where nothing but the shop can be reached."""
        environment = {
            **os.environ,
            "XDG_CACHE_HOME": str(self.cache),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": self.shop.as_uri(),
            "MAMMASCOPE_PYTHON": sys.executable,
        }
        return subprocess.run(
            [self.folder / script, *words], env=environment, cwd="/", capture_output=True, text=True, check=False
        )


def make_wheel(folder: Path, name: str, version: str, code: str) -> Path:
    """The smallest wheel that pip installs: one module and its metadata."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"]) + "\n"
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> SmallCheckout:
    return SmallCheckout(tmp_path_factory.mktemp("setup"), checkout / "setup.sh")


def test_demo_makes_the_environment_and_hands_over_the_options(small: SmallCheckout) -> None:
    done = small.run("demo", "--frames", "a b")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "hello run --demo --frames a b\n"


def test_a_clinic_s_one_command_makes_its_environment_and_starts(tmp_path: Path, checkout: Path) -> None:
    fresh = SmallCheckout(tmp_path, checkout / "setup.sh")
    done = fresh.run("--name", "a b", script="clinic/run")
    assert (done.returncode, done.stdout) == (0, "hello --name a b\n"), done.stderr
    again = fresh.run("--add-device", "ward-3", script="clinic/run")
    assert again.stdout == "hello --add-device ward-3\n"
    assert "the packages of" not in again.stderr
    assert "the packages of" not in fresh.run("doctor").stderr  # it holds all of the device's


def test_a_second_run_installs_nothing_and_needs_no_shop(small: SmallCheckout) -> None:
    small.run("doctor")
    shutil.move(small.shop, small.shop.with_name("closed"))
    try:
        done = small.run("doctor", "--json")
    finally:
        shutil.move(small.shop.with_name("closed"), small.shop)
    assert (done.returncode, done.stdout) == (0, "hello doctor --json\n")
    assert "==>" not in done.stderr


def test_a_lost_environment_is_made_again_without_a_network(small: SmallCheckout) -> None:
    small.run("doctor")
    (small.folder / ".venv" / "bin" / "python").unlink()
    shutil.move(small.shop, small.shop.with_name("closed"))
    try:
        done = small.run("doctor")
    finally:
        shutil.move(small.shop.with_name("closed"), small.shop)
    assert (done.returncode, done.stdout) == (0, "hello doctor\n"), done.stderr


def test_a_raised_version_is_installed_and_the_old_files_go(small: SmallCheckout) -> None:
    small.run("doctor")
    small.offer("good day", version="1.1")
    assert small.run("doctor").stdout == "good day doctor\n"
    kept = sorted(path.name for path in small.cache.rglob("*.whl"))
    assert kept == ["greeting-1.1-py3-none-any.whl"]


def test_a_package_that_was_tampered_with_is_refused(tmp_path: Path, checkout: Path) -> None:
    small = SmallCheckout(tmp_path, checkout / "setup.sh")
    make_wheel(small.shop, "greeting", "1.0", "TEXT = 'evil'\n")
    done = small.run("demo")
    assert done.returncode != 0
    assert "evil" not in done.stdout
    assert "hash" in done.stderr.lower()


def test_an_old_python_is_refused_in_words(tmp_path: Path, checkout: Path) -> None:
    small = SmallCheckout(tmp_path, checkout / "setup.sh")
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "dirname", "cat", "env"):
        found = shutil.which(tool)
        assert found
        (tools / tool).symlink_to(found)
    environment = {"PATH": str(tools), "HOME": str(tmp_path), "MAMMASCOPE_PYTHON": str(old)}
    script = ["bash", str(small.folder / "setup.sh"), "demo"]
    done = subprocess.run(script, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr
