# SPDX-License-Identifier: Apache-2.0
"""The numbers of system calls that the filter knows, against the kernel's own tables.

On aarch64 a wrong number would either kill decoding or open the wrong door, and this suite runs on x86-64. So both
columns are held against the kernel's headers: ``include/uapi/asm-generic/unistd.h``, which is the table of arm64
(``arch/arm64/include/uapi/asm/unistd.h`` includes it; since 6.11 ``scripts/syscall.tbl`` has the same numbers),
and ``arch/x86/entry/syscalls/syscall_64.tbl``. Where they are installed (Debian: linux-libc-dev) they are read;
everywhere the copy below is, made from those of Linux 6.1.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from device.capture.sandbox import lock

ASM_GENERIC = Path("/usr/include/asm-generic/unistd.h")
X86_64 = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")

# fmt: off
ON_AARCH64 = {
    "fcntl": 25, "close": 57, "lseek": 62, "read": 63, "write": 64, "readv": 65, "writev": 66, "pread64": 67,
    "preadv": 69, "pselect6": 72, "ppoll": 73, "newfstatat": 79, "fstat": 80, "exit": 93, "exit_group": 94,
    "futex": 98, "set_robust_list": 99, "nanosleep": 101, "getitimer": 102, "setitimer": 103, "clock_gettime": 113,
    "clock_getres": 114, "clock_nanosleep": 115, "sched_getaffinity": 123, "sched_yield": 124,
    "restart_syscall": 128, "tgkill": 131, "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135,
    "rt_sigreturn": 139, "uname": 160, "getrusage": 165, "prctl": 167, "getcpu": 168, "gettimeofday": 169,
    "getpid": 172, "getuid": 174, "gettid": 178, "sysinfo": 179, "brk": 214, "munmap": 215, "mremap": 216,
    "clone": 220, "mmap": 222, "fadvise64": 223, "mprotect": 226, "madvise": 233, "prlimit64": 261,
    "getrandom": 278, "membarrier": 283, "rseq": 293, "clone3": 435, "landlock_create_ruleset": 444,
    "landlock_add_rule": 445, "landlock_restrict_self": 446,
}
# fmt: on

ONLY_ON_X86_64 = {"poll", "select"}
"""arm64 was made without them: the C library asks with ppoll and pselect6."""

SPECIAL = {
    "clone": lock._CLONE,
    "clone3": lock._CLONE3,
    "tgkill": lock._TGKILL,
    "prlimit64": lock._PRLIMIT,
    "prctl": lock._PRCTL,
    "newfstatat": lock._NEWFSTATAT,
    "landlock_create_ruleset": (lock._CREATE_RULESET,) * 2,
    "landlock_add_rule": (lock._ADD_RULE,) * 2,
    "landlock_restrict_self": (lock._RESTRICT_SELF,) * 2,
    "fcntl": lock._FCNTL,
}
KNOWN = {**lock._HARMLESS, **SPECIAL}


def numbers_in(header: Path) -> dict[str, int]:
    """Numbers by name; in the generic header those of 64 bits, whose names stand behind ``3264``."""
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\s*$", header.read_text("ascii"), re.MULTILINE)
    numbers = {name: int(number) for name, number in found}
    if "fstatat" in numbers:
        numbers["newfstatat"] = numbers["fstatat"]  # as the header names it for 64 bits
    return numbers


def test_on_aarch64_every_call_has_the_kernel_s_number() -> None:
    assert {name: numbers[1] for name, numbers in KNOWN.items() if numbers[1] >= 0} == ON_AARCH64
    assert {name for name, numbers in KNOWN.items() if numbers[1] < 0} == ONLY_ON_X86_64


@pytest.mark.skipif(not ASM_GENERIC.exists(), reason="the kernel's headers are not installed")
def test_the_copy_of_the_kernel_s_table_is_a_copy() -> None:
    headers = numbers_in(ASM_GENERIC)
    assert {name: headers[name] for name in ON_AARCH64} == ON_AARCH64
    assert not ONLY_ON_X86_64 & set(headers)


@pytest.mark.skipif(not X86_64.exists(), reason="the kernel's headers are not installed")
def test_on_x86_64_every_call_has_the_kernel_s_number() -> None:
    headers = numbers_in(X86_64)
    assert {name: numbers[0] for name, numbers in KNOWN.items()} == {name: headers[name] for name in KNOWN}


def test_no_number_stands_for_two_calls() -> None:
    for column in (0, 1):
        known = [numbers[column] for numbers in KNOWN.values() if numbers[column] >= 0]
        assert len(known) == len(set(known))


def test_the_machines_are_named_as_the_kernel_s_audit_names_them() -> None:
    """``linux/audit.h``: the ELF number of the machine (``linux/elf-em.h``: 62, 183), 64 bits, little-endian."""
    assert lock._MACHINES == {"x86_64": (0, 62 | 0x8000_0000 | 0x4000_0000), "aarch64": (1, 183 | 0xC000_0000)}
