"""Sown: identifiers of one person, in every field of every nettest, by a walk of the structures that are read.

``planted`` knows places in which someone was named before; here a field that is added tomorrow is sown too.
"""

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import CertificateBuilder, DNSName, Name, NameAttribute, SubjectAlternativeName
from cryptography.x509.oid import NameOID
from msgspec import Struct

from fanous.sources.ooni.document import CollectorNote, Document, Response
from fanous.sources.ooni.parse import NETTESTS

HOST = "news.example.org"
"""What is measured, which is public."""

TEXTS = {
    "a name": "Parveen Khan",
    "a name in Urdu": "پروین خان",
    "a name in Persian": "زهرا محمدی",
    "a name in Burmese": "ဒေါ်အောင်",
    "a name in Cyrillic": "Светлана Петрова",
    "a name in Amharic": "አበበ በቀለ",
    "a street": "12 Mall Road, Lahore",
    "a hotel's guest": "guest of room 412",
    "a voucher": "Voucher KQ7-PL2-X9",
    "a machine": "AYESHA-LAPTOP",
    "a machine on macOS": "Ayeshas-MacBook-Pro",
    "a telephone's name": "Galaxy S21 von Ayesha",
    "a Wi-Fi": "Khan Family 5GHz",
    "a Wi-Fi's station": "d4:6e:0e:1f:a2:9b",
    "a network card in dots": "d46e.0e1f.a29b",
    "a serial number": "FGT60FTK20012345",
    "an employer": "Nayapay Finance Karachi Branch 7",
    "a school": "Kinnaird College Hostel B",
    "a clinic": "Shaukat Khanum Ward 3",
    "a mail address": "parveen.k@mail.example",
    "a mail address in words": "parveen dot k at mail dot example",
    "a telephone": "+92 300 7654321",
    "a telephone in words": "zero three double-oh seven six five",
    "a telephone with dots": "0300.765.43.21",
    "an account": "acct#PK-88123-XY",
    "an IBAN": "PK36SCBL0000001123456702",
    "a national id": "35202-1234567-1",
    "a passport": "AB1234567<<KHAN",
    "a number plate": "LEB-18-4417",
    "an IMEI": "49-015420-323751-8",
    "an IMSI": "410011234567890",
    "an ICCID": "8992300123456789012F",
    "coordinates": "24.8607, 67.0011",
    "a plus code": "8J3P6JX4+2G",
    "a what3words address": "///filled.count.soap",
    "a birthday": "1987-03-14T04:05:06Z",
    "a UUID": "550e8400-e29b-41d4-a716-446655440000",
    "an advertising id": "38400000-8cf0-11bd-b23e-10b96e40000d",
    "a JWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwYXJ2ZWVuIn0.c2lnbmF0dXJl",
    "a bearer token": "Bearer ya29.a0AfH6SMBx7",
    "a session": "jsessionid=AB12CD34EF",
    "a basic login": "Basic cGFydmVlbjpodW50ZXIyMg==",
    "an SSH key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKhan",
    "a WireGuard key": "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=",
    "a PGP fingerprint": "7A6F 3C1B 9D2E 4F50 8A71",
    "an onion address": "khanfamily2gzytrhqmaw.onion",
    "a bridge": "obfs4 198.51.100.7:443 7A6F3C1B cert=qq9ZZ0Lw",
    "a bitcoin address": "bc1qkhanw508d6qejxtdg4y5r3zarvary0c5xw7k",
    "a path": "/home/ayesha/Documents",
    "a path of Windows": "C:\\Users\\Ayesha\\Desktop",
    "a share": "\\\\KHAN-NAS\\photos",
    "a printer": "HP LaserJet of Ayesha (room 3)",
    "a Bluetooth name": "Ayesha's AirPods",
    "a user agent": "Mozilla/5.0 (Linux; Android 13; SM-AYESHA)",
    "a Telegram handle": "@ayesha_khan_lhr",
    "a WhatsApp link": "https://wa.me/923007654321",
    "an invitation": "https://chat.example/invite/Qm7xAyesha",
    "a referrer": "https://mail.example/u/0/?q=asylum",
    "a search": "q=how+to+leave+the+country",
    "a cookie": "sid=7f3aQ2khan; Path=/",
    "an ETag": 'W/"ayesha-5f2c91"',
    "a relay's nickname": "router ayeshakhan 198.51.100.7 9001 0 0",
    "a position in JSON": '{"lat": 24.860712, "lon": 67.001134}',
}  # fmt: skip

