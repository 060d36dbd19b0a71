"""OpenAPI: the addresses of the API, and the document (3.1) about them that is written from its types.

Answers are kept on the shelf, as pages are.
"""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fanous import __version__
from fanous.errors import FanousError
from fanous.web.answers import JSON, TRY_AGAIN, Answers, Reply, visit_of
from fanous.web.api.operations import LABEL, OPERATIONS, ROOT, Asked, Operation
from fanous.web.api.query import PROBLEM_MEDIA, Wrong, problem, question_of
from fanous.web.api.types import Problem

REFS = "#/components/schemas/{name}"


@lru_cache(maxsize=1)
def openapi() -> bytes:
    _, schemas = msgspec.json.schema_components(
        [Problem, *(one.answer for one in OPERATIONS)], ref_template=REFS
    )
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Fanous",
            "version": __version__,
            "summary": "Disruptions of the internet, as this monitor sees them",
            "description": "Reading only. What is said here may be quoted with a link; what it stands on "
            "keeps the licence of its source.",
        },
        "paths": {f"{ROOT}{one.path}": {"get": _described(one)} for one in OPERATIONS},
        "components": {"schemas": schemas},
    }
    return msgspec.json.encode(document)


def _described(one: Operation) -> dict[str, Any]:
    by_label = "{id}" in one.path
    missing = "There is no such incident" if by_label else one.missing
    refusals = {"400": "A parameter is wrong"} | ({"404": missing} if missing else {})
    return {
        "operationId": one.name,
        "summary": one.summary,
        "parameters": [*([_label()] if by_label else []), *_parameters(one)],
        "responses": {
            "200": {
                "description": one.summary,
                "headers": {"ETag": {"description": "for If-None-Match", "schema": {"type": "string"}}},
                "content": {"application/json": {"schema": {"$ref": REFS.format(name=one.answer.__name__)}}},
            },
            "304": {"description": "Not changed since the given ETag"},
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


def _parameters(one: Operation) -> list[dict[str, Any]]:
    found = []
    for field in msgspec.structs.fields(one.query):
        said = msgspec.json.schema(field.type)
        if field.default not in (msgspec.UNSET, msgspec.NODEFAULT):
            said = said | {"default": field.default}
        required = field.required
        found.append({"name": field.encode_name, "in": "query", "required": required, "schema": said})
    return found


ANYBODY = {"Access-Control-Allow-Origin": "*"}
"""The API only reads and identifies no one, so other sites' pages may use it."""


def api_routes(answers: Answers) -> list[Route]:
    described = Reply.of(openapi(), JSON)

    async def description(request: Request) -> Response:
        return _open(described.answer(request))

    paths = [
        Route(f"{ROOT}{one.path.replace('{id}', '{id:incident}')}", _endpoint(answers, one))
        for one in OPERATIONS
    ]
    return [Route(f"{ROOT}/openapi.json", description), *paths]


def _endpoint(answers: Answers, one: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            question = question_of(request, one.query)
            visit = visit_of(request, answers.site)
            asked = Asked(answers.site, visit.base, request.path_params, question)

            async def make() -> Reply:
                return Reply.of(await answers.ask(lambda store: one.make(store.for_readers(), asked)), JSON)

            key = (ROOT, visit.path, visit.base, tuple(sorted(request.query_params.items())))
            return _open((await answers.shelved(request, key, make, one.cost)).answer(request))
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
