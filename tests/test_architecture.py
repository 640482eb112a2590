# SPDX-License-Identifier: Apache-2.0
"""The rules of docs/architecture.md that a reader cannot see at a glance, checked on the source itself."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.conftest import LONGEST_FIRST

CHECKOUT = Path(__file__).resolve().parents[1]
MAX_LINES = 500
MAX_BYTES = 10_000_000

GROUND = {
    "words",
    "errors",
    "files",
    "structured",
    "shown_text",
    "clinic_url",
    "problems",
    "unusable",
    "signed",
    "arguments",
    "config",
}

ROOMS: dict[str, set[str]] = {
    "words": set(),
    "errors": {"words"},
    "files": {"errors"},
    "structured": {"errors", "files"},
    "shown_text": {"errors"},
    "clinic_url": {"errors", "structured", "shown_text"},
    "problems": set(),
    "unusable": set(),
    "signed": set(),
    "arguments": set(),
    "config": GROUND - {"config"},
    "fonts": {"errors"},
    "capture": {*GROUND},
    "imaging": {*GROUND, "capture"},
    "inference": {*GROUND, "capture", "imaging"},
    "records": {*GROUND, "fonts", "capture", "imaging", "inference"},
    "dicom": {*GROUND, "capture", "imaging", "inference", "records"},
    "transfer": {*GROUND, "capture", "imaging", "inference", "records", "dicom"},
    "system": {*GROUND},
    "site": {*GROUND},
    "update": {*GROUND, "site"},
    "upload": {*GROUND, "capture", "records", "dicom", "site"},
}
"""Each room of ``device`` and what it may import besides itself."""

WORK = "operations"
"""Neither screen nor verb: knows every room above."""

FACES = ("ui", "commands", "__main__")  # know everything else, and each what stands before it

MAX_SIBLINGS = 16
"""Files and folders in a folder of code; about fifteen are what one looks through at a glance."""

LARGER_FOLDERS = {
    "device": (26, "the rooms themselves, which ROOMS lists in order, and the foundation of single files"),
    "device/ui": (21, "the parts of the app, which the package's docstring introduces to writers of screens"),
    "device/ui/screens/exam": (17, "one screen a file, all reached from one exam"),
    "device/ui/widgets": (17, "one widget a file, and one face for all of them"),
    "device/ui/session": (17, "what runs beside the screens, one watch or task a file"),
    "clinic": (19, "the parts of the service, each a folder, and what starts and joins them"),
}
"""Folders that would only be harder to read in groups: how many entries they may have, and why."""

HEAVY = {"convert", "clinic", "tensorflow", "keras", "sklearn", "matplotlib", "torch"}
"""What `device` must never import: it does not exist on a handheld."""

CONVERT_MAY_USE = {"capture", "imaging", "inference", *GROUND}
"""Training sees pixels through the code of the device, but knows nothing of exams, screens or the clinic."""

CONVERT_FLOORS = (
    {"errors", "quiet", "data", "recipes"},
    {"cadx", "classical"},
    {"train", "run", "quantise"},
    {"limits"},
    {"evaluate"},
    {"report"},
    {"release"},
    {"stages"},
    {"compare"},
    {"__main__"},
)
"""The rooms of ``convert`` from the ground up; each may import those of its own floor and below."""

LEAKS = {
    "a machine's own path": re.compile(rb"(?<![\w.$}-])/(?:work|farm|root|home/[a-z]\w*|Users/[A-Za-z]\w*)/\w"),
    "a package registry's host": re.compile(rb"files\.pythonhosted|pypi\.org|registry\.npmjs|deb\.debian\.org"),
    "a private key": re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "an access key": re.compile(rb"\bAKIA[0-9A-Z]{16}\b"),
}
PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".dcm", ".avi", ".mp4", ".mkv"}
FOLDERS_WITH_PICTURES = ("docs/", "device/ui/", "clinic/")


def source_files(package: str) -> list[Path]:
    return sorted((CHECKOUT / package).rglob("*.py"))


@functools.cache
def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: there is no list of what belongs to the project")
    paths = [CHECKOUT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def module_name(path: Path) -> str:
    parts = path.relative_to(CHECKOUT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_in(text: str, module: str, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Every imported module with its line, also those inside functions; relative ones made absolute."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                kept = parts[: len(parts) - node.level + (1 if is_package else 0)]
                base = ".".join([*kept, base] if base else kept)
            yield node.lineno, base
            # `from device import records` imports the package as much as `import device.records` does.
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def layer(module: str) -> str:
    """The room of the house that a module of `device` is in; empty for the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def allowed_layers(own: str) -> set[str]:
    """The rooms that a room may import, itself included."""
    if own in ROOMS:
        return {own, *ROOMS[own]}
    if own == WORK:
        return {own, *ROOMS}
    return {*ROOMS, WORK, *FACES[: FACES.index(own) + 1]} if own in FACES else set()