HOSTS = {
    "a router's name": "x7khan412.myfritz.net",
    "a machine of a tailnet": "ayesha-laptop.tail1234.ts.net",
    "a personal resolver": "ayesha1f2e3d.dns.nextdns.io",
    "a personal AdGuard": "khanfamily.d.adguard-dns.com",
    "a personal ControlD": "ayesha-p2.dns.controld.com",
    "a Cloudflare team": "khanhousehold7.cloudflare-gateway.com",
    "a dynamic name of Synology": "khan-nas.synology.me",
    "a dynamic name of DuckDNS": "ayeshakhan.duckdns.org",
    "a dynamic name of No-IP": "khanhome.ddns.net",
    "a dynamic name of DynDNS": "khanvilla.dyndns.org",
    "a name of QNAP": "khanfiles.myqnapcloud.com",
    "a name of Plex": "khan1f2e3d4c.plex.direct",
    "a name of Home Assistant": "ayeshahome.ui.nabu.casa",
    "a tunnel of ngrok": "ayesha-7f3a.ngrok-free.app",
    "a tunnel of Cloudflare": "khan-quiet-lake.trycloudflare.com",
    "a page of GitHub": "ayeshakhan87.github.io",
    "a blog": "ayesha-writes.blogspot.example",
    "a portal's host": "room412.guest.pc-lahore-hotel.example",
    "a line's host": "khan-12-mall-road.ftth.isp.example",
    "a host at work": "ayesha-desk.corp.nayapay.example",
    "a calendar": "p41-ayeshak-caldav.icloud.example",
    "a mailbox": "ayesha-k-mail.protonmail.example",
    "a camera": "khan-frontdoor.hikvision.example",
    "a car": "leb184417.tesla.example",
    "a game server": "ayesha-minecraft.aternos.example",
    "a storage bucket": "khan-family-photos.s3.amazonaws.com",
    "a Wi-Fi controller": "khan-unifi.home.example",
    "a name of the user's own domain": "vpn.ayeshakhan.example",
}

NUMBERS = {
    "a telephone": 3001234567,
    "another telephone": 923007654321,
    "a national id": 3520212345671,
    "an account": 88123456,
    "a birthday": 19870314,
    "a customer's number": 41200917,
    "an IMEI": 490154203237518,
    "an employee": 700417233,
    "a clock": 0.48213907753,
    "another clock": 7.36119284551,
    "a position": 24.860712,
    "a voucher": 66120417,
}

NUMBER_WORDS = {
    "a telephone in Server": "nginx/03001234567",
    "a telephone in Content-Length": "3001234568",
    "a telephone in Via": "1.1 03001234569",
    "a telephone as a network": "AS3001234571",
    "a birthday in Date": "Sat, 14 Mar 1987 04:05:06 GMT",
    "a birthday in Expires": "Sun, 15 Mar 1987 04:05:07 GMT",
    "a birthday in Last-Modified": "Mon, 16 Mar 1987 04:05:08 GMT",
}
"""Texts of the form that a field has."""

OF_CERTIFICATES = {
    "an organisation": (NameOID.ORGANIZATION_NAME, "Khan Household Lahore"),
    "a unit": (NameOID.ORGANIZATIONAL_UNIT_NAME, "Room 4127"),
    "a firewall's serial number": (NameOID.SERIAL_NUMBER, "FGT60FTK20019999"),
    "a place": (NameOID.LOCALITY_NAME, "Gulberg III Block C"),
    "a province": (NameOID.STATE_OR_PROVINCE_NAME, "Punjab near Khan Bakers"),
    "a street of a certificate": (NameOID.STREET_ADDRESS, "12-B Canal View"),
    "a postal code": (NameOID.POSTAL_CODE, "54660-412"),
    "a common name": (NameOID.COMMON_NAME, "ayesha-openwrt"),
    "a title": (NameOID.TITLE, "Mother of Ali Khan"),
    "a business": (NameOID.BUSINESS_CATEGORY, "Khan Bakers and Sons"),
    "a component": (NameOID.DOMAIN_COMPONENT, "khanbakers"),
}
"""Of whoever answers on the line, by what it is: attribute of the subject, and text."""

ISSUERS = {
    "an issuer of an antivirus": "Kaspersky Personal Root of AYESHA-PC7",
    "an issuer of a proxy": "Fortinet of Khan Bakers FW1",
    "an issuer like a public one": "Let's Encrypt of Ayesha",
}


class Identifier(NamedTuple):
    """Attributes:
    value: a text or a number, which stands in every field that takes one.
    certificate: shown in every handshake; empty = an ordinary one.
    forms: what must not be found anywhere afterwards.
    """

    value: str | float
    certificate: str
    forms: tuple[bytes, ...]


