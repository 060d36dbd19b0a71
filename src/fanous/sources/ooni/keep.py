"""Keep: what of a record is stored where we decide it: the fields that rules read, by nettest, and no others.

The collector stores what strangers' probes send, so what it stores is a list of what to keep: an unforeseen field is
never written.  Of a page everything stays that a later rule could judge; of its headers, those that name somebody
lose their value; of a chain of certificates the leaf stays, unless it names a mail address.
"""

import re
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from fanous.errors import Rejected
from fanous.sources.marks import ANNOTATION, RECORDED
from fanous.sources.ooni import nettests
from fanous.sources.ooni.document import (
    Binary,
    Header,
    HealthKeys,
    StepKeys,
    TorKeys,
    TorTarget,
    TransferKeys,
    WebKeys,
)
from fanous.sources.ooni.values import bytes_of
from fanous.sources.redaction import pruned

_KEYS: dict[str, type[Struct]] = {
    "web_connectivity": WebKeys,
    "tor": TorKeys,
    "ndt": TransferKeys,
    "dash": TransferKeys,
    nettests.TEST_NAME: HealthKeys,
    **dict.fromkeys(nettests.PLATFORMS, StepKeys),
}

PERSONAL = re.compile(
    r"cookie|auth|session|token|user|client|account|mail|phone|forward|visitor|device|customer|(?:^|-)ip(?:-|$)"
)
"""Words in the names of headers, in lower case, whose value names somebody."""

NAMES_NOBODY = frozenset({"www-authenticate", "proxy-authenticate"})
"""Headers with such a word that ask for a name and give none."""


def fields_of(document: dict[str, Any]) -> dict[str, Any]:
    """The fields of a record that rules read; of a nettest without rules, the steps that all nettests share."""
    kept: dict[str, Any] = pruned(document, _wanted(Header))
    noted = document.get("annotations")
    if isinstance(noted, dict) and ANNOTATION in noted:
        kept["annotations"][ANNOTATION] = noted[ANNOTATION]
    if RECORDED in document:
        kept[RECORDED] = document[RECORDED]
    keys, found = _KEYS.get(str(document.get("test_name")), StepKeys), document.get("test_keys")
    if keys is TorKeys and isinstance(found, dict):
        kept["test_keys"] = {"targets": _tor_targets(found.get("targets"))}
    elif "test_keys" in document:
        kept["test_keys"] = pruned(found, _wanted(keys))
    return kept


def kept(data: bytes) -> dict[str, Any]:
    """A record of a probe as it is stored.

    Raises:
        Rejected: it is not a JSON object.
    """
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise Rejected("not a JSON object")
    fields = fields_of(document)
    for response in responses(fields.get("test_keys")):
        for name in ("headers", "headers_list"):
            if name in response:
                response[name] = _without_persons(response[name])
    for one in handshakes(fields.get("test_keys")):
        one["peer_certificates"] = leaf_only(one["peer_certificates"])
    return fields


def is_personal(name: str) -> bool:
    """Does the value of a header of this name name somebody?"""
    lower = name.lower()
    return lower not in NAMES_NOBODY and PERSONAL.search(lower) is not None


def _without_persons(headers: Any) -> Any:
    if isinstance(headers, dict):
        return {name: "" if is_personal(name) else value for name, value in headers.items()}
    if isinstance(headers, list):
        pairs = (pair for pair in headers if isinstance(pair, list) and len(pair) == 2)
        return [[name, "" if is_personal(str(name)) else value] for name, value in pairs]
    return None


@cache
def _wanted(kind: Any) -> Any:
    """The keys that a structure of ``document`` reads, as ``pruned`` takes them."""
    if get_origin(kind) is Union or type(kind).__name__ == "UnionType":
        kinds = [each for each in get_args(kind) if each is not type(None)]
        return _wanted(kinds[0]) if len(kinds) == 1 else None
    if get_origin(kind) is list:
        return [_wanted(get_args(kind)[0])]
    if get_origin(kind) is dict:
        return {"*": _wanted(get_args(kind)[1])}
    if not (isinstance(kind, type) and issubclass(kind, Struct)):
        return None
    hints = get_type_hints(kind)
    names = dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))
    return {name: _wanted(hints[field]) for field, name in names.items()}


def _tor_targets(targets: Any) -> Any:
    wanted = _wanted(TorTarget)
    return pruned(targets, [wanted] if isinstance(targets, list) else {"*": wanted})


_LEADING = ("requests", "response", "control", "http_request")


def responses(keys: Any) -> list[dict[str, Any]]:
    """All maps that hold a response; they are found by way of ``_LEADING`` and nowhere else."""
    if isinstance(keys, list):
        return [found for each in keys for found in responses(each)]
    if not isinstance(keys, dict):
        return []
    own = [keys] if keys.keys() & {"headers", "headers_list", "body"} else []
    below = [keys[name] for name in _LEADING if name in keys]
    targets = keys.get("targets")
    below += list(targets.values()) if isinstance(targets, dict) else [targets]
    return own + [found for each in below for found in responses(each)]


def handshakes(keys: Any) -> list[dict[str, Any]]:
    """All maps that hold a chain of certificates."""
    if isinstance(keys, list):
        return [found for each in keys for found in handshakes(each)]
    if not isinstance(keys, dict):
        return []
    own = [keys] if "peer_certificates" in keys else []
    below = [
        one for name, one in keys.items() if name != "peer_certificates" and isinstance(one, dict | list)
    ]
    return own + [found for each in below for found in handshakes(each)]


_MAIL_IN_DER = re.compile(
    rb"[A-Za-z0-9.+_\-]{2,64}+@[A-Za-z0-9\-]{2,63}+\.[A-Za-z]{2}|\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"
)
"""A mail address in a certificate, or the attribute that holds one (PKCS #9, 1.2.840.113549.1.9.1)."""


def leaf_only(chain: Any) -> Any:
    """The first certificate, which is all that is read; none if it names a mail address."""
    leaf = chain[:1] if isinstance(chain, list) else []
    text = leaf[0].get("data") if leaf and isinstance(leaf[0], dict) else leaf[0] if leaf else None
    raw = bytes_of(Binary(text)) if isinstance(text, str) else None
    return [] if raw is None or _MAIL_IN_DER.search(raw) else [{"data": text, "format": "base64"}]
