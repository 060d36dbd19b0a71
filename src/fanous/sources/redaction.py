"""Redaction: what the redactors of all sources share - whole minutes, and digests in place of identifiers.

A redacted record is a record of the same source with less in it, so the same reader parses it.
"""

import re
from hashlib import sha256
from typing import Any

from fanous.model.instant import MINUTE, to_iso

DIGITS = 32
"""Hex digits of a digest: 128 bits, so that no two identifiers of any store collide."""

_CLOCK = re.compile(r"(?<![0-9a-fA-F:])([0-2]\d:[0-5]\d):[0-5]\d(?:\.\d+)?")


def to_minute(instant: float) -> str:
    """The minute that contains ``instant``, as RFC 3339."""
    return to_iso(instant // MINUTE * MINUTE)


def digest(identifier: str) -> str:
    """A digest to replace an identifier that contains a time to the second (``measurement_uid``, ``report_id``).

    Anyone with the original record can compute it and find the record again; the reverse is impossible.
    """
    return sha256(b"fanous evidence\0" + identifier.encode("utf-8", "replace")).hexdigest()[:DIGITS]


def without_seconds(text: str) -> str:
    """Clock times in a text to the minute, at the same length: ``15:04:05`` -> ``15:04:00``."""
    return _CLOCK.sub(lambda found: found[1] + re.sub(r"\d", "0", found[0][len(found[1]) :]), text)


HIDDEN = "*"
"""Replaces one letter of what might identify a person."""

LEAST_MIXED = 8
"""Fewest letters and digits in a value that may be an identifier; values in block pages' URLs are shorter, or not
mixed.
"""

AT_SIGNS = ("@", "%40", "&#64;", "&#x40;", "&commat;", "[at]", "(at)", " @ ")
"""How the middle of a mail address is written."""

_MAIL = re.compile(
    rf"[\w.+\-]{{1,64}}+(?:{'|'.join(map(re.escape, AT_SIGNS))})[\w\-]{{1,63}}+(?:\.[\w\-]{{1,63}}+){{1,4}}+"
)
_DEVICES = (
    (
        2,
        re.compile(
            r"[:\-](?:[0-9A-Fa-f]{2}[:\-]){4}(?<![\w:\-].{15})(?<=[0-9A-Fa-f]{2}.{13})[0-9A-Fa-f]{2}(?![\w:\-])"
        ),
    ),
    (4, re.compile(r"\.[0-9A-Fa-f]{4}\.(?<!\w.{10})(?<=[0-9A-Fa-f]{4}.{6})[0-9A-Fa-f]{4}(?!\w)")),
)
"""The number of a network card (MAC), from the first mark in it, which is rarer than a letter that it may begin with;
and how many letters stand before that mark."""

_DEVICE_SEEDS = tuple(
    re.compile(mark + rf"[0-9A-Fa-f]{{{n}}}" + mark) for mark, n in ((":", 2), ("-", 2), (r"\.", 4))
)
"""What each has in its middle, which is quicker to look for."""

_TOKEN = re.compile(r"[A-Za-z0-9_\-]{16,}+=*+")
_NUMBER = re.compile(r"\+?+\d(?:[ ()\-]?+\d){6,30}+")
"""Seven digits or more, of any script, as of accounts and telephones."""


def without_names(text: str) -> str:
    """``text`` without mail addresses, long numbers and tokens, at the same length.

    It cannot know which other words identify a person, so it only supplements an allow-list, for text that must be
    kept.
    """
    text = without_devices(without_mail(text))
    text = _TOKEN.sub(lambda found: _hidden(found) if is_token(found[0]) else found[0], text)
    return _NUMBER.sub(_hidden, text)


def without_mail(text: str) -> str:
    """``text`` without mail addresses, at the same length."""
    return _MAIL.sub(_hidden, text)


def without_devices(text: str) -> str:
    """``text`` without the numbers of network cards, which captive portals show, at the same length."""
    by_colon, by_hyphen, by_dot = _DEVICE_SEEDS
    if not (by_colon.search(text) or by_hyphen.search(text) or by_dot.search(text)):
        return text
    for before, number in _DEVICES:
        parts, at, mark = [], 0, number.search(text)
        while mark:
            start, end = mark.start() - before, mark.end()
            if start < at:  # its first letters are the last of the one before
                end = mark.start() + 1
            else:
                parts += [text[at:start], _hide(text[start:end])]
                at = end
            mark = number.search(text, end)
        text = "".join([*parts, text[at:]])
    return text


def _quiet_value(value: str) -> str:
    mixed = len(value) >= LEAST_MIXED and is_token(value)
    return _hide(value) if mixed else without_names(value)


def _hide(text: str) -> str:
    return HIDDEN * len(text)


def _hidden(found: re.Match[str]) -> str:
    return _hide(found[0])


def is_token(text: str) -> bool:
    """Does it mix letters and digits, as no word does?"""
    return _DIGIT.search(text) is not None and _LETTER.search(text) is not None


LONGEST_PART = 8192
"""Characters of the host, path or query of a URL, as many as the facts keep of the whole: a megabyte would take a
second."""

LONGEST_SCHEME = 64
"""Most characters before the host, including ``5; url=https:`` of a Refresh header; longer text is not a scheme."""


def quiet_url(url: str, keeps_values: bool = False) -> str:
    """A URL without user, password and fragment, without tokens in its path, and without the values of its query.

    Of host, path and query ``LONGEST_PART`` characters each are kept.

    Args:
        keeps_values: keep values of the query that identify no one: they identify a redirect to a block page.
    """
    scheme, slashes, rest = url.partition("//")
    if not slashes or len(scheme) > LONGEST_SCHEME:
        scheme, slashes, rest = "", "", "/" + url
    host, slash, path = rest.partition("/")
    slash = slash if slashes else ""
    path, question, query = path.partition("#")[0].partition("?")
    if "?" in host:  # http://example.org?next=1
        host, question, query = host.partition("?")
    host, path, query = host[-LONGEST_PART:], path[:LONGEST_PART], query[:LONGEST_PART]
    path = _PARAMETER.sub(lambda found: found[1] + HIDDEN * len(found[2]), without_names(path))
    values = _quiet_value if keeps_values else _hide
    pairs = (one.partition("=") for one in query.split("&"))
    query = "&".join(without_names(name) + equals + values(value) for name, equals, value in pairs)
    return scheme + slashes + host.rpartition("@")[2] + slash + path + question + query


_DIGIT, _LETTER = re.compile(r"\d"), re.compile(r"[^\W\d_]")

_PARAMETER = re.compile(r"(;[\w\-]{1,40}+=)([^;/]{0,2000}+)")


def pruned(value: Any, wanted: Any) -> Any:
    """``value`` with only what ``wanted`` names.

    Args:
        wanted: ``None`` = all of it; a map = these keys; a list of one = the same of each element; ``{"*": ...}`` =
            the same of every key.  If the value has another form, it is not kept at all.
    """
    if wanted is None:
        return value
    if isinstance(wanted, list):
        return [pruned(each, wanted[0]) for each in value] if isinstance(value, list) else None
    if not isinstance(value, dict):
        return None
    if "*" in wanted:
        return {key: pruned(each, wanted["*"]) for key, each in value.items()}
    return {key: pruned(value[key], wanted[key]) for key in wanted if key in value}
