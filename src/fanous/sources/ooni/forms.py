"""Forms: what the texts of a record that are kept may look like.

A field for an address contains an address or nothing, one for a kind of step a name from a list, one for a failure
words from a list.  So neither a probe nor the author of a record can put a name where rules expect something else.
Texts without a form here are settled in ``keep`` (URLs, pages, headers, certificates), or they are what was measured.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from msgspec import Raw, Struct

from fanous.model.place import is_address
from fanous.sources.marks import WORDS as MARKS
from fanous.sources.ooni.document import NULL, TorKeys
from fanous.sources.ooni.failures import in_words
from fanous.sources.ooni.values import (
    LONGEST_HOST,
    NETWORK_TYPES,
    endpoint_of,
    instant_of,
    query_type_of,
    software_of,
    version_of,
)

Form = Callable[[Any], Any]
"""A value as it is kept; ``None`` = not at all."""

_Forms = list[tuple[str, Form]]
"""Fields and the form of each."""


def _listed(*names: str) -> Form:
    known = frozenset(names)
    return lambda text: text if text in known else None


def _failure(value: Any) -> Any:
    """Of another type than text or truth: a failure without a reason."""
    return in_words(value) if isinstance(value, str) else value if value in (None, True, False) else True


@lru_cache(maxsize=65_536)
def _address(text: str) -> str | None:
    return text if is_address(text.strip("[]")) else None


_HOST = re.compile(rf"[\w.*-]{{1,{LONGEST_HOST}}}")


@lru_cache(maxsize=65_536)
def _name(text: str) -> str | None:
    """A host name, of any script, or an address."""
    return text if _HOST.fullmatch(text) or _address(text) else None


@lru_cache(maxsize=65_536)
def _endpoint(text: str) -> str | None:
    """An address with or without a port; of a name, only the port."""
    address, port = endpoint_of(text)
    return text if address or _address(text) else f":{port}" if port else None


def _server(text: str) -> str | None:
    return _name(text) or _endpoint(text)


def _time(text: str) -> str | None:
    return text if len(text) <= 40 and instant_of(text) is not None else None


_NETWORK_NUMBER = re.compile(r"(?:AS|as)?[0-9]{1,10}")


def _network_number(text: str) -> str | None:
    return text if _NETWORK_NUMBER.fullmatch(text) else None


def _mark(value: Raw) -> Raw:
    """A mark says only that it is there."""
    return value if value == NULL or bytes(value) in MARKS or _CLOCK.fullmatch(bytes(value)) else Raw(b"true")


_CLOCK = re.compile(rb'"[0-9.e+]{1,12} times as fast since [0-9TZ:-]{10,20}"')

_RAW: dict[str, Form] = {"synthetic": _mark, "x_clock": _mark, "x_recorded": _mark}

_ANY: dict[str, Form] = {"failure": _failure, "control_failure": _failure}
"""Of fields that may have any type."""

_TEXTS: dict[str, Form] = {
    "ipv4": _address,
    "ipv6": _address,
    "ip": _name,
    "address": _endpoint,
    "target_address": _endpoint,
    "server_address": _server,
    "hostname": _name,
    "server_name": _name,
    "x_resolver_name": _name,
    "ttl": lambda text: text if text.isdecimal() else None,
    "query_type": lambda text: query_type_of(text) or None,
    "engine": _listed(
        *("system", "getaddrinfo", "udp", "tcp", "doh", "dot", "doh3", "unknown", "none"),
        *("go", "netgo", "golang_net_resolver", "libc", "android"),
    ),
    "network": _listed("tcp", "udp", "quic"),
    "operation": _listed(
        *("read", "write", "connect", "bytes_received_cumulative", "read_from", "write_to"),
        *("resolve_start", "resolve_done", "tls_handshake_start", "tls_handshake_done"),
        *("quic_handshake_start", "quic_handshake_done", "http_transaction_start", "http_transaction_done"),
    ),
    "target_protocol": _listed("dir_port", "or_port", "or_port_dirauth", "obfs4", "tcp"),
    "role": _listed("target", "control"),
    "answer": _listed("server_hello", "alert"),
    "format": _listed("base64"),
    "network_type": _listed(*NETWORK_TYPES),
    "software_name": software_of,
    "software_version": lambda text: version_of(text) or None,
    "test_version": lambda text: version_of(text) or None,
    "probe_cc": lambda text: text if len(text) == 2 and text.isascii() and text.isalpha() else None,
    "probe_asn": _network_number,
    "resolver_asn": _network_number,
    "measurement_start_time": _time,
    "test_start_time": _time,
    "received": _time,
}
"""Field -> the form of its text, in all structures that have it."""

_MEMBERS: dict[str, Form] = {"addrs": _address, "spared": _name}
"""Field -> the form of each text in its list."""

_KEYS: dict[str, Form] = {
    "tcp_connect": _endpoint,
    "tls_handshake": _endpoint,
    "quic_handshake": _endpoint,
    "ip_info": _address,
    "controls": _name,
}
"""Field -> the form of each key of its map."""


def settle(part: Struct) -> None:
    """Bring each text of a part of a record, at any depth, into its form."""
    _settle_each((part,))


def _settle_each(parts: Iterable[Struct]) -> None:
    """The same for parts of one kind."""
    plan = None
    for part in parts:
        texts, others, rest = plan = plan or _plan(type(part))
        for name, form in texts:
            value = getattr(part, name)
            if value is not None and type(value) is str and (kept := form(value)) is not value:
                setattr(part, name, kept)
        for name, form in others:
            value = getattr(part, name)
            if value is not None and value is not NULL and (kept := form(value)) is not value:
                setattr(part, name, kept)
        if rest is not None:  # most parts, such as the events of a connection, have nothing below them
            _settle_below(part, *rest)


def _settle_below(part: Struct, members: _Forms, keys: _Forms, below: list[str]) -> None:
    for name, form in members:
        if (listed := getattr(part, name)) is not None:
            setattr(part, name, [text for text in listed if form(text) is not None])
    for name, form in keys:
        if isinstance(found := getattr(part, name), dict):
            setattr(part, name, {kept: value for key, value in found.items() if (kept := form(key))})
    if isinstance(part, TorKeys) and isinstance(part.targets, dict):
        part.targets = {str(n): target for n, target in enumerate(part.targets.values())}
    for name in below:
        value = getattr(part, name)
        if isinstance(value, dict):
            value = [one for one in value.values() if one is not None]
        if value:
            _settle_each(value if isinstance(value, list) else (value,))


@cache
def _plan(kind: type[Struct]) -> tuple[_Forms, _Forms, tuple[_Forms, _Forms, list[str]] | None]:
    """What ``settle`` does with the fields of a structure: those of text, of any type, and what has parts below it."""
    hints = get_type_hints(kind)

    def of(table: dict[str, Form], is_wanted: Callable[[str], bool]) -> list[tuple[str, Form]]:
        return [(name, form) for name, form in table.items() if name in hints and is_wanted(name)]

    def holds(name: str, *kinds: object) -> bool:
        return any(one in kinds or get_origin(one) in kinds for one in _kinds(hints[name]))

    rest = (
        of(_MEMBERS, lambda name: holds(name, list)),
        of(_KEYS, lambda name: holds(name, dict)),
        [name for name in hints if _has_structures(hints[name])],
    )
    others = [*of(_ANY, lambda _: True), *of(_RAW, lambda _: True)]
    return of(_TEXTS, lambda name: holds(name, str)), others, rest if any(rest) else None


def _kinds(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) is Union or type(hint).__name__ == "UnionType" else (hint,)


def _has_structures(hint: Any) -> bool:
    if isinstance(hint, type) and issubclass(hint, Struct):
        return True
    return any(_has_structures(one) for one in get_args(hint))
