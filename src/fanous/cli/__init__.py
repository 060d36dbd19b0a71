"""The command line: one file for each command or group of commands, and a table of them all.

To add a command: write ``fanous/cli/NAME.py`` with a class of its options and a function of them (or, for a group, a
``typer.Typer``) whose docstring is its help; ``fanous.cli.options`` says how, and has shared options, such as
``--json``; and add one line to ``COMMANDS`` in ``fanous.cli.main``.  At the top of the file import only what the
options need, and the rest inside the function: every command is loaded for its ``--help``, even if the server parts
are not installed.  Put its test in ``tests/cli``, its line in the README's table, and the document it prints in
``docs/formats.md``; tests report what is missing.

Another package adds commands by an entry point in the group ``fanous.cli.main.OTHERS``: a sequence of
``fanous.cli.main.CommandEntry``, each with its module.
"""
