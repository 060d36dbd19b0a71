"""Planted: one measurement that holds everything that might name someone, in every place and spelling.

``secrets`` are what must not be found anywhere afterwards: each is a text that was planted, and its own line in the
test's answer.  The addresses are of the networks for documentation (RFC 5737, RFC 3849).
"""

import json
from base64 import b64decode, b64encode, urlsafe_b64encode
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Any

OWN = "198.51.100.7"
"""The probe's address, which it names itself."""

CAME_FROM = "203.0.113.77"
"""The address from which the request came."""

OWN_SIX = "2001:db8:0:1::abcd"
"""What a server calls the client."""

NUMBER = int.from_bytes(bytes(map(int, OWN.split("."))))
A, B, C, D = OWN.split(".")
SIX = IPv6Address(OWN_SIX)
NIBBLES = SIX.exploded.replace(":", "")


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _escaped(text: str) -> str:
    return "".join(f"%{ord(letter):02X}" for letter in text)


SPELLINGS: dict[str, str] = {
    "dotted": OWN,
    "with a port": f"{OWN}:4711",
    "in a URL": f"http://{OWN}:8080/",
    "in brackets": f"[{OWN}]",
    "in a sentence": f"Your address is {OWN}.",
    "in a list": f"10.0.0.1,{OWN},192.0.2.1",
    "in an error of Go": f"read tcp {OWN}:5678->192.0.2.1:443: connection reset by peer",
    "one decimal number": str(NUMBER),
    "one decimal number in a URL": f"http://{NUMBER}/",
    "hexadecimal": hex(NUMBER),
    "hexadecimal in capitals": f"0X{NUMBER:X}",
    "octal": f"0{NUMBER:o}",
    "four octal numbers": "0306.063.0144.07",
    "four hexadecimal numbers": "0xc6.0x33.0x64.0x07",
    "two numbers": f"http://{A}.{NUMBER & 0xFFFFFF}/",
    "three numbers": f"http://{A}.{B}.{NUMBER & 0xFFFF}/",
    "with zeros": "198.051.100.007",
    "twelve digits": "198051100007",
    "percent-encoded": _escaped(OWN),
    "percent-encoded dots": OWN.replace(".", "%2E"),
    "percent-encoded twice": OWN.replace(".", "%252E"),
    "after an encoded blank": f"ip%20{OWN}",
    "in entities of HTML": OWN.replace(".", "&#46;"),
    "in hexadecimal entities": OWN.replace(".", "&#x2e;"),
    "escaped in JavaScript": OWN.replace(".", "\\x2e"),
    "escaped in JSON in JSON": OWN.replace(".", "\\u002e"),
    "with dashes": f"{A}-{B}-{C}-{D}.dsl.example",
    "with dashes after a word": f"ip-{A}-{B}-{C}-{D}",
    "with dashes and zeros": "198-051-100-007.pool.example",
    "with dashes, last first": f"{D}-{C}-{B}-{A}.isp.example",
    "with underscores": f"host_{A}_{B}_{C}_{D}",
    "hexadecimal in a host": f"{NUMBER:08x}.isp.example",
    "reverse name": f"{D}.{C}.{B}.{A}.in-addr.arpa",
    "mapped": f"::ffff:{OWN}",
    "mapped in hexadecimal": "::ffff:c633:6407",
    "mapped in capitals": "::FFFF:C633:6407",
    "mapped in full": "0:0:0:0:0:ffff:c633:6407",
    "through NAT64": "64:ff9b::c633:6407",
    "6to4": "2002:c633:6407::1",
    "base64": _base64(f"you are {OWN}"),
    "base64, one further": _base64(f"you are  {OWN}!"),
    "base64, two further": _base64(f"you are   {OWN}, no?"),
    "base64 of a URL": urlsafe_b64encode(f"\u00fb\u00ff?ip={OWN}>>".encode()).decode(),
    "base64 without padding": _base64(f"a {OWN} b").rstrip("="),
    "base64 in a token": f"token={_base64(f'{OWN}|user')}; Path=/",
    "Forwarded": f'for="{OWN}:99";proto=https',
    "IPv6": OWN_SIX,
    "IPv6 with a port": f"[{OWN_SIX}]:443",
    "IPv6 in capitals": OWN_SIX.upper(),
    "IPv6 in full": SIX.exploded,
    "IPv6 without an ellipsis": "2001:db8:0:1:0:0:0:abcd",
    "IPv6 with numbers at its end": "2001:db8:0:1::0.0.171.205",
    "IPv6 with a zone": f"{OWN_SIX}%eth0",
    "IPv6 with a zone in a URL": f"http://[{OWN_SIX}%25eth0]/",
    "IPv6 reverse name": ".".join(reversed(NIBBLES)) + ".ip6.arpa",
    "IPv6 with dashes": "2001-db8-0-1--abcd.ipv6-literal.net",
    "IPv6 with dashes in full": SIX.exploded.replace(":", "-"),
    "IPv6 without colons": NIBBLES,
    "IPv6 in decimal": str(int(SIX)),
    "IPv6 percent-encoded": OWN_SIX.replace(":", "%3A"),
    "IPv6 in entities": OWN_SIX.replace(":", "&#58;"),
    "IPv6 in base64": _base64(f"me: {OWN_SIX}"),
    "IPv6 in Forwarded": f'for="[{OWN_SIX}]:4711"',
    "where the request came from": CAME_FROM,
    "where it came from, with dashes": CAME_FROM.replace(".", "-"),
}
"""By what they are."""

