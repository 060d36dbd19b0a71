"""Children: how tests start Fanous as a separate process."""

import os
import resource


def child_environment() -> dict[str, str]:
    """The environment without the switch that makes every child compile the same modules again."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def no_core() -> None:
    """For a child that is made to crash: it leaves no file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
