"""Planted: one measurement that holds everything that might name someone, in every place and spelling.

``secrets`` are what must not be found anywhere afterwards: each is a text that was planted, and its own line in the
test's answer.  The addresses are of the networks for documentation (RFC 5737, RFC 3849).
"""

import json
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import quote

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


PERSIAN, ARABIC, BURMESE, WIDE, BOLD = (
    {ord(str(n)): chr(zero + n) for n in range(10)} for zero in (0x6F0, 0x660, 0x1040, 0xFF10, 0x1D7CE)
)
"""Digits of other scripts."""


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
    "in Persian digits": OWN.translate(PERSIAN),
    "in Arabic digits, percent-encoded": quote(OWN.translate(ARABIC)),
    "in Burmese digits": OWN.translate(BURMESE),
    "in full-width digits": OWN.translate(WIDE),
    "in digits of mathematics": OWN.translate(BOLD),
    "in Persian digits, last first": ".".join((D, C, B, A)).translate(PERSIAN) + ".in-addr.arpa",
    "between ideographic stops": "\u3002".join((A, B, C, D)),
    "between full-width stops": "\uff0e".join((A, B, C, D)),
    "between middle dots": "\u00b7".join((A, B, C, D)),
    "between dashes of text": "\u2013".join((A, B, C, D)),
    "with marks of width zero": "\u200b.".join((A, B, C, D)),
    "with soft hyphens": ".\u00ad".join((A, B, C, D)),
    "with marks of direction": "\u200f.\u200f".join((A, B, C, D)),
    "between blanks": " ".join((A, B, C, D)),
    "with blanks at its dots": " . ".join((A, B, C, D)),
    "between line breaks": ".\n".join((A, B, C, D)),
    "between null bytes": ".\0".join((A, B, C, D)),
    "defanged": "[.]".join((A, B, C, D)),
    "defanged in words": "[dot]".join((A, B, C, D)),
    "between commas": ", ".join((A, B, C, D)),
    "between colons": ":".join((A, B, C, D)),
    "between slashes": "/".join((A, B, C, D)),
    "with a port as tcpdump writes it": f"IP {OWN}.4711 > 192.0.2.1.443:",
    "at the end of an identifier": f"1.3.6.1.2.1.4.20.1.1.{OWN}",
    "after a version": f"v1.{OWN}",
    "reverse name of a part of a network": f"{D}.0-127.{C}.{B}.{A}.in-addr.arpa",
    "reverse name with a slash": f"{D}.0/25.{C}.{B}.{A}.in-addr.arpa",
    "twelve digits, last first": "007100051198.isp.example",
    "before its network": f"host-{D}.{A}-{B}-{C}.isp.example",
    "between letters": "x".join((A, B, C, D)) + ".isp.example",
    "in double underscores": "__".join((A, B, C, D)),
    "between tags": f"<b>{A}</b>.<b>{B}</b>.<b>{C}</b>.<b>{D}</b>",
    "with comments": ".<!-- -->".join((A, B, C, D)),
    "in entities without an end": OWN.replace(".", "&#46"),
    "in long entities": OWN.replace(".", "&#x002E;"),
    "quoted-printable": OWN.replace(".", "=2E"),
    "escaped in JavaScript, in braces": OWN.replace(".", "\\u{2e}"),
    "escaped in octal": OWN.replace(".", "\\056"),
    "escaped in CSS": OWN.replace(".", "\\2e "),
    "escaped as by IIS": OWN.replace(".", "%u002e"),
    "overlong": OWN.replace(".", "%C0%AE"),
    "percent-encoded four times": OWN.replace(".", "%2525252E"),
    "numbers of many kinds": f"0{int(A):o}.0x{int(B):X}.{C}.00{D}",
    "two numbers without a URL": f"{A}.{NUMBER & 0xFFFFFF}",
    "three numbers without a URL": f"{A}.{B}.{NUMBER & 0xFFFF}",
    "negative": str(NUMBER - 2**32),
    "last byte first": str(int.from_bytes(NUMBER.to_bytes(4), "little")),
    "with commas at thousands": f"{NUMBER:,}",
    "as a fraction": f"{NUMBER}.0",
    "as bytes": NUMBER.to_bytes(4).hex(" "),
    "as bytes with colons": NUMBER.to_bytes(4).hex(":").upper(),
    "as bytes of C": "".join(f"\\x{byte:02x}" for byte in NUMBER.to_bytes(4)),
    "as bytes in a URL": "".join(f"%{byte:02X}" for byte in NUMBER.to_bytes(4)),
    "as bytes in a host": NUMBER.to_bytes(4).hex("-") + ".isp.example",
    "hexadecimal among letters": f"dyn{NUMBER:08x}lan",
    "bytes in base64": b64encode(NUMBER.to_bytes(4)).decode(),
    "in binary": ".".join(f"{byte:08b}" for byte in NUMBER.to_bytes(4)),
    "its letters in hexadecimal": OWN.encode().hex(),
    "its letters as numbers": ",".join(str(ord(letter)) for letter in OWN),
    "backwards": OWN[::-1],
    "its letters in hexadecimal with blanks": OWN.encode().hex(" "),
    "its letters as C has them": ",".join(f"0x{one:02x}" for one in OWN.encode()),
    "quoted-printable in full": "".join(f"={one:02X}" for one in OWN.encode()),
    "binary with its sign": f"{NUMBER:#b}",
    "octal with its sign": f"{NUMBER:#o}",
    "a number with underscores": f"{NUMBER:_}",
    "raised digits": OWN.translate({48 + n: ord(one) for n, one in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}),
    "lowered digits": OWN.translate({48 + n: 0x2080 + n for n in range(10)}),
    "digits in circles": OWN.translate({48: 0x24EA} | {48 + n: 0x245F + n for n in range(1, 10)}),
    "digits in brackets": OWN.translate({48 + n: 0x2473 + n for n in range(1, 10)}),
    "digits in black circles": OWN.translate({48: 0x24FF} | {48 + n: 0x2775 + n for n in range(1, 10)}),
    "digits as keys": "".join(f"{one}\ufe0f\u20e3" if one.isdigit() else one for one in OWN),
    "soft hyphens between its digits": "\xad".join(OWN),
    "nothing visible between its digits": "\u200b".join(OWN),
    "marks over its digits": "\u0301".join(OWN),
    "in a token of JSON": _base64('{"a":1}') + "." + _base64(json.dumps({"sub": "1", "ip": OWN})).rstrip("="),
    "through NAT64 of an operator": "2a00:1098:2c:1::c633:6407",
    "through NAT64 with a prefix of 48 bits": "64:ff9b:1:c633:64:700::",
    "of Teredo": "2001:0:4136:e378:8000:63bf:39cc:9bf8",
    "IPv6 of the same home": "2001:db8:0:1:dead:beef:1:2",
    "IPv6 in full-width colons": OWN_SIX.replace(":", "\uff1a"),
    "IPv6 with underscores": OWN_SIX.replace(":", "_"),
    "IPv6 in pairs": SIX.packed.hex(":"),
    "IPv6 in bytes": SIX.packed.hex(" "),
    "IPv6 in groups between dots": SIX.exploded.replace(":", "."),
    "IPv6 with marks of width zero": OWN_SIX.replace(":", ":\u200b"),
    "IPv6 with x": OWN_SIX.replace(":", "x"),
    "IPv6 in Persian digits": OWN_SIX.translate(PERSIAN),
    "IPv6 bytes in base64": b64encode(SIX.packed).decode(),
    "IPv6 letters in hexadecimal": OWN_SIX.encode().hex(),
    "in entities without an end in full": "".join(f"&#{ord(one)}" for one in OWN),
    "escaped as by IIS in full": "".join(f"%u{ord(one):04x}" for one in OWN),
    "in UTF-16 read as bytes": "\0".join(OWN),
    "in UTF-16 in a URL": "".join(f"%00{one}" for one in OWN),
    "letter by letter": " ".join(OWN),
    "letter by letter with hard blanks": "\u00a0".join(OWN),
    "letter by letter in lines": "\n".join(OWN),
    "digit by digit with dashes": "-".join(OWN.replace(".", "")),
    "digit by digit in tags": "".join(f"<span>{one}</span>" for one in OWN),
    "with a comment within a number": f"1<!--x-->{OWN[1:]}",
    "between tags with numbers": ".".join(
        f'<i class="x{n}">{one}</i>' for n, one in enumerate((A, B, C, D), 1)
    ),
    "with what cannot be seen, in entities": ".&#8203;".join((A, B, C, D)),
    "with what cannot be seen, percent-encoded": ".%E2%80%8B".join((A, B, C, D)),
    "joined by graphemes": "\u034f".join(OWN),
    "with fillers": "\u3164".join(OWN),
    "with blanks of Braille": "\u2800".join(OWN),
    "in tags of Unicode": "".join(chr(0xE0000 + ord(one)) for one in OWN),
    "in powers of ten": f"{NUMBER / 1e9:.9f}e9",
    "with points at thousands": f"{NUMBER:,}".replace(",", "."),
    "with apostrophes at thousands": f"{NUMBER:,}".replace(",", "'"),
    "with blanks at thousands": f"{NUMBER:,}".replace(",", " "),
    "with narrow blanks at thousands": f"{NUMBER:,}".replace(",", "\u202f"),
    "hexadecimal, last byte first": NUMBER.to_bytes(4, "little").hex(),
    "four octal numbers with their signs": ".".join(f"0o{byte:o}" for byte in NUMBER.to_bytes(4)),
    "its letters in hexadecimal with a sign": f"0x{OWN.encode().hex()}",
    "its letters in UTF-16 in hexadecimal": OWN.encode("utf-16-be").hex(),
    "its letters in octal": " ".join(f"{one:o}" for one in OWN.encode()),
    "its letters in binary": " ".join(f"{one:08b}" for one in OWN.encode()),
    "UTF-16 in base64 in a text": b64encode(f"you: {OWN}".encode("utf-16")).decode(),
    "UTF-16 in base64, last byte first": b64encode(f"a {OWN}".encode("utf-16-be")).decode(),
    "Persian digits in base64": _base64(f"ip {OWN.translate(PERSIAN)}"),
    "reverse name of the mapped": ".".join(reversed("0" * 20 + f"ffff{NUMBER:08x}")) + ".ip6.arpa",
    "reverse name through NAT64": ".".join(reversed("0064ff9b" + "0" * 16 + f"{NUMBER:08x}")) + ".ip6.arpa",
    "reverse name of 6to4": ".".join(reversed(f"2002{NUMBER:08x}" + "0" * 19 + "1")) + ".ip6.arpa",
    "IPv6 reverse name of its home": ".".join(reversed(NIBBLES[:16])) + ".ip6.arpa",
    "IPv6 in lines": OWN_SIX.replace(":", ":\n", 2),
    "IPv6 in full-width letters": "".join(chr(0xFEE0 + ord(one)) for one in OWN_SIX),
    "IPv6 between tags": ":".join(f"<b>{group}</b>" if group else "" for group in OWN_SIX.split(":")),
    "IPv6 backwards": OWN_SIX[::-1],
    "IPv6 in bytes, the last first": SIX.packed[::-1].hex(),
    "IPv6 last first with dashes": "-".join(reversed(NIBBLES)),
    "IPv6 with commas at thousands": f"{int(SIX):,}",
    "IPv6 letter by letter": " ".join(OWN_SIX),
    "IPv6 with nothing visible between its letters": "\u200b".join(OWN_SIX),
    "IPv6 in decimal groups": ".".join(str(int(group, 16)) for group in SIX.exploded.split(":")),
    "IPv6 in binary": f"{int(SIX):0128b}",
    "IPv6 in octal": f"{int(SIX):o}",
    "IPv6 bytes within others in base64": b64encode(b"xx" + SIX.packed + b"yy").decode(),
    "IPv6 letters in hexadecimal with colons": OWN_SIX.encode().hex(":"),
    "IPv6 letters as numbers": ",".join(str(one) for one in OWN_SIX.encode()),
    "mapped, without colons": f"{0xFFFF << 32 | NUMBER:032x}",
    "octal without a sign": f"{NUMBER:o}",
    "bytes as Go writes them": ", ".join(f"0x{byte:x}" for byte in NUMBER.to_bytes(4)),
    "in entities escaped three times": OWN.replace(".", "&amp;amp;#46;"),
    "joined by entities": "&zwnj;".join(OWN),
    "with soft hyphens in entities": "&shy;".join(OWN),
    "in full-width letters, percent-encoded": quote("\uff0e".join((A, B, C, D)).translate(WIDE)),
    "IPv6 in bytes as SNMP has them": ".".join(map(str, SIX.packed)),
    "IPv6 with dashes, last group first": "-".join(reversed(SIX.exploded.split(":"))),
    "where the request came from": CAME_FROM,
    "where it came from, with dashes": CAME_FROM.replace(".", "-"),
}
"""By what they are."""

