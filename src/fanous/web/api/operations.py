"""Operations: every address of the API, with the types of its question and its answer."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from fanous.store.protocol import Store
from fanous.web.api import answers
from fanous.web.api.answers import Asked
from fanous.web.api.types import (
    Corrections,
    Cost,
    Countries,
    Detailed,
    Incidents,
    IncidentsQuery,
    Label,
    NoQuery,
    PageQuery,
)

ROOT = "/api/v1"


@dataclass(frozen=True, slots=True)
class Operation:
    """Attributes:
    path: below ``ROOT``, with ``{id}`` for the label of an incident.
    """

    name: str
    path: str
    summary: str
    query: type[msgspec.Struct]
    answer: type[msgspec.Struct]
    make: Callable[[Store, Asked], bytes]


OPERATIONS = (
    Operation(
        "listIncidents",
        "/incidents",
        "Incidents, the newest first",
        IncidentsQuery,
        Incidents,
        answers.incidents,
    ),
    Operation(
        "getIncident",
        "/incidents/{id}",
        "One incident with its revisions",
        NoQuery,
        Detailed,
        answers.incident,
    ),
    Operation("getCost", "/incidents/{id}/cost", "What it may cost, by method", NoQuery, Cost, answers.cost),
    Operation(
        "listCorrections",
        "/corrections",
        "What was claimed and taken back",
        PageQuery,
        Corrections,
        answers.corrections,
    ),
    Operation("listCountries", "/countries", "What is known where", NoQuery, Countries, answers.countries),
)

LABEL = Label
