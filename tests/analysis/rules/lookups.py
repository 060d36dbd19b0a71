"""Lookups to be judged, each with the sentence that it shows."""

from dataclasses import dataclass, field
from typing import Any

from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State
from tests.analysis.rules.verdict_of import said
from tests.builders import ADDRESS, helper, observation

OTHER = "203.0.112.9"
BOGON = "10.10.34.36"

Given = dict[str, Any]


def lookup(answer: str = ADDRESS, asn: int = 13414, **given: Any) -> Observation:
    return observation(Layer.DNS, answers=(answer,), answer_asns=(asn,), **given)


def failed(failure: str = "dns_nxdomain_error", **given: Any) -> Observation:
    return observation(Layer.DNS, failure, **given)


def other(**given: Any) -> Observation:
    """An answer that shares neither address nor network with the helper's."""
    return lookup(OTHER, 64500, **given)


CONTROL = helper(Layer.DNS)
PAGE = helper(Layer.HTTP, url="http://x.com/")
FALSE_FRONT = observation(Layer.TLS, "ssl_unknown_authority", ip=OTHER)


@dataclass(frozen=True)
class Case:
    """A sentence, the observations, and what must be said first at the DNS layer."""

    sentence: str
    observations: list[Observation]
    state: State
    rule: str
    mechanism: str = ""
    given: Given = field(default_factory=dict)


OK, BLOCKED, DOWN, INSUFFICIENT = State.OK, State.BLOCKED, State.DOWN, State.INSUFFICIENT


def first_said(case: Case) -> tuple[State, str, str]:
    """The first verdict at the DNS layer."""
    return said(Layer.DNS, *case.observations, **({"test_name": "web_connectivity"} | case.given))[0]