NAMED = {
    "a cookie": "session-cookie-7f3a",
    "a name in a title": "Parveen",
    "a mail address in a page": "parveen@mail.example",
    "an account in a page": "923001234567",
    "a token in Location": "tok3n9f8e7d6c5b4a3f2e1",
    "a name in Location": "parveen-k",
    "a password in a URL": "hunter22",
    "a request's authorization": "QmVhcmVyIHBhcnZlZW4",
    "a response's authorization": "Bearer-parveen-1",
    "a session header": "s3ss10n",
    "a user header": "u-5551",
    "a trace id": "tr4ce-99",
    "a value of the query": "abc-visitor-77",
    "a note of the app": "Parveen's phone",
    "a network of a note": "home of P.",
    "an unforeseen field": "unforeseen-1",
    "an unforeseen field of a step": "unforeseen-2",
    "an unforeseen header": "unforeseen-3",
    "a device": "device-of-parveen",
    "a resolver at home": "192.168.77.1",
}
"""What is no address."""


@dataclass(frozen=True, slots=True)
class Planted:
    """Attributes:
    document: the measurement.
    secrets: what may not be found again, by what it is.
    """

    document: dict[str, Any]
    secrets: dict[str, str]


def response(spellings: list[str], title: str) -> dict[str, Any]:
    page = (
        f"<html><title>{title}</title>{NAMED['a mail address in a page']} {NAMED['an account in a page']}<p>"
    )
    headers = [
        ["X-Client-IP", OWN_SIX],
        ["X-Forwarded-For", f"{OWN}, 192.0.2.9"],
        ["Set-Cookie", f"sid={NAMED['a cookie']}"],
        [
            "Location",
            f"https://{NAMED['a name in Location']}:{NAMED['a password in a URL']}@n.example/a?"
            f"visitor={NAMED['a value of the query']}&t={NAMED['a token in Location']}",
        ],
        ["Authorization", NAMED["a response's authorization"]],
        ["X-Session", NAMED["a session header"]],
        ["X-User", NAMED["a user header"]],
        ["X-Trace-Id", NAMED["a trace id"]],
        ["X-Whatever", NAMED["an unforeseen header"]],
        ["Server", "nginx"],
    ]
    return {
        "code": 200,
        "body": page + " ".join(spellings),
        "headers_list": headers + [["X-Seen", spelled] for spelled in spellings],
        "headers": dict(headers),
        "unforeseen": NAMED["an unforeseen field of a step"],
    }


def planted(document: dict[str, Any]) -> Planted:
    """``document``, a sound measurement of web_connectivity, with all of it in it."""
    spelled = list(SPELLINGS.values())
    wide = f"you are {OWN}".encode("utf-16-le")
    asked = {
        "url": f"https://n.example/?visitor={NAMED['a value of the query']}",
        "headers": {"Authorization": NAMED["a request's authorization"]},
    }
    keys = document["test_keys"] | {
        "requests": [
            {
                "request": asked,
                "failure": None,
                "response": response(spelled, f"Welcome to the example {NAMED['a name in a title']}"),
            },
            {
                "request": asked,
                "failure": None,
                "response": {"code": 200, "body": {"data": b64encode(wide).decode(), "format": "base64"}},
            },
            {
                "request": asked,
                "failure": None,
                "response": {
                    "code": 200,
                    "body": {
                        "data": b64encode(b"\xff" + " ".join(spelled).encode()).decode(),
                        "format": "base64",
                    },
                },
            },
        ],
        "control": {
            "http_request": {
                "title": "Welcome to the example",
                "status_code": 200,
                "body_length": 1500,
                "headers": {},
                "failure": None,
            }
        },
        "client_resolver": NAMED["a resolver at home"],
        "as_keys": {text: {"in": text} for text in spelled},
        "as_list": spelled,
        "as_number": NUMBER,
    }
    whole = document | {
        "probe_ip": OWN,
        "probe_id": NAMED["a device"],
        "annotations": {"network_type": NAMED["a network of a note"], "phone": NAMED["a note of the app"]},
        "unforeseen": NAMED["an unforeseen field"],
        "test_keys": keys,
    }
    return Planted(whole, {**SPELLINGS, **NAMED, "UTF-16 in base64": b64encode(wide).decode()})


def addresses_of(planted_: Planted) -> dict[str, str]:
    """Of the secrets, those that spell an address."""
    return {name: text for name, text in planted_.secrets.items() if name not in NAMED}


def with_bodies(data: bytes) -> bytes:
    """A stored record, and what its bodies in base64 say."""
    bodies = [one["response"]["body"] for one in json.loads(data)["test_keys"]["requests"]]
    return data + b"".join(b64decode(body["data"]) for body in bodies if isinstance(body, dict))


def left_in(data: bytes, secrets: dict[str, str]) -> list[str]:
    """What of the secrets is in ``data``, by name."""
    lower = data.lower()
    return [name for name, text in secrets.items() if text.lower().encode() in lower]