def wrong_imports(text: str, module: str, is_package: bool = False) -> list[str]:
    """What a module of `device` imports although it must not, in words."""
    own = layer(module)
    rooms = {*ROOMS, WORK, *FACES}
    wrong = []
    for line, name in imports_in(text, module, is_package):
        top = name.split(".")[0]
        if top in HEAVY:
            wrong.append(f"{module}:{line} imports {name}, which a handheld does not have")
        elif top == "device" and layer(name) in rooms - allowed_layers(own):
            wrong.append(f"{module}:{line} imports {name}, against the direction")
    return wrong


def test_imports_run_from_left_to_right() -> None:
    files = source_files("device")
    assert len(files) > 10
    wrong = [
        problem
        for path in files
        for problem in wrong_imports(path.read_text("utf-8"), module_name(path), path.name == "__init__.py")
    ]
    assert wrong == []


def test_every_room_of_the_device_is_a_known_one() -> None:
    rooms = {layer(module_name(path)) for path in source_files("device")} - {""}
    assert rooms <= {*ROOMS, WORK, *FACES}


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("device.capture.frame", "from device.inference.finding import Finding"),
        ("device.capture.frame", "from device import records"),
        ("device.imaging.enhance", "def f():\n    import device.upload.stow"),
        ("device.records.store.store", "from device.upload import delivery"),
        ("device.system.power", "from device.records.exam import Exam"),
        ("device.errors", "from device.config import Settings"),
        ("device.ui.app", "from device.commands import doctor"),
        ("device.upload.stow", "import convert.train.fit"),
        ("device.commands.bench", "import tensorflow as tf"),
    ],
)
def test_the_check_itself_finds_a_wrong_import(module: str, text: str) -> None:
    assert len(wrong_imports(text, module)) >= 1


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("device.upload.stow", "from device.records.exam import Exam\nfrom device.errors import MammascopeError"),
        ("device.commands.run", "from device.ui.app import App\nfrom device.system.clock import x"),
        ("device.records.store.store", "from . import exam\nimport sqlite3"),
        ("device.config", "from device.files import write_atomically"),
    ],
)
def test_the_check_itself_lets_a_right_import_pass(module: str, text: str) -> None:
    assert wrong_imports(text, module) == []


def circles(packages: Iterable[str]) -> list[set[str]]:
    """Modules that import each other in a loop, also for their types alone."""
    files = {module_name(path): path for package in packages for path in source_files(package)}
    graph = {
        name: {used for _, used in imports_in(path.read_text("utf-8"), name, path.name == "__init__.py")} & files.keys()
        for name, path in files.items()
    }
    reached: dict[str, set[str]] = {}
    for name in graph:
        waiting: list[str] = [name]
        found: set[str] = set()
        while waiting:
            fresh = graph[waiting.pop()] - found
            found |= fresh
            waiting += fresh
        reached[name] = found
    loops = {frozenset(b for b in reached[a] if a in reached[b]) for a in graph if a in reached[a]}
    return [set(loop) for loop in loops if len(loop) > 1]


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    # An app holds a stack of screens, and a screen knows its app; the other two stand on the way between them.
    known = {"device.ui.app", "device.ui.screen", "device.ui.session.services", "device.ui.session.inference_worker"}
    assert circles(["device", "convert", "clinic"]) == [known]


