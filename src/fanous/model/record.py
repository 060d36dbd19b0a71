"""Record: one raw measurement as it was received, less what identifies a person."""

from fanous.model.noun import noun


@noun
class Record:
    """The bytes that go to the archive, and where they came from.

    Attributes:
        source: name of the source that read it (``ooni``, ``ooni-csv``); the same source parses
            it again when conclusions are recomputed.
        data: one JSON document, UTF-8, without a line break.
        file: where it was read, for error messages.
        line: 1-based line (or row, or member of a tar) in ``file``.
        items: what the user counts: 1 measurement, or the distinct rows of a CSV in this record.
        duplicates: exact repetitions of those rows that the reader already left out.
    """

    source: str
    data: bytes
    file: str = ""
    line: int = 0
    items: int = 1
    duplicates: int = 0
