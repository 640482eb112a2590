# SPDX-License-Identifier: Apache-2.0
"""What is shipped for machines that run a clinic for good: files that the tools which read them accept."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from clinic.__main__ import _default_state
from clinic.__main__ import _parser as run_parser
from clinic.service import PACKAGES
from clinic.web.__main__ import _parser as pages_parser
from tests.patience import PATIENT_S

FOLDER = Path(__file__).resolve().parents[2] / "clinic" / "deploy"


@pytest.fixture
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    return found


def test_every_option_that_is_used_exists(compose: dict[str, Any]) -> None:
    known = {option for action in run_parser()._actions for option in action.option_strings}
    used = {word for word in compose["services"]["clinic"]["command"] if word.startswith("--")}
    unit = (FOLDER / "mammascope-clinic.service").read_text()
    used |= set(re.findall(r" (--[a-z-]+)", re.search(r"ExecStart=(.*)", unit)[1]))  # type: ignore[index]
    assert used
    assert used <= known
    pages = (FOLDER / "mammascope-pages@.service").read_text().partition("ExecStart=")[2].partition("Environment")[0]
    asked = set(re.findall(r" (--[a-z-]+)", pages))
    assert asked
    assert asked <= {option for action in pages_parser()._actions for option in action.option_strings}


def test_compose_itself_takes_the_file() -> None:
    command = compose_command()
    if command is None:
        pytest.skip("docker-compose is not installed")
    said = {"CLINIC_NAME": "Kibera clinic", "CLINIC_HOST": "192.0.2.7", "DATABASE_PASSWORD": "abc"}
    words = [*command, "--file", str(FOLDER / "compose.yaml"), "config"]
    whole = {**os.environ, **said}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=whole, timeout=PATIENT_S)
    assert done.returncode == 0, done.stderr
    clinic = yaml.safe_load(done.stdout)["services"]["clinic"]
    args = run_parser().parse_args(clinic["command"])
    assert (args.name, args.host, args.time_zone) == ("Kibera clinic", ["192.0.2.7"], "UTC")
    assert clinic["environment"]["MAMMASCOPE_INDEX_DATABASE"] == "postgresql://clinic:abc@database/archive"
    for name in said:
        less = {key: value for key, value in whole.items() if key != name}
        refused = subprocess.run(words, capture_output=True, check=False, env=less, timeout=PATIENT_S)
        assert refused.returncode != 0, name


def test_the_clinic_s_user_may_write_into_its_volume(compose: dict[str, Any]) -> None:
    (place,) = (volume.split(":")[1] for volume in compose["services"]["clinic"]["volumes"])
    before, _, after = (FOLDER / "Dockerfile").read_text().replace("\\\n", " ").partition("USER clinic\n")
    assert "useradd --create-home --uid 1100 clinic" in before
    assert re.search(rf"^RUN .*mkdir -p -m 700 {re.escape(place)}$", after, re.MULTILINE)
    assert re.search(rf"^VOLUME {re.escape(place)}$", after, re.MULTILINE)
    assert place == str(Path("/home/clinic") / _default_state().relative_to(Path.home()))


def test_the_image_gets_the_packages_that_the_clinic_asks_for() -> None:
    asked = (FOLDER / "Dockerfile").read_text().partition("&& rm")[0].split()
    assert {*PACKAGES.split(), "orthanc-postgresql", "python3-venv", "tzdata"} <= set(asked)


def test_passwords_and_history_stay_out_of_the_image_and_the_repository() -> None:
    left_out = (FOLDER.parents[1] / ".dockerignore").read_text().splitlines()
    assert {".git", ".venv", "**/secrets"} <= set(left_out)
    assert "/clinic/deploy/secrets/" in (FOLDER.parents[1] / ".gitignore").read_text().splitlines()


def compose_command() -> list[str] | None:
    """Docker's own reader of compose files; it needs no container and no daemon for that."""
    if shutil.which("docker-compose") is not None:
        return ["docker-compose"]
    words = ["docker", "compose"]
    found = shutil.which("docker") is not None and not subprocess.run(
        [*words, "version"], capture_output=True, check=False
    ).returncode  # fmt: skip
    return words if found else None


def test_no_password_stands_in_the_files(compose: dict[str, Any]) -> None:
    addresses = [value for name, value in compose["services"]["clinic"]["environment"].items() if "DATABASE" in name]
    assert len(addresses) == 2
    assert all("${DATABASE_PASSWORD" in address for address in addresses)
    assert "POSTGRES_PASSWORD" not in compose["services"]["database"]["environment"]


def test_files_that_are_named_are_there(compose: dict[str, Any]) -> None:
    built = compose["services"]["clinic"]["build"]
    assert (FOLDER / built["context"] / built["dockerfile"]).is_file()
    mounts = [volume.split(":")[0] for volume in compose["services"]["database"]["volumes"]]
    assert all((FOLDER / mount).is_file() for mount in mounts if mount.startswith("./"))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("name", ["mammascope-clinic.service", "mammascope-pages@.service"])
def test_systemd_reads_the_units_without_complaint(name: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(FOLDER / name)], capture_output=True, text=True, check=False
    )  # fmt: skip
    complaints = [
        line for line in done.stderr.splitlines() if name in line and "is not executable" not in line
    ]  # the environment is where it is installed
    assert complaints == []