NAMED = {
    "a cookie": "session-cookie-7f3a",
    "a name in a title": "Parveen",
    "a mail address in a page": "parveen@mail.example",
    "an account in a page": "923001234567",
    "a mail address, disguised": "parveen.k&#64;mail.example",
    "a telephone in Persian digits": "+92 300 765 4321".translate(PERSIAN),
    "a network card": "d4:6e:0e:1f:a2:9b",
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


KINDS = {
    "a UUID": "550e8400-e29b-41d4-a716-446655440000",
    "a JWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwYXJ2ZWVuIn0.c2lnbmF0dXJl",
    "a bearer token": "Bearer ya29.a0AfH6SMBx7",
    "an IBAN": "PK36SCBL0000001123456702",
    "an IBAN in groups": "PK36 SCBL 0000 0011 2345 6702",
    "a mail address in Arabic": "پروین@مثال.پاکستان",
    "an IMEI": "49-015420-323751-8",
    "an IMSI": "410011234567890",
    "a network card in dots": "d46e.0e1f.a29b",
    "a network card": "D4-6E-0E-1F-A2-9C",
    "a national id": "35202-1234567-1",
    "coordinates": "24.8607, 67.0011",
    "coordinates in degrees": "24\u00b051'38\"N 67\u00b000'04\"E",
    "a telephone with dots": "0300.765.43.21",
    "a telephone in Persian digits, with dots": "0300.765.43.21".translate(PERSIAN),
    "a cookie": "PHPSESSID=q2w3e4r5t6y7",
    "a session": "jsessionid=AB12CD34EF",
    "a path": "/home/ali/.ssh/id_rsa",
    "a path of Windows": "C:\\Users\\Ali\\Desktop",
    "a machine": "ali-laptop",
    "a machine's full name": "ali-laptop.local",
    "a Wi-Fi": "Home of Ali",
    "a name": "Parveen",
}
"""What else names someone, by what it is."""


FREE = (
    *("title", "body", "header", "name of a header", "Location", "path", "query", "Server", "Via", "realm"),
    *("failure", "HTTP failure", "TCP failure", "TLS failure", "DNS failure", "event failure"),
    *("control failure", "helper's failure"),
    *("software", "version", "test version", "network name", "annotation", "kind of line", "mark", "clock"),
    *("recorded", "collector", "test helpers", "country", "network", "time"),
    *("query type", "engine", "answer", "answer 6", "address", "operation", "transport", "event address"),
    *("helper's endpoint", "helper's address", "helper's network", "helper's header", "role", "opinion"),
)
"""The places in which ``spread`` puts a text."""


OF_PAGES = frozenset(
    ("title", "body", "header", "name of a header", "Location", "path", "query", "Server", "Via", "realm")
)
"""Of these places, those in a page as it came, whose words are stored if it is not the helper's."""


def spread(document: dict[str, Any], text: str, places: Collection[str] = FREE) -> dict[str, Any]:
    """A sound measurement of web_connectivity whose page differs from the helper's, with a text in all of its free
    texts."""

    def here(place: str, value: str = "", ordinary: Any = None) -> Any:
        assert place in FREE, place
        return (value or text) if place in places else ordinary

    page = f"<html><title>{here('title', f'Login of {text} here', 'Login')}</title> Dear {here('body', '', '')}! "
    step = {"t0": 0.1, "t": 0.2}
    url = f"https://n.example/{here('path', '', '')}?{here('query', f'a={text}&{text}', '')}"
    own: dict[str, Any] = {
        "requests": [
            {
                "request": {"url": url},
                "failure": here("HTTP failure"),
                "response": {
                    "code": 200,
                    "body": page,
                    "headers_list": [
                        ["X-Whatever", here("header", "", "")],
                        [here("name of a header", "", "X-Own"), "1"],
                        ["Location", f"https://n.example/{here('Location', '', '')}"],
                        ["Server", here("Server", "", "nginx")],
                        ["Via", here("Via", "", "")],
                        ["WWW-Authenticate", here("realm", f'Basic realm="{text}"', "")],
                    ],
                },
            }
        ],
        "queries": [
            step
            | {
                "hostname": "n.example",
                "query_type": here("query type", "", "A"),
                "engine": here("engine", "", "system"),
                "failure": here("DNS failure"),
                "answers": [{"ipv4": here("answer", "", "1.1.1.1"), "ipv6": here("answer 6")}],
            }
        ],
        "tcp_connect": [step | {"ip": "1.1.1.1", "port": 443, "status": {"failure": here("TCP failure")}}],
        "tls_handshakes": [
            step
            | {
                "address": here("address", "", "1.1.1.1:443"),
                "network": here("transport", "", "tcp"),
                "failure": here("TLS failure"),
                "server_name": "n.example",
            }
        ],
        "network_events": [
            {
                "operation": here("operation", "", "read"),
                "address": here("event address"),
                "failure": here("event failure"),
            }
        ],
        "control_failure": here("control failure"),
        "control": {
            "http_request": {
                "title": "Welcome",
                "status_code": 200,
                "body_length": 27000,
                "failure": here("helper's failure"),
                "headers": {"X-Theirs": here("helper's header", "", "1")},
            },
            "tcp_connect": {here("helper's endpoint", "", "1.1.1.1:443"): {"status": True}},
            "dns": {"addrs": [here("helper's address", "", "1.1.1.1")]},
            "ip_info": {here("helper's network", "", "1.1.1.1"): {"asn": 13335}},
        },
        "x_transfers": [{"url": "https://n.example/", "role": here("role", "", "target")}],
        "x_second_opinions": [{"address": "1.1.1.1:443", "answer": here("opinion", "", "alert")}],
        "failure": here("failure"),
    }
    return document | {
        "software_name": here("software", "", "ooniprobe-android"),
        "software_version": here("version", "", "3.20.1"),
        "test_version": here("test version", "", "0.4.3"),
        "probe_network_name": here("network name"),
        "annotations": {
            "phone": here("annotation"),
            "network_type": here("kind of line", "", "wifi"),
            **({"synthetic": text} if "mark" in places else {}),
            **({"x_clock": text} if "clock" in places else {}),
        },
        **({"x_recorded": {"by": text}} if "recorded" in places else {}),
        "x_collector": {
            "received": here("collector"),
            text: text,
            "claimed": {"probe_cc": here("collector")},
        },
        "test_helpers": {"backend": here("test helpers")},
        "resolver_asn": here("network", "", "AS1"),
        "test_start_time": here("time", "", "2023-12-17 14:30:00"),
        "x_country": here("country"),
        "test_keys": document["test_keys"] | own,
    }


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
        f"<html><title>{title}</title>{NAMED['a mail address in a page']} {NAMED['an account in a page']} "
        f"{NAMED['a mail address, disguised']} {NAMED['a telephone in Persian digits']} {NAMED['a network card']}<p>"
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
                "body_length": 4000,
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
    return [name for name, text in secrets.items() if any(form in lower for form in _forms(text.lower()))]


@cache
def _forms(text: str) -> set[bytes]:
    """Itself, and as JSON writes it."""
    written = (json.dumps(text, ensure_ascii=is_ascii)[1:-1] for is_ascii in (False, True))
    return {text.encode(), *(form.encode() for form in written)}
