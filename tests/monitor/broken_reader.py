"""A reader of publishers with a bug in one of them."""

from fanous.pipeline.pull import PieceAnswer, read_pieces
from fanous.pipeline.reader import Send
from fanous.sources.connector import Get


def read_pieces_but_of_tor(get: Get, send: Send[PieceAnswer], source: str, *told: object) -> None:
    if source == "tor":
        raise ZeroDivisionError
    read_pieces(get, send, source, *told)  # type: ignore[arg-type]
