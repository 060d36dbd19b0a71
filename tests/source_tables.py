"""Source tables: the parts of docs/formats.md and README.md that follow from the declarations of the sources.

    python -m tests.source_tables

writes them anew into the documents.
"""

import re
from collections.abc import Iterable

from fanous.sources.connector import Source, Transport
from fanous.sources.publishers import SOURCES
from tests.documents import ROOT

DOCUMENTS = (ROOT / "docs" / "formats.md", ROOT / "README.md")

HEAD = (
    "| source | what it brings | licence | in open data | credit | pulled every | key |\n"
    "|---|---|---|---|---|---|---|\n"
)
_TABLE = re.compile(re.escape(HEAD) + r"(?:\|.*\n)*")
_PULLED = re.compile(r"(public source on the internet: )[a-z, -]+;")
_CONFIGURED = re.compile(r"(one table each for )[a-z, -]+ \|")


def source_row(source: Source) -> str:
    cells = [
        f"`{source.name}`",
        source.help,
        source.licence,
        "yes" if source.is_open else "no",
        source.credit or "-",
        f"{source.every:,} s" if source.pulled not in (None, Transport.STREAM) else "-",
        f"`{source.token}`" if source.token else "-",
    ]
    return f"| {' | '.join(cells)} |"


def renewed(text: str) -> str:
    """The document with the table of sources, and the lists of their names, written anew."""
    table = HEAD + "".join(f"{source_row(source)}\n" for source in SOURCES.values())
    pulled = _names(one for one in SOURCES.values() if one.pulled in (Transport.ANSWERS, Transport.STREAM))
    configured = _names(one for one in SOURCES.values() if one.pulled not in (None, Transport.STREAM))
    text = _TABLE.sub(lambda _: table, text)
    text = _PULLED.sub(rf"\g<1>{pulled};", text)
    return _CONFIGURED.sub(rf"\g<1>{configured} |", text)


def _names(sources: Iterable[Source]) -> str:
    return ", ".join(source.name for source in sources)


if __name__ == "__main__":
    for path in DOCUMENTS:
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
