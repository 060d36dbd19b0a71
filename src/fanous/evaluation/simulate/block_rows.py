"""Block rows: what a measurement would have recorded if its network had blocked the target.

Written from OONI's data formats (df-002, df-005, df-006, df-007) and what its tables hold of blocked
measurements; knows nothing of rules or detectors.
"""

from collections.abc import Callable
from dataclasses import replace

from fanous.evaluation.simulate.quiet_rows import Measured, Row

TIMEOUT, RESET, GONE = "generic_timeout_error", "connection_reset", "dns_nxdomain_error"
BOGON = "10.11.12.13"

_OF_TLS = "tls_"
_OF_TCP = ("tcp_success", "tcp_failure")


def cut_addresses(row: Row) -> Row:
    """Packets to the target's addresses are dropped: no connection, so nothing after it either."""
    if _connects(row):
        return _without_tls(row) | {"tcp_success": "0.0", "tcp_failure": TIMEOUT}
    return _failed_request(row, TIMEOUT)


def reset_names(row: Row) -> Row:
    """Handshakes and requests that name the target are reset; connections are made, bare addresses answer."""
    if row["tls_handshake_time"] or row["tls_failure"]:
        return _without_tls(row) | {"tls_failure": RESET, "tls_success": "1"}
    named = row["http_request_url"] and any(c.isalpha() for c in _host(row))
    return _failed_request(row, RESET) if named else row


def deny_names(row: Row) -> Row | None:
    """The resolver says that there is no such name; ``None`` = the step is not taken then."""
    if row["dns_engine"]:
        gone = {"dns_failure": GONE, "dns_answer": "", "ip": "", "port": ""}
        return _without_tls(row) | dict.fromkeys(_OF_TCP, "") | gone
    if _connects(row) and row["hostname"] and any(c.isalpha() for c in row["hostname"]):
        return None
    named = row["http_request_url"] and any(c.isalpha() for c in _host(row))
    return _failed_request(row, GONE) if named else row


def forge_answers(row: Row) -> Row | None:
    """The resolver answers with an address inside private space, where nobody answers."""
    if row["dns_engine"] and ":" in row["dns_answer"]:
        return None
    if row["dns_engine"]:
        wrong = {"dns_answer": BOGON, "ip": BOGON, "ip_asn": "", "ip_as_org_name": ""}
        failed = {"tcp_success": "0.0", "tcp_failure": TIMEOUT} if _connects(row) else {}
        return _without_tls(row) | wrong | failed
    named = row["http_request_url"] and any(c.isalpha() for c in _host(row))
    return _failed_request(row, TIMEOUT) if named else row


TECHNIQUES: dict[str, Callable[[Row], Row | None]] = {
    "tcp.timeout": cut_addresses,
    "tls.reset": reset_names,
    "dns.nxdomain": deny_names,
    "dns.bogon": forge_answers,
}
"""Name of what is done to the traffic -> what becomes of a row."""


def blocked(one: Measured, technique: str) -> Measured:
    """The measurement as it would have been."""
    changed = TECHNIQUES[technique]
    return replace(one, rows=tuple(new for row in one.rows if (new := changed(row)) is not None))


def _connects(row: Row) -> bool:
    return any(row[name] for name in _OF_TCP)


def _host(row: Row) -> str:
    return row["http_request_url"].partition("://")[2].partition("/")[0].partition(":")[0]


def _without_tls(row: Row) -> Row:
    return {name: "" if name.startswith(_OF_TLS) else value for name, value in row.items()}


def _failed_request(row: Row, failure: str) -> Row:
    if not row["http_request_url"]:
        return row
    return row | {"http_failure": failure, "http_runtime": ""}
