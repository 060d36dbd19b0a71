"""Names: which of them a home or company network gives itself, so that nothing outside can confirm them.

Sources: RFC 6761 (``localhost``), RFC 6762 (``local``, and in appendix G what networks use besides), RFC 8375
(``home.arpa``), ICANN's reservation of ``internal`` (2024) and its promise never to delegate ``corp``,
``home`` and ``mail`` (2018); ``localdomain`` is what many systems put behind a bare name.
"""

from functools import lru_cache

_OWN_ENDINGS = (
    "localhost",
    "localdomain",
    "local",
    "home.arpa",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "mail",
)


@lru_cache(maxsize=65536)
def is_private_name(hostname: str) -> bool:
    """``nas.lan``, ``intranet``: a name that means another thing in each network.  An address is no name."""
    host = hostname.rstrip(".").lower()
    if not host or ":" in host:
        return False
    return "." not in host or any(host.endswith(f".{ending}") for ending in _OWN_ENDINGS)
