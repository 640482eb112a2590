# SPDX-License-Identifier: Apache-2.0
"""Many independent runs on one machine or a cluster, by Dask: results come back as files, a lost worker costs one run.

By default a local cluster of one worker is started. ``--scheduler`` gives the address of a running one instead, whose
workers see the data under the same paths (docs/comparison.md says how to start one, also under SLURM). A run that has
a file is not repeated, so an interrupted comparison goes on with the next run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from distributed import Client, LocalCluster, as_completed

from convert.compare.carry_out import carry_out
from convert.compare.task import Task
from convert.errors import RunFailedError
from device.files import write_atomically

_TRIES = 3
"""How many workers a run may lose before it is given up."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Who does the work.

    Attributes:
        scheduler: Address of a running scheduler; empty starts a local cluster.
        workers: Processes of the local cluster.
        threads: Threads of a run.
    """

    scheduler: str = ""
    workers: int = 1
    threads: int = 1


def result_path(folder: Path, name: str) -> Path:
    """Where the result of a run is kept."""
    return folder / "runs" / f"{name}.zip"


def carry_out_all(
    tasks: Sequence[Task], folder: Path, cache: Path, crew: Crew, tell: Callable[[str], None] = print
) -> list[Path]:
    """Carry out what is not there yet.

    Args:
        tasks: The runs; in this order where there is one worker.
        folder: Of the comparison.
        cache: Features and states of trainings, on the workers' disks.
        crew: Who does the work.
        tell: Hears one line a run.

    Returns:
        The result file of each task.

    Raises:
        RunFailedError: At least one could not be finished.
    """
    paths = [result_path(folder, task.name()) for task in tasks]
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    missing = {path: task for path, task in zip(paths, tasks, strict=True) if not path.exists()}
    tell(f"{len(tasks)} runs, {len(tasks) - len(missing)} of them there already")
    failed: list[str] = []
    if missing:
        with _client(crew) as client:
            futures = {
                client.submit(carry_out, task, cache, crew.threads, pure=False, retries=0, priority=-number): (
                    path,
                    task,
                )
                for number, (path, task) in enumerate(missing.items())
            }
            for done, future in enumerate(as_completed(list(futures)), 1):
                path, task = futures[future]
                if future.status == "finished":
                    write_atomically(path, future.result(), 0o644)
                    tell(f"{done}/{len(missing)} {task}")
                else:
                    failed.append(f"{task}: {_reason(future)}")
                    tell(f"{done}/{len(missing)} {failed[-1]}")
    if failed:
        raise RunFailedError("\n".join(["not finished:", *failed]))
    return paths


def _reason(future: object) -> str:
    error = future.exception()  # type: ignore[attr-defined]  # distributed has no types for this
    return f"{type(error).__name__}: {error}" if error is not None else "cancelled"


@contextlib.contextmanager
def _client(crew: Crew) -> Iterator[Client]:
    import dask

    # One worker runs one run at a time: TensorFlow's threads are the run's own.
    settings = {"distributed.scheduler.allowed-failures": _TRIES, "distributed.comm.timeouts.connect": "20s"}
    with dask.config.set(settings), contextlib.ExitStack() as stack:
        if crew.scheduler:
            yield stack.enter_context(Client(crew.scheduler))
            return
        cluster = LocalCluster(
            n_workers=crew.workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # it is not watched, and another cluster may hold the usual port
            memory_limit=0,
            silence_logs="ERROR",
        )
        stack.enter_context(cluster)
        yield stack.enter_context(Client(cluster))
