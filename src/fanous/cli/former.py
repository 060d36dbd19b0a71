"""Former names of commands: typing one prints its present name."""

import sys

import typer


def add_former(app: typer.Typer, name: str, former: str, present: str) -> None:
    """Have ``name`` of ``app`` answer that ``former`` is ``present`` now, whatever follows it; exit 2.

    The message begins like typer's own about an unknown command, because scripts match on it.
    """
    anything = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

    @app.command(name, hidden=True, context_settings=anything)
    def moved() -> None:
        print(f"fanous: No such command `{former}`: it is now `{present}`", file=sys.stderr)
        raise typer.Exit(2)
