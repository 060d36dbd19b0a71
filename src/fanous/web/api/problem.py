"""Problem: why a question cannot be answered (RFC 9457), so that a program can tell and a person can read."""

from http import HTTPStatus

import msgspec
from starlette.responses import Response

from fanous.web.api.types import Problem

MEDIA = "application/problem+json"


class Wrong(Exception):
    """A question that is answered with a problem.

    Attributes:
        status: of HTTP.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def problem_body(status: int, detail: str) -> bytes:
    return msgspec.json.encode(Problem(HTTPStatus(status).phrase, status, detail))


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    kept = {"Cache-Control": "no-store"} | (headers or {})
    return Response(problem_body(status, detail), status, media_type=MEDIA, headers=kept)
