"""Routes: the addresses of the API; an answer is made once and given many times, as a page is."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fanous.web.answers import Answers
from fanous.web.api.answers import Asked
from fanous.web.api.openapi import openapi
from fanous.web.api.operations import OPERATIONS, ROOT, Operation
from fanous.web.api.problem import Wrong, problem
from fanous.web.api.query import question_of
from fanous.web.reply import Reply
from fanous.web.visit import visit_of

JSON = "application/json"
ANYBODY = {"Access-Control-Allow-Origin": "*"}
"""It only reads, and knows no reader: a page of others may ask."""


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
                return Reply.of(await answers.ask(lambda store: one.make(store, asked)), JSON)

            key = (ROOT, visit.path, visit.base, tuple(sorted(request.query_params.items())))
            return _open((await answers.shelved(key, make)).answer(request))
        except Wrong as reason:
            return problem(reason.status, str(reason), ANYBODY)

    return answer


def _open(response: Response) -> Response:
    response.headers.update(ANYBODY)
    return response
