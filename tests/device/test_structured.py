# SPDX-License-Identifier: Apache-2.0
"""Whatever a settings file, a site file or an answer holds, reading it gives values or one sentence, and soon."""

from __future__ import annotations

import base64
import contextlib
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import tomli_w
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from device.config import Settings, load_settings
from device.errors import AccessError, ArchiveAnswerError, ConfigError, EnrolmentError, MammascopeError
from device.operations.enrolment.make import merged
from device.site.access import parse_access
from device.site.enrolment import PENDING, STATE, finish, read_enrolled
from device.site.site_file import open_site, sign_site
from device.structured import StructureError, parse_json, parse_toml
from device.upload.receipt import Receipt
from device.upload.stow import entries_of

DEEP = b"[" * 20_000
DOTS = b".".join([b"a"] * 30_000) + b" = 1"
ODD = [
    b"a = " + DEEP,
    b"a = " + b"{a=" * 20_000,
    b"a = " + DEEP + b"]" * 20_000,
    b"a = [" + b"[" * 40 + b"]" * 40 + b"]",
    DOTS,
    b"[" + DOTS[:-4] + b"]",
    b"\n".join(b".".join([b"a%d" % n, *[b"b"] * 60]) + b" = 1" for n in range(1000)),
    b"a = " + b"9" * 50_000,
    b"a = 9e999",
    b"a = nan",
    b"a = 0000-00-00",
    b"a = 2025-01-01T00:00:00+99:99",
    b'a = "\\ud800"',
    b'a = "\\uFFFFFFFF"',
    b'"\\u0000" = 1',
    b"\xff\xfea\0=\x001\0",
    b"\xff",
    b"\xef\xbb\xbf\xef\xbb\xbfa = 1",
    b"site = 1",
    b"[[site]]",
    b"[site]\nname = []",
    b"[site]\nname = {}",
    b"[sources.last_by_site]\na = {a = 1}",
    b"presets = [[[[1]]]]",
    b"[presets.name]",
    b"a" * 60_000,
    b"a = '" + b"'" * 60_000,
    b"=" * 60_000,
    b"[a]\n" * 10_000,
    b"[[a]]\n" * 10_000,
]
JSON_ODD = [
    DEEP,
    b'{"a":' * 20_000,
    b"9" * 50_000,
    b"9e999",
    b"NaN",
    b"Infinity",
    b'"\\ud800"',
    b'["\\udfff\\ud800"]',
    b'{"\\ud800": 1}',
    b"[" * 40 + b"]" * 40,
    b"\xff\xfe",
    b"\0",
    b"null",
    b'{"signer": 1, "issued": 2}',
    b'{"signer": "", "issued": "9999-99-99"}',
    b"[[1, 2, 3]]",
    b'[["a", "!", true, 1]]',
    b'[["a"]]',
    b"[1]",
    b"{}",
]

words = st.sampled_from(
    [
        b"site",
        b"name",
        b"clinic",
        b"url",
        b"a",
        b'"b"',
        b"'c'",
        b".",
        b"=",
        b" ",
        b"\n",
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b'"',
        b"'",
        b'"""',
        b"'''",
        b"\\",
        b"\\u",
        b"\\ud800",
        b"#",
        b"1",
        b"-",
        b"+",
        b"e9",
        b":",
        b"T",
        b"Z",
        b"true",
        b"inf",
        b"\xef\xbb\xbf",
        b"\0",
        b"\xff",
        b"\xe2\x80\xae",
        b"presets",
        b"display",
        b"rotation",
        b"90",
        b"0x",
        b"_",
    ]
)
soup = st.lists(words, max_size=60).map(b"".join) | st.binary(max_size=200)


def readers(folder: Path) -> list[tuple[object, type[MammascopeError]]]:
    """Every reader of TOML, with the one error that it may raise."""
    path = folder / "file.toml"

    def from_file(read: object) -> object:
        def call(content: bytes) -> None:
            path.write_bytes(content)
            read(path)  # type: ignore[operator]

        return call

    return [
        (from_file(load_settings), ConfigError),
        (from_file(lambda path: merged([path])), EnrolmentError),
        (lambda content: parse_access(content, "access"), AccessError),
        (lambda content: open_site(signed(content), "site", datetime.now(UTC)), EnrolmentError),
    ]


KEY = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\1")


