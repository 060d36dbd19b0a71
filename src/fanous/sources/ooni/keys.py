"""Keys: where a record names the client's address, found in one pass over its bytes.

Every record passes through here, so it has to be quick: hyperscan reads 5 GB/s; where it is not to be had
the same expression runs in ``re`` at 1 GB/s.
"""

import re
from functools import lru_cache
from importlib import import_module
from threading import Lock
from typing import Any

NAMES = (
    # written by probes and speed tests
    *("probe_ip", "client_ip", "clientip", "client_address", "clientaddress", "client_addr", "my_ip", "myip"),
    *("real_address", "internal_address", "local_address", "localaddress", "remaddress", "remote_addr"),
    *("remoteaddr", "remoteaddress", "user_ip", "public_ip", "client"),
    # told by servers in their headers
    *("x-forwarded-for", "forwarded", "x-client-ip", "x-clientip", "client-ip", "x-real-ip", "x-remote-ip"),
    *("x-remote-addr", "remote-addr", "x-your-address-is", "x-your-ip", "x-user-ip", "x-visitor-ip"),
    *("x-originating-ip", "x-cluster-client-ip", "x-client-addr", "x-source-ip", "x-ip", "x-peer-ip"),
    *("cf-connecting-ip", "true-client-ip", "fastly-client-ip", "x-azure-clientip", "x-appengine-user-ip"),
)
"""Keys and header names whose value is an address of the client, in lower case."""

_QUOTED = [b'"' + name.encode() + b'"' for name in NAMES]
_PATTERN = re.compile(b'"(?:' + b"|".join(re.escape(name.encode()) for name in NAMES) + b')"', re.IGNORECASE)
_lock = Lock()


def find_keys(data: bytes) -> list[tuple[bytes, int]]:
    """(name in lower case, offset behind its closing quote) of each, in order."""
    database = _database()
    if database is None:
        return [(match[0][1:-1].lower(), match.end()) for match in _PATTERN.finditer(data)]
    found: list[tuple[bytes, int]] = []

    def matched(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
        found.append((_QUOTED[number][1:-1], end))

    with _lock:  # its scratch space serves one scan at a time
        database.scan(data, match_event_handler=matched)
    return found


@lru_cache(maxsize=1)
def _database() -> Any:
    """One literal for each name (an alternation is slower); ``None`` where this processor has no wheel."""
    try:
        hyperscan = import_module("hyperscan")
    except ImportError:
        return None
    database = hyperscan.Database()
    flags = [hyperscan.HS_FLAG_CASELESS] * len(_QUOTED)
    database.compile(expressions=_QUOTED, ids=list(range(len(_QUOTED))), elements=len(_QUOTED), flags=flags)
    return database
