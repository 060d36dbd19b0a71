"""Progress: a bar on stderr over the bytes that a long command reads, with rate and time left."""

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


def bytes_bar(*, is_shown: bool = True) -> Progress:
    """A bar that disappears at the end."""
    return Progress(
        TextColumn("{task.description}", markup=False),  # a file name may contain rich markup, such as a[red]
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not is_shown,
    )
