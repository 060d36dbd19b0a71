"""The lab's commands, which ``fanous`` lists where this package is installed (entry point `fanous.commands`)."""

from fanous.cli.main import CommandEntry

COMMANDS = (
    CommandEntry(
        "Develop",
        "lab",
        "Run a national internet with real censors in network namespaces; needs root.",
        "fanous_lab.commands.lab",
    ),
    CommandEntry(
        "Develop",
        "evaluate",
        "Replay labelled events through the live code path; report hits, misses and delays.",
        "fanous_lab.commands.evaluate",
    ),
)
"""In the order in which help lists them, after Fanous' own."""
