"""Progress bars for long commands, on stderr, shown only on a terminal."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


@contextmanager
def file_progress(paths: Sequence[Path]) -> Iterator[Callable[[Path, int], None] | None]:
    """A bar over the bytes of all files, with rate and remaining time; ``None`` off a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    sizes = {path: path.stat().st_size if path.is_file() else 0 for path in paths}
    done = dict.fromkeys(sizes, 0)
    columns = (
        TextColumn("{task.description}", markup=False),  # a file may be called a[red]
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=sum(sizes.values()) or None)

        def moved(path: Path, consumed: int) -> None:
            done[path] = consumed
            bar.update(task, completed=sum(done.values()), description=path.name)

        yield moved