def test_training_uses_the_path_of_a_frame_and_nothing_of_exams_or_screens() -> None:
    wrong = [
        f"{module_name(path)}:{line} imports {name}"
        for path in source_files("convert")
        for line, name in imports_in(path.read_text("utf-8"), module_name(path), path.name == "__init__.py")
        if name.startswith("device.") and layer(name) in {*ROOMS, WORK, *FACES} - CONVERT_MAY_USE
    ]
    assert wrong == []


def test_training_imports_from_the_top_down() -> None:
    floors = {room: number for number, floor in enumerate(CONVERT_FLOORS) for room in floor}
    modules = {module_name(path): path for path in source_files("convert")}
    assert {layer(module) for module in modules} - {""} == set(floors)
    wrong = [
        f"{module}:{line} imports {name}"
        for module, path in modules.items()
        for line, name in imports_in(path.read_text("utf-8"), module, path.name == "__init__.py")
        if module != "convert" and name.startswith("convert.") and floors[layer(name)] > floors[layer(module)]
    ]
    assert wrong == []


def test_one_idea_a_file() -> None:
    long = {
        str(path.relative_to(CHECKOUT)): lines
        for path in tracked_files()
        if path.suffix in {".py", ".sh"} and (lines := len(path.read_bytes().splitlines())) > MAX_LINES
    }
    assert long == {}


def siblings(folder: Path) -> int:
    """Tracked files and folders in a folder, without the file that introduces it."""
    inside = {path.relative_to(folder).parts[0] for path in tracked_files() if path.is_relative_to(folder)}
    return len(inside - {"__init__.py"})


def test_no_folder_of_code_is_a_drawer() -> None:
    folders = {path.parent for package in ("device", "convert", "clinic") for path in source_files(package)}
    names = {folder.relative_to(CHECKOUT).as_posix(): folder for folder in folders}
    counted = {name: siblings(folder) for name, folder in names.items()}
    most = {name: LARGER_FOLDERS.get(name, (MAX_SIBLINGS, ""))[0] for name in names}
    assert {name: count for name, count in counted.items() if count > most[name]} == {}
    assert {name for name in LARGER_FOLDERS if counted[name] <= MAX_SIBLINGS} == set()  # no reason left to be larger


def test_what_takes_longest_to_test_is_still_there_to_begin_with() -> None:
    assert [name for name in LONGEST_FIRST if not (CHECKOUT / name).is_file()] == []


def test_every_source_file_names_its_licence() -> None:
    silent = [
        path.relative_to(CHECKOUT).as_posix()
        for path in tracked_files()
        if path.suffix in {".py", ".sh", ".lua"}
        and "SPDX-License-Identifier: Apache-2.0" not in path.read_text("utf-8")[:300]
    ]
    assert silent == []


