# SPDX-License-Identifier: Apache-2.0
"""A disk that forgets: what was not fsynced may be gone after a power cut, and only that.

A killed process loses nothing, because the kernel still writes what it holds; so it proves nothing about power cuts.
This model keeps two states of every file and folder, what is visible and what is durable, and on a cut puts together
what a real card may hold: of every file any subset of the pages written since its last fsync, torn at a sector; of
every folder any beginning of the names created, renamed or removed since *its* last fsync (POSIX promises a name only
after the folder's fsync). ``forgetful_mount`` shows it through FUSE.

It can also be full: capacity is counted in pages, like a real card's.
"""

from __future__ import annotations

import errno
import random
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

PAGE = 4096
SECTOR = 512
NODE_COST = 1  # pages that an inode takes


class Forgetting(StrEnum):
    """What a cut does to whatever was not fsynced."""

    ALL = "all"  # nothing un-fsynced survives
    SOME = "some"  # any subset survives


@dataclass(eq=False)
class Node:
    """A file or a folder."""

    mode: int
    content: bytearray = field(default_factory=bytearray)
    durable: bytes = b""
    dirty: set[int] = field(default_factory=set)
    entries: dict[str, Node] = field(default_factory=dict)
    durable_entries: dict[str, Node] = field(default_factory=dict)
    pending: list[Callable[[dict[str, Node]], object]] = field(default_factory=list)
    changed: float = field(default_factory=time.time)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def pages(self) -> int:
        return -(-len(self.content) // PAGE)


class PowerCutError(OSError):
    """The power is gone; nothing answers any more."""

    def __init__(self) -> None:
        super().__init__(errno.EIO, "power cut")


class ForgetfulDisk:
    """The file system's state; paths are absolute within it."""

    def __init__(self, capacity: int = 1 << 40) -> None:
        self.root = Node(stat.S_IFDIR | 0o755)
        self.capacity = capacity
        self.operations = 0
        self.cut_at: int | None = None
        self.full_at: int | None = None
        self.allocations = 0
        self.dead = False
        self.used = NODE_COST  # pages taken by everything that is visible

    # --- faults -------------------------------------------------------------------------------------------------------

    def _step(self) -> None:
        """One operation that changes or secures something; the moment at which the power may go."""
        if self.dead:
            raise PowerCutError
        self.operations += 1
        if self.cut_at is not None and self.operations >= self.cut_at:
            self.dead = True
            raise PowerCutError

    def require_power(self) -> None:
        if self.dead:
            raise PowerCutError

    def _allocate(self, pages: int) -> None:
        """Take room, or say that there is none; another program fills the disk at the ``full_at``-th request."""
        if pages <= 0:
            return
        self.allocations += 1
        if self.full_at is not None and self.allocations == self.full_at:
            self.capacity = self.used
        if self.used + pages > self.capacity:
            raise OSError(errno.ENOSPC, "no room")
        self.used += pages

    def power_cut(self, chance: random.Random, forgetting: Forgetting) -> None:
        """Forget, and be alive again with what is left."""
        _forget(self.root, chance, forgetting)
        self.dead, self.cut_at, self.operations, self.used = False, None, 0, _cost(self.root)

    # --- names --------------------------------------------------------------------------------------------------------

    def find(self, path: str) -> Node:
        self.require_power()
        node = self.root
        for name in filter(None, path.split("/")):
            if name not in node.entries:
                raise FileNotFoundError(errno.ENOENT, "no such name")
            node = node.entries[name]
        return node

    def make(self, path: str, mode: int) -> Node:
        self._step()
        folder, name = self._parent(path)
        if name in folder.entries:
            raise FileExistsError(errno.EEXIST, "exists")
        self._allocate(NODE_COST)
        node = Node(mode)
        self._rename_in(folder, lambda entries: entries.__setitem__(name, node))
        return node

    def link(self, path: str, target: str) -> None:
        """A symbolic link. Where it leads is in the inode itself, so it is as durable as its name."""
        node = self.make(path, stat.S_IFLNK | 0o777)
        node.content, node.durable = bytearray(target.encode()), target.encode()

    def remove(self, path: str) -> None:
        self._step()
        folder, name = self._parent(path)
        node = self.find(path)
        if node.is_folder and node.entries:
            raise OSError(errno.ENOTEMPTY, "not empty")
        self.used -= NODE_COST + node.pages
        self._rename_in(folder, lambda entries: entries.pop(name, None))

    def rename(self, old: str, new: str) -> None:
        self._step()
        source, old_name = self._parent(old)
        target, new_name = self._parent(new)
        node = self.find(old)
        if new_name in target.entries:
            self.used -= _cost(target.entries[new_name])

        def move(entries: dict[str, Node]) -> None:
            entries.pop(old_name, None)
            entries[new_name] = node

        if source is target:
            self._rename_in(source, move)
        else:
            self._rename_in(target, lambda entries: entries.__setitem__(new_name, node))
            self._rename_in(source, lambda entries: entries.pop(old_name, None))

    def _rename_in(self, folder: Node, change: Callable[[dict[str, Node]], object]) -> None:
        change(folder.entries)
        folder.pending.append(change)
        folder.changed = time.time()

    def _parent(self, path: str) -> tuple[Node, str]:
        folder, _, name = path.rpartition("/")
        return self.find(folder), name

    # --- contents -----------------------------------------------------------------------------------------------------

    def write(self, node: Node, data: bytes, offset: int) -> int:
        self._step()
        end = offset + len(data)
        self._allocate(-(-end // PAGE) - node.pages)
        if len(node.content) < offset:
            node.content.extend(bytes(offset - len(node.content)))
        node.content[offset:end] = data
        node.dirty.update(range(offset // PAGE, -(-end // PAGE)))
        node.changed = time.time()
        return len(data)

    def truncate(self, node: Node, length: int) -> None:
        self._step()
        change = -(-length // PAGE) - node.pages
        self._allocate(change)
        self.used += min(change, 0)
        old = len(node.content)
        if length < old:
            del node.content[length:]
        else:
            node.content.extend(bytes(length - old))
        node.dirty.update(range(min(old, length) // PAGE, -(-max(old, length) // PAGE)))

    def fsync(self, node: Node) -> None:
        """Everything written to this file, or every name in this folder, is durable from now on."""
        self._step()
        if node.is_folder:
            node.durable_entries, node.pending = dict(node.entries), []
        elif node.dirty:
            node.durable, node.dirty = bytes(node.content), set()


def _cost(node: Node) -> int:
    return NODE_COST + node.pages + sum(_cost(child) for child in node.entries.values())


def _forget(node: Node, chance: random.Random, forgetting: Forgetting) -> None:
    if node.is_folder:
        kept = 0 if forgetting is Forgetting.ALL else chance.randint(0, len(node.pending))
        for change in node.pending[:kept]:
            change(node.durable_entries)
        node.entries, node.pending = dict(node.durable_entries), []
        for child in node.entries.values():
            _forget(child, chance, forgetting)
    else:
        if node.dirty and forgetting is Forgetting.SOME:
            node.durable = _some_pages(node, chance)
        node.content, node.dirty = bytearray(node.durable), set()


def _some_pages(node: Node, chance: random.Random) -> bytes:
    """The durable content with a random subset of the dirty pages, some of them torn, and either of both lengths."""
    length = chance.choice((len(node.durable), len(node.content)))
    result = bytearray(node.durable[:length].ljust(length, b"\0"))
    for page in node.dirty:
        fate = chance.random()
        whole = fate < 0.5
        torn = PAGE if whole else chance.randrange(PAGE // SECTOR) * SECTOR if fate < 0.6 else 0
        start = page * PAGE
        piece = node.content[start : min(start + torn, length)]
        result[start : start + len(piece)] = piece
    return bytes(result[:length])
