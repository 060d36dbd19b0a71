"""Children: how tests start Fanous as a separate process."""

import os


def child_environment() -> dict[str, str]:
    """The environment without the switch that makes every child compile the same modules again."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
