"""Files: the names that a collector gives to what it keeps."""

from fanous.collector.inbox import SEALED


def kept(number: int, ending: str = SEALED) -> str:
    """Name of an inbox's file; a higher number is a later file."""
    return f"{1_702_814_400_000 + number:014d}-1-{number:06d}{ending}"
