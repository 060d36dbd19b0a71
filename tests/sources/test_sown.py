"""Which fields may still carry what somebody sowed into every field of every nettest: in the archive, in the inbox, in
facts, and in what may leave the store.

A field that is named below is a known failure of "typed fields only"; one that is not named may carry nothing.
"""

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from functools import cache
from typing import Any

from fanous.model.measurement import Record
from fanous.publish.evidence.redact import redacted
from fanous.sources.ooni.keep import kept, take
from tests.each import each
from tests.sources.records import encoded
from tests.sown import Identifier, identifiers, nettests, sown

WRITTEN, NUMBER = {"as a host", "as a number", "in a text", "in its form"}, {"as a number"}

KNOWN: dict[str, dict[str, set[str]]] = {
    "archive": {
        **dict.fromkeys(
            (
                "a key of controls",
                "body",
                "headers",
                "headers_list",
                "hostname",
                "http_request",
                "ip",
                "probe_id",
                "probe_network_name",
                "server_address",
                "server_name",
                "spared",
                "title",
                "url",
                "x_resolver_name",
            ),
            WRITTEN,
        ),
        **dict.fromkeys(
            (
                "ElapsedTime",
                "NumBytes",
                "asn",
                "body_length",
                "bytes",
                "download",
                "elapsed",
                "getaddrinfo_error",
                "kbps",
                "kbps_late",
                "largest_gap",
                "median_bitrate",
                "num_bytes",
                "port",
                "received",
                "seconds",
                "t",
                "t0",
                "transaction_id",
                "x_seconds",
            ),
            NUMBER,
        ),
        "resolver_asn": {"as a number", "in its form"},
        "ttl": {"as a number", "in a text", "in its form"},
    },
    "facts": {
        **dict.fromkeys(
            (
                "hostname",
                "location",
                "network_name",
                "probe",
                "server",
                "target",
                "title",
                "url",
            ),
            WRITTEN,
        ),
        **dict.fromkeys(
            (
                "at",
                "kbps",
                "largest_gap",
                "received",
                "seconds",
            ),
            NUMBER,
        ),
        "resolver_asn": {"as a number", "in its form"},
    },
    "public": {
        **dict.fromkeys(
            (
                "a key of controls",
                "data",
                "headers",
                "headers_list",
                "hostname",
                "http_request",
                "spared",
                "title",
                "url",
                "x_resolver_name",
            ),
            WRITTEN,
        ),
        **dict.fromkeys(
            (
                "ElapsedTime",
                "NumBytes",
                "asn",
                "body_length",
                "bytes",
                "download",
                "elapsed",
                "getaddrinfo_error",
                "kbps",
                "kbps_late",
                "largest_gap",
                "median_bitrate",
                "num_bytes",
                "port",
                "received",
                "seconds",
                "t",
                "t0",
                "transaction_id",
                "x_seconds",
            ),
            NUMBER,
        ),
        "ip": {"as a host", "as a number", "in a text"},
        "resolver_asn": {"as a number", "in its form"},
        "server_address": {"as a host", "as a number", "in a text"},
        "server_name": {"as a host", "as a number", "in a text"},
        "ttl": {"as a number", "in a text", "in its form"},
    },
}
"""Place -> field -> kinds of identifiers that it may carry."""


def _leaves(value: Any, field: str = "") -> Iterator[tuple[str, bytes]]:
    """Each text, number and key, with the field in which it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"a key of {field}" if field else "", key.encode()
            yield from _leaves(inner, key)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner, field)
    elif isinstance(value, str):
        yield field, value.encode()
        with suppress(Base64Error, ValueError):
            yield field, b64decode(value, validate=True)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield field, str(value).encode()


def _kind(name: str) -> str:
    return name.rpartition(", ")[2] if ", " in name else "in its form"


def _places(nettest: str, identifier: Identifier) -> Iterator[tuple[str, Any]]:
    data = encoded(sown(nettest, identifier))
    stored, parsed = take(Record("ooni", data))
    yield "archive", json.loads(stored.data)
    yield "inbox", json.loads(kept(data))
    yield "public", json.loads(redacted(stored).data)
    facts = parsed.without_pages()
    nouns: tuple[Any, ...] = (facts.measurement, *facts.observations)
    for noun in nouns:
        yield "facts", {field.name: getattr(noun, field.name) for field in fields(noun)}


@cache
def carriers() -> dict[str, dict[str, set[str]]]:
    """As ``KNOWN``, but as it is."""
    fields_of: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for nettest in nettests():
        for name, identifier in identifiers().items():
            for place, content in _places(nettest, identifier):
                for field, text in _leaves(content):
                    if any(form.lower() in text.lower() for form in identifier.forms):
                        fields_of[place][field].add(_kind(name))
    return fields_of


def test_at_least_120_identifiers_are_sown_in_every_nettest() -> None:
    assert len(identifiers()) >= 120
    for name, identifier in identifiers().items():
        texts = [text for _, text in _leaves(sown("web_connectivity", identifier))]
        assert any(form in text for form in identifier.forms for text in texts), name


@each("place", ["archive", "inbox", "facts", "public"])
def test_no_field_carries_an_identifier_but_those_known_to(place: str) -> None:
    known = KNOWN["archive" if place == "inbox" else place]
    assert dict(carriers()[place]) == known
