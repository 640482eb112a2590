# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from device.errors import (
    ExportDamagedError,
    ExportError,
    StickFullError,
    StickGoneError,
    StickReadOnlyError,
)
from device.records.pieces import Pieces
from device.transfer import exporter
from device.transfer.exporter import CHECKSUMS, ExportFile, ExportFolder, Phase, Progress, export

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


def folder(name: str, size: int = 1000, count: int = 3, estimate: int = 0) -> ExportFolder:
    contents = [hashlib.sha256(f"{name}{i}".encode()).digest() * (size // 32) for i in range(count)]
    files = [ExportFile(f"file-{i}.bin", Pieces.of(content)) for i, content in enumerate(contents)]
    return ExportFolder(name, lambda: files, estimate)


def contents(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()}


def test_exams_lie_on_the_stick_as_they_were_given(tmp_path: Path) -> None:
    given = [folder("A_2025-03-04_1"), folder("B_2025-03-04_2", count=1)]
    done = export(tmp_path, given)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["A_2025-03-04_1", "B_2025-03-04_2"]
    for expected in given:
        found = contents(tmp_path / expected.name)
        found.pop(CHECKSUMS)
        assert found == {file.name: file.pieces.whole() for file in expected.files()}
    assert done.folders == ("A_2025-03-04_1", "B_2025-03-04_2")
    assert done.files == 6
    assert done.size == sum(file.stat().st_size for file in tmp_path.rglob("*.*") if file.is_file())


def test_any_computer_can_verify_the_checksums(tmp_path: Path) -> None:
    export(tmp_path, [folder("A")])
    check = ["sha256sum", "--check", "--strict", CHECKSUMS]
    assert subprocess.run(check, cwd=tmp_path / "A", capture_output=True, check=False).returncode == 0
    (tmp_path / "A" / "file-1.bin").write_bytes(b"changed")
    assert subprocess.run(check, cwd=tmp_path / "A", capture_output=True, check=False).returncode != 0


def test_progress_tells_every_step(tmp_path: Path) -> None:
    steps: list[Progress] = []
    export(tmp_path, [folder("A", count=1), folder("B", count=1)], steps.append)
    assert [(s.done, s.total, s.folder, s.file, s.phase) for s in steps[:4]] == [
        (0, 2, "A", "file-0.bin", Phase.WRITING),
        (0, 2, "A", "file-0.bin", Phase.VERIFYING),
        (0, 2, "A", CHECKSUMS, Phase.VERIFYING),
        (1, 2, "A", "", Phase.DONE),
    ]
    assert (steps[-1].done, steps[-1].folder, steps[-1].phase) == (2, "B", Phase.DONE)


def test_an_exam_has_its_name_only_when_it_is_verified(tmp_path: Path) -> None:
    seen: dict[Phase, list[str]] = {}

    def look(step: Progress) -> None:
        seen.setdefault(step.phase, sorted(path.name for path in tmp_path.iterdir()))

    export(tmp_path, [folder("A")], look)
    assert seen[Phase.WRITING] == ["A.part"]
    assert seen[Phase.VERIFYING] == ["A.part"]
    assert seen[Phase.DONE] == ["A"]


def test_exporting_again_replaces_the_exam_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    export(tmp_path, [folder("A", count=5)])
    (tmp_path / "A.part").mkdir()
    (tmp_path / "A.part" / "left.bin").write_bytes(b"of a pulled stick")
    (tmp_path / "A.old").mkdir()
    export(tmp_path, [folder("A", size=64, count=1)])
    assert [path.name for path in tmp_path.iterdir()] == ["A"]
    assert set(contents(tmp_path / "A")) == {"file-0.bin", CHECKSUMS}


def test_too_little_room_is_said_before_anything_is_written(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(StickFullError, match="MiB are needed"):
        export(tmp_path, [folder("A"), folder("B", estimate=free + (1 << 40))])
    assert list(tmp_path.iterdir()) == []


def test_stopping_keeps_what_is_whole_and_nothing_else(tmp_path: Path) -> None:
    whole: list[str] = []

    def note(step: Progress) -> None:
        if whole:
            raise CancelledError
        whole.extend([step.folder] * (step.phase is Phase.DONE))

    with pytest.raises(CancelledError):
        export(tmp_path, [folder("A"), folder("B"), folder("C")], note)
    assert [path.name for path in tmp_path.iterdir()] == whole == ["A"]


def test_an_error_while_files_are_made_leaves_no_half_exam(tmp_path: Path) -> None:
    def files() -> Iterator[ExportFile]:
        yield ExportFile("first.bin", Pieces.of(b"1"))
        raise ExportError("second")

    with pytest.raises(ExportError):
        export(tmp_path, [ExportFolder("A", files, 0)])
    assert list(tmp_path.iterdir()) == []


def test_a_stick_that_stores_something_else_is_found_out(tmp_path: Path) -> None:
    def flip(step: Progress) -> None:
        if step.phase is Phase.VERIFYING and step.file == "file-1.bin":
            file = tmp_path / "A.part" / "file-1.bin"
            file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])

    with pytest.raises(ExportDamagedError, match=r"file-1\.bin"):
        export(tmp_path, [folder("A")], flip)
    assert list(tmp_path.iterdir()) == []


def test_a_stick_that_loses_a_file_is_found_out(tmp_path: Path) -> None:
    def lose(step: Progress) -> None:
        if step.phase is Phase.VERIFYING and step.file == "file-0.bin":
            (tmp_path / "A.part" / "file-2.bin").unlink()

    with pytest.raises(StickGoneError, match=r"file-2\.bin"):
        export(tmp_path, [folder("A")], lose)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_means_the_stick_is_gone(tmp_path: Path) -> None:
    with pytest.raises(StickGoneError):
        export(tmp_path / "stick", [folder("A")])


def test_nothing_lands_behind_a_stick_that_was_taken_away(tmp_path: Path) -> None:
    """The mount point's place taken by another folder in the middle: no patient is written into that."""
    stick = tmp_path / "stick"
    stick.mkdir()

    def swap(step: Progress) -> None:
        if step.phase is Phase.WRITING and step.file == "file-1.bin" and not (tmp_path / "away").exists():
            stick.rename(tmp_path / "away")
            stick.mkdir()

    export(stick, [folder("A")], swap)
    assert list(stick.iterdir()) == []
    assert (tmp_path / "away" / "A" / "file-2.bin").is_file()


def test_a_link_on_a_hostile_stick_is_not_followed(tmp_path: Path) -> None:
    stick, elsewhere = tmp_path / "stick", tmp_path / "elsewhere"
    stick.mkdir()
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("kept")
    (stick / "A.part").symlink_to(elsewhere)
    (stick / "A.old").symlink_to(elsewhere)
    (stick / "A").symlink_to(elsewhere)
    export(stick, [folder("A")])
    assert [path.name for path in elsewhere.iterdir()] == ["precious"]
    assert not (stick / "A").is_symlink()
    assert set(contents(stick / "A")) == {"file-0.bin", "file-1.bin", "file-2.bin", CHECKSUMS}


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc", "A.part", "A.old"])
def test_a_name_that_leaves_the_stick_is_a_programming_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        export(tmp_path, [folder(name)])


@pytest.mark.parametrize("name", ["../up", "a/b", "", "..", "x", CHECKSUMS])
def test_a_file_name_that_leaves_the_folder_is_a_programming_error(name: str, tmp_path: Path) -> None:
    doubled: Iterable[ExportFile] = [ExportFile("x", Pieces.of(b"")), ExportFile(name, Pieces.of(b""))]
    with pytest.raises(ValueError):
        export(tmp_path, [ExportFolder("A", lambda: doubled, 0)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, StickFullError),
        (errno.EDQUOT, StickFullError),
        (errno.EIO, StickGoneError),
        (errno.ENODEV, StickGoneError),
        (errno.EROFS, StickReadOnlyError),
        (errno.EACCES, StickReadOnlyError),
        (errno.EINTR, ExportError),
    ],
)
def test_every_failure_of_the_medium_has_its_cause(
    number: int, expected: type[ExportError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.fsync, []

    def fail_second(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(number, os.strerror(number))
        real(handle)

    monkeypatch.setattr("device.transfer.exporter.os.fsync", fail_second)
    with pytest.raises(ExportError) as caught:
        export(tmp_path, [folder("A")])
    assert type(caught.value) is expected
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """A real small file system: ``mounted("vfat", 8)`` is a loop-mounted FAT stick of 8 MiB."""
    points: list[Path] = []

    def mount(kind: str, mebibytes: int, backing: Path = tmp_path) -> Path:
        point = tmp_path / f"stick-{len(points)}"
        point.mkdir()
        command: list[str | Path]
        if kind == "tmpfs":
            command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", point]
        else:
            maker, image = shutil.which(f"mkfs.{kind}"), backing / "stick.img"
            if maker is None:
                pytest.skip(f"mkfs.{kind} is not installed")
            with image.open("wb") as stream:
                stream.truncate(mebibytes << 20)
            subprocess.run([maker, image], check=True, capture_output=True)
            command = ["mount", "-o", "loop", image, point]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"cannot mount here: {done.stderr.decode().strip()}")
        points.append(point)
        return point

    yield mount
    for point in reversed(points):
        subprocess.run(["umount", "--lazy", point], check=False, capture_output=True)


@needs_root
@pytest.mark.parametrize("kind", ["vfat", "ext4"])
def test_a_real_stick_takes_an_exam(kind: str, mounted: Callable[..., Path]) -> None:
    stick = mounted(kind, 32)
    export(stick, [folder("क्षमा-7_2025-03-04_1", size=200_000)])
    export(stick, [folder("क्षमा-7_2025-03-04_1", size=300_000)])
    assert subprocess.run(["umount", stick], check=False).returncode == 0
    subprocess.run(["mount", "-o", "loop", stick.parent / "stick.img", stick], check=True)
    found = contents(stick / "क्षमा-7_2025-03-04_1")
    assert found["file-2.bin"] == list(folder("क्षमा-7_2025-03-04_1", size=300_000).files())[2].pieces.whole()


@needs_root
@pytest.mark.parametrize("looks_first", [True, False])
def test_a_stick_that_fills_up_in_the_middle_keeps_the_exams_before(
    looks_first: bool, mounted: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = mounted("tmpfs", 8)
    if not looks_first:  # between looking and writing, another program may be quicker: then the stick itself says so
        monkeypatch.setattr(exporter, "_require_room", lambda *_: None)

    def another_program(step: Progress) -> None:
        if step.folder == "B" and step.file == "file-1.bin" and step.phase is Phase.WRITING:
            (stick / "filler").write_bytes(bytes((8 << 20) - 1_300_000))

    with pytest.raises(StickFullError):
        export(stick, [folder("A", size=300_000), folder("B", size=300_000)], another_program)
    assert sorted(path.name for path in stick.iterdir()) == ["A", "filler"]


@needs_root
def test_a_write_protected_stick(mounted: Callable[..., Path]) -> None:
    stick = mounted("tmpfs", 8)
    subprocess.run(["mount", "-o", "remount,ro", stick], check=True)
    with pytest.raises(StickReadOnlyError):
        export(stick, [folder("A")])


@needs_root
def test_a_stick_smaller_than_it_claims_gives_an_error_and_no_exam(mounted: Callable[..., Path]) -> None:
    """A forged stick: a file system of 64 MiB on a medium of 6. The kernel meets real I/O errors."""
    medium = mounted("tmpfs", 6)
    stick = mounted("ext4", 64, backing=medium)
    with pytest.raises((StickGoneError, StickReadOnlyError, StickFullError, ExportDamagedError)):
        export(stick, [folder("A", size=8 << 20, count=2)])
    assert not (stick / "A").exists()


def test_the_handle_of_the_stick_is_given_back(tmp_path: Path) -> None:
    def handles() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    export(tmp_path, [folder("A")])
    before = handles()
    export(tmp_path, [folder("A")])

    def stop(step: Progress) -> None:
        raise CancelledError(step.folder)

    with pytest.raises(CancelledError):
        export(tmp_path, [folder("B")], stop)
    assert handles() == before


def test_a_file_is_made_only_when_the_one_before_is_written(tmp_path: Path) -> None:
    def files() -> Iterator[ExportFile]:
        for number in range(3):
            assert len(list((tmp_path / "A.part").iterdir())) == number
            yield ExportFile(f"{number}.bin", Pieces.of(b"x"))

    assert export(tmp_path, [ExportFolder("A", files, 0)]).files == 4
