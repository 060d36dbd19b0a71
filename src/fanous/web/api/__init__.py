"""API: ``/api/v1`` - the content of the pages, for programs.  It only reads.

``types`` has the types of questions and answers.  Requests are read by them here, and the OpenAPI document (3.1) is
written from them, so that it always describes what is sent.  Answers are kept on the shelf, as pages are.  An unknown
parameter is refused by name; a refusal is a problem document (RFC 9457), which a program can act on and a person can
read.

To add an address: its function in ``operations``, its line in ``OPERATIONS``.
"""

from collections.abc import Awaitable, Callable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from msgspec import inspect
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fanous import __version__
from fanous.base.text import printable
from fanous.errors import FanousError
from fanous.web.answers import JSON, TRY_AGAIN, Answers, Reply, visit_of
from fanous.web.api.operations import LABEL, OPERATIONS, ROOT, Asked, Operation, Wrong
from fanous.web.api.types import Problem

PROBLEM_MEDIA = "application/problem+json"

LONGEST_DETAIL = 500
"""Characters; it may quote what was asked, which others may have put into a link."""


def problem_body(status: int, detail: str) -> bytes:
    return msgspec.json.encode(Problem(HTTPStatus(status).phrase, status, printable(detail)[:LONGEST_DETAIL]))


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    kept = {"Cache-Control": "no-store"} | (headers or {})
    return Response(problem_body(status, detail), status, media_type=PROBLEM_MEDIA, headers=kept)


Question = TypeVar("Question", bound=msgspec.Struct)


def question_of(request: Request, kind: type[Question]) -> Question:
    """Raises:
    Wrong: an unknown or repeated name, or a value of the wrong form.
    """
    items = request.query_params.multi_items()
    names = [name for name, _ in items]
    fields = kind.__struct_fields__
    for name in names:
        if name not in fields:
            near = get_close_matches(name, fields, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(fields) or 'none'}"
            raise Wrong(400, f"unknown parameter {name}: {hint}")
        if names.count(name) > 1:
            raise Wrong(400, f"{name} is given twice")
    values = {name: value.upper() if name in CAPITALS else value for name, value in items}
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        name = str(error).rpartition("`$.")[2].rstrip("`")
        if name not in values:
            raise Wrong(400, _missing(kind, values)) from None
        raise Wrong(
            400, f"{name}: {dict(items)[name]!r} does not fit; expected: {_needed(name, kind)}"
        ) from None


CAPITALS = ("country", "network")
"""Parameters that may be given in lower case as well."""


def _fields(kind: type[Question]) -> tuple[inspect.Field, ...]:
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    return described.fields


def _missing(kind: type[Question], values: Mapping[str, str]) -> str:
    lacking = [field.name for field in _fields(kind) if field.required and field.name not in values]
    return f"{' and '.join(lacking)}: needed, but not given"


def _needed(name: str, kind: type[Question]) -> str:
    """What a parameter has to be, since msgspec's own messages have Python types and regular expressions."""
    (kinds,) = (field.type for field in _fields(kind) if field.name == name)
    told = {}
    if isinstance(kinds, inspect.Metadata):
        told, kinds = kinds.extra_json_schema or {}, kinds.type
    if isinstance(kinds, inspect.IntType):
        return f"a whole number from {kinds.ge} to {kinds.le}"
    if isinstance(kinds, inspect.LiteralType):
        return f"one of {', '.join(map(str, kinds.values))}"
    example = f", such as {told['examples'][0]}" if "examples" in told else ""
    return f"{told.get('description', 'a text')}{example}"


REFS = "#/components/schemas/{name}"


@lru_cache(maxsize=1)
def openapi() -> bytes:
    _, schemas = msgspec.json.schema_components(
        [Problem, *(operation.answer for operation in OPERATIONS)], ref_template=REFS
    )
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Fanous",
            "version": __version__,
            "summary": "Disruptions of the internet, as this monitor sees them",
            "description": "Read-only. What this API says may be quoted with a link; the data behind it keep the "
            "licences of their sources.",
        },
        "paths": {f"{ROOT}{operation.path}": {"get": _described(operation)} for operation in OPERATIONS},
        "components": {"schemas": schemas},
    }
    return msgspec.json.encode(document)


def _described(operation: Operation) -> dict[str, Any]:
    by_label = "{id}" in operation.path
    missing = "There is no such incident" if by_label else operation.missing
    refusals = {"400": "A parameter is wrong"} | ({"404": missing} if missing else {})
    return {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [*([_label()] if by_label else []), *_parameters(operation)],
        "responses": {
            "200": {
                "description": operation.summary,
                "headers": {"ETag": {"description": "for If-None-Match", "schema": {"type": "string"}}},
                "content": {
                    "application/json": {"schema": {"$ref": REFS.format(name=operation.answer.__name__)}}
                },
            },
            "304": {"description": "Unchanged since the given ETag"},
            **{
                status: {
                    "description": why,
                    "content": {PROBLEM_MEDIA: {"schema": {"$ref": REFS.format(name="Problem")}}},
                }
                for status, why in refusals.items()
            },
        },
    }


def _label() -> dict[str, Any]:
    return {"name": "id", "in": "path", "required": True, "schema": msgspec.json.schema(LABEL)}


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    parameters = []
    for field in msgspec.structs.fields(operation.query):
        schema = msgspec.json.schema(field.type)
        if field.default not in (msgspec.UNSET, msgspec.NODEFAULT):
            schema = schema | {"default": field.default}
        required = field.required
        parameters.append({"name": field.encode_name, "in": "query", "required": required, "schema": schema})
    return parameters


ANYBODY = {"Access-Control-Allow-Origin": "*"}
"""The API only reads and identifies no one, so other sites' pages may use it."""


def api_routes(answers: Answers) -> list[Route]:
    described = Reply.of(openapi(), JSON)

    async def description(request: Request) -> Response:
        return _open(described.answer(request))

    paths = [
        Route(f"{ROOT}{operation.path.replace('{id}', '{id:incident}')}", _endpoint(answers, operation))
        for operation in OPERATIONS
    ]
    return [Route(f"{ROOT}/openapi.json", description), *paths]


def _endpoint(answers: Answers, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            question = question_of(request, operation.query)
            visit = visit_of(request, answers.site)
            asked = Asked(answers.site, visit.base, request.path_params, question)

            async def make() -> Reply:
                return Reply.of(
                    await answers.ask(lambda store: operation.make(store.for_readers(), asked)), JSON
                )

            key = (ROOT, visit.path, tuple(sorted(request.query_params.items())))
            return _open((await answers.shelved(request, key, make, operation.cost)).answer(request))
        except Wrong as reason:
            return problem(reason.status, str(reason), ANYBODY)
        except FanousError:
            return problem(
                503, "This monitor cannot read its data now; try again later.", ANYBODY | TRY_AGAIN
            )

    return answer


def _open(response: Response) -> Response:
    response.headers.update(ANYBODY)
    return response
