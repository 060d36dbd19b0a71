"""Help for the commands that take a SOURCE: it lists the sources with their own descriptions."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

if TYPE_CHECKING:
    from fanous.sources.connector import Source


class SourceCommand(TyperCommand):
    """A command whose help contains lists of sources (``filled``).

    The lists are made only when that help is shown: the declarations need numpy, which `fanous --help`
    must not load.
    """

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self.help = filled(self.help or "")
        super().format_help(ctx, formatter)


def filled(text: str) -> str:
    """The text with lists of sources in place of ``{measurements}``, ``{files}`` and ``{pulled}``."""
    from fanous.sources.measurements import MEASUREMENTS
    from fanous.sources.publishers import PUBLISHERS, SOURCES

    known = PUBLISHERS.values()
    pulled = (one for one in SOURCES.values() if one.live or one.is_stream or one.has_bucket)
    return (
        text.replace("{measurements}", _listed(MEASUREMENTS.values()))
        .replace("{files}", _listed(one for one in known if one.files or one.live))
        .replace("{pulled}", _listed(pulled))
    )


def _listed(sources: "Iterable[Source]") -> str:
    return "\n".join(f"- {source.name}: {source.help}" for source in sources)