def _shown(attributes: list[NameAttribute[str]], issuer: str, *names: str) -> tuple[str, bytes]:
    """A certificate in base64, and its public key."""
    key, start = ed25519.Ed25519PrivateKey.generate(), datetime(2026, 1, 1, tzinfo=UTC)
    signed = (
        CertificateBuilder()
        .subject_name(Name([NameAttribute(NameOID.COMMON_NAME, HOST), *attributes]))
        .issuer_name(Name([NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(4711)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=90))
        .add_extension(SubjectAlternativeName([DNSName(name) for name in (HOST, *names)]), critical=False)
        .sign(key, None)
    )
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return b64encode(signed.public_bytes(Encoding.DER)).decode(), public


@cache
def identifiers() -> dict[str, Identifier]:
    """By what they are."""
    known = {f"{name}, in a text": Identifier(text, "", (text.encode(),)) for name, text in TEXTS.items()}
    known |= {f"{name}, as a host": Identifier(text, "", (text.encode(),)) for name, text in HOSTS.items()}
    known |= {
        f"{name}, as a number": Identifier(number, "", (str(number).encode(),))
        for name, number in NUMBERS.items()
    }
    known |= {name: Identifier(text, "", (text.encode(),)) for name, text in NUMBER_WORDS.items()}
    for name, (attribute, text) in OF_CERTIFICATES.items():
        shown, _ = _shown([NameAttribute(attribute, text)], "Example CA")
        known[f"{name}, in a certificate"] = Identifier("", shown, (text.encode(),))
    for name, text in HOSTS.items():
        if name in ("a router's name", "a machine of a tailnet", "a name of Plex"):
            shown, _ = _shown([], "Example CA", text)
            known[f"{name}, in a certificate"] = Identifier("", shown, (text.encode(),))
    for name, text in ISSUERS.items():
        shown, _ = _shown([], text)
        known[f"{name}, in a certificate"] = Identifier("", shown, (text.encode(),))
    shown, key = _shown([], "Example CA")
    known["a router's public key"] = Identifier("", shown, (key,))
    return known


def sown(nettest: str, identifier: Identifier) -> dict[str, Any]:
    """A record of a nettest with the identifier in each of its fields, beside what makes it a measurement."""
    whole = _part(Document, identifier)
    return whole | {
        "test_name": nettest,
        "measurement_uid": "20231217143000.123456_PK_webconnectivity_00112233445566ff",
        "report_id": "20231217T142900Z_webconnectivity_PK_17557_n1_abcdefghijklmnop",
        "measurement_start_time": "2023-12-17 14:30:00",
        "test_start_time": "2023-12-17 14:29:00",
        "probe_cc": "PK",
        "probe_asn": "AS17557",
        "probe_ip": "127.0.0.1",
        "input": f"https://{HOST}/",
        "annotations": whole["annotations"] | {"synthetic": None, "x_clock": None},
        "x_recorded": None,
        "x_collector": None,
        "test_keys": _part(NETTESTS[nettest].keys, identifier),
    }


def _part(kind: type[Struct], identifier: Identifier) -> dict[str, Any]:
    hints = get_type_hints(kind)
    names = zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True)
    return {encoded: _field(field, hints[field], kind, identifier) for field, encoded in names}


def _field(name: str, hint: Any, kind: type[Struct], identifier: Identifier) -> Any:
    value = identifier.value
    text = str(value) or HOST
    if name == "peer_certificates":
        return [{"data": identifier.certificate or text, "format": "base64"}]
    if name in ("headers", "headers_list") and kind is not CollectorNote:
        names = ("Server", "Content-Length", "Via", "Location", "Date", "Expires", "Last-Modified", "X-Whose")
        return [[header, f"https://{text}/" if header == "Location" else text] for header in names]
    if name == "body" and kind is Response:
        return f"<html><title>{text}</title>Dear {text}!</html>"
    if name in ("url", "http_request") and str in get_args(hint):
        return f"https://{text}/{text}?a={text}"
    if name in ("code", "status_code"):
        return 200
    return _of_kind(hint, identifier, text)


def _of_kind(hint: Any, identifier: Identifier, text: str) -> Any:
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    is_number = isinstance(identifier.value, int | float)
    for kind in kinds:
        origin, inner = get_origin(kind), get_args(kind)
        if isinstance(kind, type) and issubclass(kind, Struct):
            return _part(kind, identifier)
        if origin is list:
            return [_of_kind(inner[0], identifier, text)]
        if origin is dict:
            return {text: _of_kind(inner[1], identifier, text)}
    if is_number and (int in kinds or float in kinds):
        return identifier.value
    if str in kinds or Any in kinds:
        return text
    return True if bool in kinds else 1


def nettests() -> Iterator[str]:
    yield from NETTESTS
