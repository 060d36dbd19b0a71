"""Former names of commands: who types one by habit is told the present one."""

import sys

import typer


def add_former(app: typer.Typer, name: str, former: str, present: str) -> None:
    """Have ``name`` of ``app`` answer that ``former`` is ``present`` now, whatever follows it; exit 2.

    The sentence begins as typer's own about an unknown command does: scripts take it for one.
    """
    anything = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

    @app.command(name, hidden=True, context_settings=anything)
    def moved() -> None:
        print(f"fanous: No such command `{former}`: it is now `{present}`", file=sys.stderr)
        raise typer.Exit(2)
