"""Authorities: what rules need to know of a certificate, so that nothing else of one is kept.

A certificate of a machine on the user's line names machines and people, and search engines list its key with the
address of its owner.  Rules ask only who issued it, of those known here, and whether it is for the host.
"""

from collections.abc import Iterable

PUBLIC_AUTHORITIES = (
    "amazon",
    "certum",
    "comodo",
    "digicert",
    "entrust",
    "geotrust",
    "globalsign",
    "go daddy",
    "google trust",
    "gts ca",
    "isrg root",
    "let's encrypt",
    "rapidssl",
    "sectigo",
    "ssl.com",
    "starfield",
    "thawte",
    "usertrust",
    "wr1",
    "zerossl",
)
"""Words in the names of authorities that browsers trust (CA/Browser Forum members, CCADB)."""

HOME_PROXIES = (
    "adguard",
    "avast",
    "avg web",
    "bitdefender",
    "dr.web",
    "eset ssl filter",
    "kaspersky",
    "spider gate",
)
"""Words in the names of authorities that antivirus programs and ad blockers install on a user's machine to inspect its
connections, as their makers document.
"""

INTERCEPTORS = ("qaznet", "information security certification authority")
"""Words in the names of authorities by which a state had its users' connections opened: Kazakhstan's of 2019 and of
December 2020, as Censored Planet and browsers' makers documented."""

SIGNAL = "signal messenger"
"""The authority that Signal moved to in 2022; its certificates are not in public stores."""

SELF_SIGNED = "self-signed"
"""The issuer has the name of the one to whom it was issued."""

OTHER = "other"
"""An issuer that is not known here."""


def is_public(issuer: str) -> bool:
    """Is it an authority that browsers trust?"""
    return any(word in issuer.casefold() for word in PUBLIC_AUTHORITIES)


def is_home_proxy(issuer: str) -> bool:
    """Is it a program that inspects the connections of the machine on which it runs?"""
    return any(word in issuer.casefold() for word in HOME_PROXIES)


def known_issuer(issuer: str, names: Iterable[str] = ()) -> str:
    """Of an issuer's name the words by which rules know it; ``OTHER`` = none, empty = there is no name.

    Args:
        names: for which the certificate is.
    """
    text = issuer.casefold()
    if issuer in " ".join(names).split():
        text += f" {SELF_SIGNED}"
    words = [
        word
        for word in (*PUBLIC_AUTHORITIES, *HOME_PROXIES, *INTERCEPTORS, SIGNAL, SELF_SIGNED)
        if word in text
    ]
    return ", ".join(words) or (OTHER if issuer else "")


def names_for(hosts: Iterable[str], names: Iterable[str]) -> list[str]:
    """Of the names in a certificate, in lower case, those that are for one of the hosts: its own, and any of its
    domain's."""
    wanted = {name for host in hosts for name in (host.casefold(), "*." + host.casefold().partition(".")[2])}
    return [name for name in dict.fromkeys(map(str.casefold, names)) if name in wanted]
