"""The command line: one file for each command or group of commands, and a table of them all.

To add a command: write ``fanous/cli/NAME.py`` with a function (or, for a group, a ``typer.Typer``) whose
docstring is its help; take what other commands have too, such as ``--json``, from ``fanous.cli.common``; and add
one line to ``COMMANDS`` in ``fanous.cli.main``.  Import at the top of the file only what the options need, and the
rest within the function: every command is loaded for its ``--help``, also where the server parts are not installed.
Its test goes to ``tests/cli``, its line in the README's table, and the document that it prints to
``docs/formats.md``; tests say which is missing.
"""
