"""The console of a terminal, as wide as the terminal itself."""

import shutil

from rich.console import Console, ConsoleDimensions


def screen(*, stderr: bool = False, highlight: bool = True) -> Console:
    """rich takes every dumb terminal for one of 80 columns.

    Args:
        highlight: colours for numbers and names in what is printed.
    """
    console = Console(stderr=stderr, highlight=highlight)
    if console.is_dumb_terminal:
        console.size = ConsoleDimensions(*shutil.get_terminal_size())
    return console
