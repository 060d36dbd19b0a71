"""Buoys: a made-up nettest that connects to the harbour's buoys."""

from typing import Any

from fanous.model.measurement import Layer, Observation
from fanous.sources.ooni.document import DocumentPart, Header
from fanous.sources.ooni.nettests import Contents, Nettest
from fanous.sources.ooni.values import endpoint_of, failure_of


class Buoy(DocumentPart):
    address: str | None = None
    failure: Any = None


class BuoyKeys(DocumentPart):
    buoys: list[Buoy] | None = None


def _contents(_: Header, keys: BuoyKeys | None, __: list[str]) -> Contents:
    return Contents("buoys", (_connection(one) for one in keys.buoys or ())) if keys else Contents("buoys")


def _connection(one: Buoy) -> Observation:
    ip, port = endpoint_of(one.address)
    return Observation(Layer.TCP, "buoys", role="api", ip=ip, port=port, failure=failure_of(one.failure))


BUOYS = Nettest("buoys", BuoyKeys, _contents)
