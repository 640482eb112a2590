# SPDX-License-Identifier: Apache-2.0
"""Rights given up for good: what a process that decodes a stranger's file can still ask of the kernel.

Two locks, each enough for most of it: a seccomp filter that knows the harmless system calls, and Landlock, which takes
away files, network and signals. Both need no rights of their own and no library; a kernel that lacks one of them leaves
the other. What the processes ask for was found by running every decoder under the filter.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
from dataclasses import dataclass
from typing import Final

_libc = ctypes.CDLL(None, use_errno=True)

# linux/prctl.h
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NAME: Final = 15
_PR_GET_SECCOMP: Final = 21
_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_SECCOMP_MODE_FILTER: Final = 2
_SIGKILL: Final = 9
_NOBODY: Final = 65534

# linux/landlock.h; the same numbers on every architecture.
_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_PATH_BENEATH: Final = 1
_READ: Final = 1 << 2 | 1 << 3  # files, folders
_FILE_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # number of rights that each version knows

# linux/seccomp.h, linux/filter.h
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | 1  # EPERM
_UNKNOWN: Final = 0x00050000 | 38  # ENOSYS: the C library takes the older call
_KILL: Final = 0x80000000
_LOAD: Final = 0x20
_EQUAL: Final = 0x15
_ANY_BIT: Final = 0x45
_RETURN: Final = 0x06
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16
_CLONE_THREAD: Final = 0x00010000
_AT_EMPTY_PATH: Final = 0x1000

# fmt: off
_HARMLESS: Final = {
    # name: number on x86-64, on aarch64 (asm/unistd.h); -1 where there is none
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80), "poll": (7, -1), "lseek": (8, 62),
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "pread64": (17, 67), "readv": (19, 65), "writev": (20, 66),
    "select": (23, -1), "sched_yield": (24, 124), "mremap": (25, 216), "madvise": (28, 233), "nanosleep": (35, 101),
    "getitimer": (36, 102), "setitimer": (38, 103), "getpid": (39, 172), "exit": (60, 93), "uname": (63, 160),
    "gettimeofday": (96, 169), "getrusage": (98, 165), "sysinfo": (99, 179), "getuid": (102, 174),
    "sigaltstack": (131, 132), "gettid": (186, 178), "futex": (202, 98), "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128), "fadvise64": (221, 223), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115), "exit_group": (231, 94), "pselect6": (270, 72), "ppoll": (271, 73),
    "set_robust_list": (273, 99), "preadv": (295, 69), "getcpu": (309, 168), "getrandom": (318, 278),
    "membarrier": (324, 283), "rseq": (334, 293),
}
# fmt: on
_CLONE: Final = (56, 220)
_CLONE3: Final = (435, 435)
_TGKILL: Final = (234, 131)
_PRLIMIT: Final = (302, 261)
_PRCTL: Final = (157, 167)
_FCNTL: Final = (72, 25)
_FCNTL_HARMLESS: Final = (0, 1, 2, 3, 1030)
"""Copies of a descriptor, its flags, how it was opened; not who gets a signal when there is something to read."""
_NEWFSTATAT: Final = (262, 79)
_MACHINES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, linux/audit.h


@dataclass(frozen=True, slots=True)
class Locks:
    """What this kernel offers.

    Attributes:
        landlock: Version of Landlock, 0 without.
        seccomp: Filters of system calls, on a machine whose numbers are known here.
    """

    landlock: int
    seccomp: bool


def locks() -> Locks:
    """Ask the kernel; nothing is changed."""
    version = _libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    known = platform.machine() in _MACHINES and ctypes.sizeof(ctypes.c_void_p) == 8
    return Locks(max(0, int(version)), known and _libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) >= 0)


def hide_memory() -> None:
    """Let no other process of this user read or change this one's memory, and write no dump of it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def read_only() -> None:
    """From now on this process and its children open files for reading only, start no programs and use no network."""
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _landlock(readable="/")


def lock_down() -> None:
    """Give up everything but computing and what is open already; there is no way back.

    The superuser becomes the user ``nobody`` first: a decoder needs no user at all.
    """
    _libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
        _libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)  # a change of user clears it
    hide_memory()
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _landlock()
    if platform.machine() in _MACHINES and ctypes.sizeof(ctypes.c_void_p) == 8:
        _seccomp(*_MACHINES[platform.machine()])


def _landlock(readable: str = "") -> None:
    version = locks().landlock
    if version < 1:
        return
    rights = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    network = 0b11 if version >= 4 else 0  # binding and connecting TCP
    scopes = 0b11 if version >= 6 and not readable else 0  # abstract sockets and signals to others
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = _libc.syscall(
        _CREATE_RULESET, struct.pack("=QQQ", rights, network, scopes)[:size], ctypes.c_size_t(size), 0
    )
    if rules < 0:
        return
    if readable:
        folder = os.open(readable, os.O_PATH | os.O_CLOEXEC)
        _libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", _READ, folder), 0)
        os.close(folder)
    _libc.syscall(_RESTRICT_SELF, rules, 0)
    os.close(rules)


def _seccomp(column: int, machine: int) -> None:
    program = b"".join(_program(column, machine))
    memory = ctypes.create_string_buffer(program, len(program))
    filtered = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(memory))
    _libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, filtered, 0, 0)


def _program(column: int, machine: int) -> list[bytes]:
    """The filter: harmless calls, some others with harmless arguments, EPERM for the rest."""
    steps = [_load(_MACHINE_AT), _step(_EQUAL, machine, 1, 0), _give(_KILL), _load(_NUMBER_AT)]
    for numbers in _HARMLESS.values():
        if numbers[column] >= 0:
            steps += [_step(_EQUAL, numbers[column], 0, 1), _give(_ALLOW)]
    steps += [_step(_EQUAL, _CLONE3[column], 0, 1), _give(_UNKNOWN)]
    # Threads, but no processes; death, but of no other; limits, but its own; a name; the size of what is open.
    steps += _if_argument(_CLONE[column], 0, _ANY_BIT, _CLONE_THREAD)
    steps += _if_argument(_FCNTL[column], 1, _EQUAL, *_FCNTL_HARMLESS)
    steps += _if_argument(_TGKILL[column], 0, _EQUAL, os.getpid())
    steps += _if_argument(_PRLIMIT[column], 0, _EQUAL, 0)
    steps += _if_argument(_PRCTL[column], 0, _EQUAL, _PR_SET_NAME)
    steps += _if_argument(_NEWFSTATAT[column], 3, _EQUAL, _AT_EMPTY_PATH)
    return [*steps, _give(_REFUSE)]


def _if_argument(number: int, place: int, test: int, *values: int) -> list[bytes]:
    """Allow a call when the lower half of an argument passes with one of the values; refuse it otherwise."""
    allowed = [step for value in values for step in (_step(test, value, 0, 1), _give(_ALLOW))]
    rest = [_load(_ARGUMENTS_AT + 8 * place), *allowed, _give(_REFUSE)]
    return [_step(_EQUAL, number, 0, len(rest)), *rest]


def _load(at: int) -> bytes:
    return _step(_LOAD, at)


def _give(answer: int) -> bytes:
    return _step(_RETURN, answer)


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)