def test_every_module_says_why_it_exists() -> None:
    silent = [
        module_name(path)
        for package in ("device", "convert", "clinic")
        for path in source_files(package)
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


def unknown_names(text: str, sources: Mapping[str, str]) -> list[str]:
    """Source files, modules and their names that a text has between double backticks, and that are not there.

    Args:
        text: Of a module, with its docstrings.
        sources: The text of every source file, by its path in the project.
    """
    files = re.findall(r"``([\w/]+\.py)``", text)
    missing = [name for name in files if not any(f"/{path}".endswith(f"/{name}") for path in sources)]
    return missing + [name for name in re.findall(r"``([a-z]+(?:\.\w+)+)``", text) if is_missing(name, sources)]


def is_missing(name: str, sources: Mapping[str, str]) -> bool:
    """Whether a dotted name begins with one of our packages and leads to nothing."""
    parts = name.split(".")
    if parts[0] not in {"device", "convert", "clinic", "tests"} or parts[-1] == "py":
        return False
    for length in range(len(parts), 1, -1):
        home = "/".join(parts[:length])
        for path in (f"{home}.py", f"{home}/__init__.py"):
            if path in sources:
                return not all(re.search(rf"\b{part}\b", sources[path]) for part in parts[length:])
    return True


def test_what_a_docstring_refers_to_is_there() -> None:
    paths = [path for path in tracked_files() if path.suffix == ".py"]
    sources = {path.relative_to(CHECKOUT).as_posix(): path.read_text("utf-8") for path in paths}
    found = {path: unknown for path, text in sources.items() if (unknown := unknown_names(text, sources))}
    found.pop("tests/test_architecture.py", None)
    assert found == {}


def test_the_check_itself_finds_a_reference_to_nothing() -> None:
    sources = {"device/a/picture.py": "", "device/a/files/reader.py": "", "device/a/reader.py": "class Reader: ..."}
    good = "``picture.py`` ``files/reader.py`` ``device.a.picture`` ``device.a.reader.Reader`` ``numpy.void``"
    assert unknown_names(good, sources) == []
    bad = "``gone.py`` ``device.a.gone`` ``device.a.reader.Writer``"
    assert unknown_names(bad, sources) == ["gone.py", "device.a.gone", "device.a.reader.Writer"]


def leaks_in(content: bytes) -> list[str]:
    return [
        f"{what}: {found[0].decode(errors='replace')}"
        for what, rule in LEAKS.items()
        if (found := rule.search(content))
    ]


def test_nothing_secret_and_nothing_of_one_machine_is_in_the_project() -> None:
    found = {
        str(path.relative_to(CHECKOUT)): leaks for path in tracked_files() if (leaks := leaks_in(path.read_bytes()))
    }
    found.pop("tests/test_architecture.py", None)
    assert found == {}


@pytest.mark.parametrize(
    "content",
    [
        b"-----BEGIN PRIVATE KEY-----\nMIG",
        b"key = '''-----BEGIN OPENSSH PRIVATE KEY-----",
        b"-----BEGIN RSA PRIVATE KEY-----",
        b'path = "/home/meera/mammascope"',
        b"--index-url https://py" + b"pi.org/simple",
    ],
)
def test_the_check_itself_finds_a_leak(content: bytes) -> None:
    assert len(leaks_in(content)) == 1


@pytest.mark.parametrize(
    "content", [b"-----BEGIN PUBLIC KEY-----", b"$DATA/home/asha/x", b"../home/asha/x", b"/home/$USER/x"]
)
def test_the_check_itself_lets_ordinary_text_pass(content: bytes) -> None:
    assert leaks_in(content) == []


def test_pictures_are_only_where_the_project_shows_its_own() -> None:
    astray = [
        name
        for path in tracked_files()
        if path.suffix.lower() in PICTURES
        and not (name := path.relative_to(CHECKOUT).as_posix()).startswith(FOLDERS_WITH_PICTURES)
    ]
    assert astray == []


def test_no_file_is_too_large_for_a_slow_line() -> None:
    large = {
        str(path.relative_to(CHECKOUT)): size for path in tracked_files() if (size := path.stat().st_size) > MAX_BYTES
    }
    assert large == {}


def test_every_link_in_the_documents_leads_somewhere() -> None:
    broken = []
    for path in tracked_files():
        if path.suffix != ".md":
            continue
        text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text("utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if (
                not target.startswith(("http://", "https://", "#"))
                and not (path.parent / target.split("#")[0]).exists()
            ):
                broken.append(f"{path.relative_to(CHECKOUT)}: {target}")
    assert broken == []