def signed(body: bytes) -> bytes:
    """A site file whose signature is good, whatever it says."""
    signature = base64.b64encode(KEY.sign(b"mammascope site file 1\n" + body))
    return b"#mammascope-site-1 %s %s\n%s" % (KEY.public_key().public_bytes_raw().hex().encode(), signature, body)


def read_by_all(content: bytes, folder: Path) -> None:
    for read, error in readers(folder):
        started = time.thread_time()
        try:
            read(content)  # type: ignore[operator]
        except error as said:
            longest = len(str(said))
        else:
            longest = 0
        assert longest < 4000
        assert time.thread_time() - started < 10  # of work, however long a busy machine lets us wait


@pytest.mark.parametrize("content", ODD, ids=range(len(ODD)))
def test_odd_toml_gives_a_sentence(content: bytes, tmp_path: Path) -> None:
    read_by_all(content, tmp_path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("read")


@settings(max_examples=1000, deadline=None)
@given(soup)
def test_no_soup_of_toml_gives_anything_but_values_or_a_sentence(folder: Path, content: bytes) -> None:
    read_by_all(content, folder)


def read_json_by_all(content: bytes, folder: Path) -> None:
    for name, read in ((STATE, read_enrolled), (PENDING, finish)):
        (folder / name).write_bytes(content)
        with contextlib.suppress(EnrolmentError):
            read(folder)
        (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(ArchiveAnswerError):
        entries_of(content, "clinic")


@pytest.mark.parametrize("content", JSON_ODD, ids=range(len(JSON_ODD)))
def test_odd_json_gives_a_sentence(content: bytes, tmp_path: Path) -> None:
    read_json_by_all(content, tmp_path)


json_words = st.sampled_from(
    [
        b"[",
        b"]",
        b"{",
        b"}",
        b":",
        b",",
        b'"',
        b'"signer"',
        b'"issued"',
        b'"00080018"',
        b'"Value"',
        b"1",
        b"-",
        b"e9",
        b"null",
        b"true",
        b"NaN",
        b'"\\ud800"',
        b"\\u",
        b"\0",
        b"\xff",
        b".",
        b" ",
        b'"a"',
        b'"YQ=="',
        b"9" * 30,
    ]
)


@settings(max_examples=1000, deadline=None)
@given(st.lists(json_words, max_size=40).map(b"".join))
@example(b'[["/nowhere/at/all", "!", false]]')
def test_no_soup_of_json_gives_anything_but_values_or_a_sentence(folder: Path, content: bytes) -> None:
    if b"/" in content and b"nowhere" not in content:
        return
    read_json_by_all(content, folder)


plain = st.recursive(
    st.booleans() | st.integers(-(2**62), 2**62) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=4), plain, max_size=4))
def test_what_is_right_comes_back_as_it_was(table: dict[str, object]) -> None:
    assert parse_toml(tomli_w.dumps(table).encode()) == table


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_settings_saved_by_another_editor_are_read(tmp_path: Path, mark: bytes, end: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(mark + b"[display]" + end + b"rotation = 180" + end)
    assert load_settings(path).display.rotation == 180


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "latin-1"])
def test_another_encoding_is_named(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes('[site]\nname = "Clínica"'.encode(encoding))
    with pytest.raises(ConfigError, match=r"UTF-8|TOML"):
        load_settings(path)


def test_the_message_says_where_and_repeats_no_value() -> None:
    with pytest.raises(StructureError, match="line 2") as caught:
        parse_toml(b'[clinic]\npassword = "hunter2"x\n')
    assert "hunter2" not in str(caught.value)
    with pytest.raises(StructureError, match="line 1"):
        parse_json(b'{"a" 1}')


def test_the_best_site_file_is_still_taken() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    content = {
        "site": {"name": "Kisumu clínica क्लिनिक"},
        "clinic": {"url": "https://10.0.0.1:8443/dicom-web", "user": "device-1", "password": "secret"},
        "enrolment": {"issued": now, "expires": now + timedelta(days=3)},
    }
    raw = sign_site(tomli_w.dumps(content), KEY, "here")
    assert open_site(raw, "here", now).content.site.name == "Kisumu clínica क्लिनिक"
    assert Settings().site.name == ""


@pytest.mark.parametrize("text", ["", "[]", "null", "[" * 100_000, '{"instances": 1}', '{"study_uid": 1}'])
def test_a_receipt_that_is_none_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        Receipt.from_json(text)
