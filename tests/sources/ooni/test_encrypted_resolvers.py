"""Lookups through encrypted resolvers, as OONI's engine writes them: about the site, or about the resolver?"""

import json
from typing import Any

from fanous.analysis.rules import judge
from fanous.analysis.rules.evidence import RESOLVER
from fanous.model.measurement import Layer, Record
from fanous.model.verdict import State, Verdict
from fanous.refdata.fingerprints import fingerprints
from fanous.sources.measurements import MEASUREMENT_SOURCES
from tests.each import each

OONI = MEASUREMENT_SOURCES["ooni"]
GOOGLE = "https://dns.google/dns-query"
HOME, BOGON = "37.10.8.10", "10.10.34.36"


def lookup(engine: str, *answers: str, failure: str | None = None, **given: Any) -> dict[str, Any]:
    shown = [{"answer_type": "A", "ipv4": address, "asn": 13335} for address in answers] or None
    query = {"engine": engine, "hostname": "x.com", "query_type": "A", "failure": failure, "answers": shown}
    return (
        query | {"t0": 0.0, "t": 0.1, "resolver_address": GOOGLE if engine == "doh" else "8.8.8.8:53"} | given
    )


def record(*queries: dict[str, Any], of_resolver: list[dict[str, Any]] | None = None) -> Record:
    """X worked in every respect."""
    done = {"t0": 0.1, "t": 0.2, "transaction_id": 1}
    keys = {
        "queries": [lookup("getaddrinfo", HOME), *queries],
        "x_doh": {"queries": of_resolver or []},
        "tcp_connect": [{"ip": HOME, "port": 443, "status": {"success": True, "failure": None}, **done}],
        "tls_handshakes": [{"address": f"{HOME}:443", "server_name": "x.com", "failure": None, **done}],
        "control": {
            "dns": {"failure": None, "addrs": [HOME]},
            "tls_handshake": {f"{HOME}:443": {"server_name": "x.com", "status": True, "failure": None}},
        },
    }
    document = {
        "test_name": "web_connectivity",
        "test_version": "0.5.28",
        "measurement_start_time": "2026-12-01 17:15:49",
        "probe_cc": "PK",
        "probe_asn": "AS17557",
        "input": "https://x.com/",
        "test_keys": keys,
    }
    return Record("ooni", json.dumps(document).encode())


def seen(taken: Record) -> list[tuple[str, str, str, str | None]]:
    """Of lookups through the encrypted resolver, and for it: target, host name, role, failure."""
    observed = OONI.parse(taken).observations
    of_dns = [
        one for one in observed if one.layer is Layer.DNS and (one.resolver == "doh" or one.role == RESOLVER)
    ]
    return [(one.target, one.hostname, one.role, one.failure) for one in of_dns]


def verdicts(taken: Record) -> dict[str, Verdict]:
    return {one.rule_id: one for one in judge(OONI.parse(taken), fingerprints()) if one.state is not State.OK}


NXDOMAIN = "dns_nxdomain_error"


@each(
    ("query", "expected"),
    [
        (
            lookup("doh", HOME),
            [("x", "x.com", "web", None), ("encrypted_dns", "dns.google", RESOLVER, None)],
        ),
        # What the resolver itself says of the name is about the name.
        (
            lookup("doh", failure=NXDOMAIN),
            [("x", "x.com", "web", NXDOMAIN), ("encrypted_dns", "dns.google", RESOLVER, None)],
        ),
        # The engine writes of the resolver's own name as if it were the site's.
        (
            lookup("doh", failure=NXDOMAIN, getaddrinfo_error=-2),
            [("encrypted_dns", "dns.google", RESOLVER, NXDOMAIN)],
        ),
        (
            lookup("doh", failure="connection_reset"),
            [("encrypted_dns", "dns.google", RESOLVER, "connection_reset")],
        ),
        # Of a resolver that is not OONI's choice, nothing is known but that it was not reached.
        (
            lookup("doh", failure="connection_reset", resolver_address="https://dns.nextdns.io/a1b2c3"),
            [("x", "", RESOLVER, "connection_reset")],
        ),
        (
            lookup("doh", HOME, resolver_address="https://dns.nextdns.io/a1b2c3"),
            [("x", "x.com", "web", None)],
        ),
    ],
)
def test_a_lookup_is_about_the_site_or_about_the_resolver(
    query: dict[str, Any], expected: list[tuple[str, str, str, str | None]]
) -> None:
    taken = record(query)
    assert seen(taken) == expected
    stored, _ = OONI.take(taken)
    assert seen(stored) == expected, "what is stored of it says the same"
    assert b"a1b2c3" not in stored.data


def test_a_resolver_whose_name_is_denied_is_told_as_encrypted_dns_and_not_as_the_site() -> None:
    said = verdicts(record(lookup("doh", failure=NXDOMAIN, getaddrinfo_error=-2)))
    denied = said.pop("dns.encrypted_denied")
    assert (denied.target, denied.mechanism, denied.symptom, denied.controlled) == (
        "encrypted_dns",
        "encdns.doh",
        True,
        True,
    )
    assert said == {}


def test_a_resolver_whose_name_leads_nowhere_is_denied_too() -> None:
    timed_out = lookup("doh", failure="generic_timeout_error")
    nowhere = lookup("getaddrinfo", BOGON, hostname="dns.google", resolver_address="")
    said = verdicts(record(timed_out, of_resolver=[nowhere]))
    assert set(said) == {"dns.encrypted_denied", "dns.encrypted_fails"}
    there = lookup("getaddrinfo", "8.8.8.8", hostname="dns.google", resolver_address="")
    assert set(verdicts(record(timed_out, of_resolver=[there]))) == {
        "dns.encrypted_found",
        "dns.encrypted_fails",
    }


def test_a_cut_connection_to_a_resolver_is_a_symptom_and_silence_none() -> None:
    cut = verdicts(record(lookup("doh", failure="connection_reset")))["dns.encrypted_cut_off"]
    assert (cut.target, cut.symptom, cut.controlled) == ("encrypted_dns", True, False)
    silent = verdicts(record(lookup("doh", failure="generic_timeout_error")))["dns.encrypted_fails"]
    assert not silent.symptom


def test_nothing_is_said_of_a_resolver_where_nothing_else_was_found() -> None:
    taken = record(lookup("doh", failure=NXDOMAIN, getaddrinfo_error=-2))
    alone = json.loads(taken.data)
    alone["test_keys"]["queries"] = alone["test_keys"]["queries"][1:]
    said = verdicts(Record("ooni", json.dumps(alone).encode()))
    assert "dns.encrypted_denied" not in said
