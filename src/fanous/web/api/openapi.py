"""OpenAPI: the description of the API (3.1), written from the types."""

from functools import lru_cache
from typing import Any

import msgspec

from fanous import __version__
from fanous.web.api.operations import LABEL, OPERATIONS, ROOT, Operation
from fanous.web.api.problem import MEDIA
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
    refusals = {"400": "A parameter is wrong"} | ({"404": "There is no such incident"} if by_label else {})
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
                    "content": {MEDIA: {"schema": {"$ref": REFS.format(name="Problem")}}},
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
        if field.default is not msgspec.UNSET:
            said = said | {"default": field.default}
        found.append({"name": field.encode_name, "in": "query", "required": False, "schema": said})
    return found
