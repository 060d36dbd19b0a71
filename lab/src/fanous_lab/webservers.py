"""Webservers: nginx as the platforms, with HTTP/1.1, 2 and 3 under their own names and certificates.

The certificates are signed by the lab's own authority.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fanous_lab.plan import BLOCK_PAGE_HOST, DOH_HOSTS, LabSite

PAGE_BYTES = 420_000
"""Size of a platform's front page: more than ``Settings.transfer_bytes``, so a policer's bucket is emptied."""

SMALL_PAGES = {
    "detectportal.firefox.com": "success\n",
    "captive.apple.com": "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>\n",
}
"""What the real sites answer over plain HTTP; a login page changes it."""

MODEST_HOSTS = frozenset({"www.example.com", "example.com"})
"""Their page has a kilobyte, like the real one: checking a line must not fill a narrow one."""

BLOCK_PAGE = (
    "<html><head><title>Access denied</title></head><body><h1>Surf Safely!</h1><p>This website is not "
    "accessible. The site you are trying to access contains content that is prohibited for viewership from "
    "within the country.</p></body></html>\n"
)
"""Has the heading of Pakistani operators' notice, whose fingerprint is in ``refdata/fingerprints.toml``."""

DOH_BACKEND = "127.0.0.1:8053"
"""Where nginx passes DNS messages to the lab's resolver, over HTTP."""

_HEAD = """\
daemon off;
master_process off;
worker_processes 1;
user root;
pid {run}/nginx-{place}.pid;
error_log {run}/nginx-{place}.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {run}/body-{place};
  proxy_temp_path {run}/proxy-{place};
  fastcgi_temp_path {run}/fastcgi-{place};
  uwsgi_temp_path {run}/uwsgi-{place};
  scgi_temp_path {run}/scgi-{place};
  default_type text/html;
  server_tokens off;
  keepalive_timeout 5s;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_tickets off;
  server_names_hash_bucket_size 128;
  add_header alt-svc 'h3=":443"; ma=86400' always;
"""

_SERVER = """\
  server {{
{listens}
    http2 on;
    server_name {host};
    ssl_certificate {certificate};
    ssl_certificate_key {certificate};
    root {pages};
    if (-f {refused}/{host}/$remote_addr) {{ return 451; }}
{locations}
  }}
  server {{
{plain}
    server_name {host};
{plain_locations}
  }}
"""


def configuration(
    sites: Iterable[LabSite], place: str, run: Path, certificate_of: Callable[[str], Path], *, v6: bool
) -> str:
    """nginx.conf for the sites of ``place``.

    Args:
        run: the lab's folder: pages, logs, and ``451/HOST/ADDRESS``, one file per refused client.
        certificate_of: host -> PEM file.
    """
    text = _HEAD.format(run=run, place=place)
    for site in sites:
        addresses = [*site.addresses, *(f"[{a}]" for a in (site.addresses6 if v6 else ()))]
        text += _SERVER.format(
            host=site.host,
            certificate=certificate_of(site.host),
            listens="\n".join(
                f"    listen {a}:443 ssl;\n    listen {a}:443 quic reuseport;" for a in addresses
            ),
            plain="\n".join(f"    listen {a}:80;" for a in addresses),
            pages=run / "pages",
            refused=run / "451",
            locations=_locations(site),
            plain_locations=_plain_locations(site, run / "pages"),
        )
    return text + "}\n"


def _locations(site: LabSite) -> str:
    if site.host in DOH_HOSTS:
        return f"    location /dns-query {{ proxy_pass http://{DOH_BACKEND}; }}"
    return f"    location / {{ try_files /{site.host}.html =404; }}"


def _plain_locations(site: LabSite, pages: Path) -> str:
    if site.host in SMALL_PAGES or site.host == BLOCK_PAGE_HOST:
        return f"    root {pages};\n    location / {{ try_files /{site.host}.html =404; }}"
    return "    location / { return 301 https://$host$request_uri; }"


def write_pages(sites: Iterable[LabSite], folder: Path) -> None:
    """The pages of all sites: a title that names the host, and text that does not compress away."""
    folder.mkdir(parents=True, exist_ok=True)
    for site in sites:
        (folder / f"{site.host}.html").write_text(page_of(site.host), encoding="ascii")


def page_of(host: str) -> str:
    if host in SMALL_PAGES:
        return SMALL_PAGES[host]
    if host == BLOCK_PAGE_HOST:
        return BLOCK_PAGE
    lines = 12 if host in MODEST_HOSTS else 0
    head = f"<!doctype html><html><head><title>{host} in the lab</title></head><body>\n"
    line = (
        f"<p>This is {host} as the lab serves it: one line of many, so that a transfer takes a while.</p>\n"
    )
    return head + line * (lines or (PAGE_BYTES - len(head)) // len(line)) + "</body></html>\n"


DAYS = 30
"""Certificates are made anew with each lab."""


class Authority:
    """Signs for any name.

    Attributes:
        ca_file: PEM file to trust.
    """

    def __init__(self, folder: Path, title: str) -> None:
        self._folder = folder
        self._name = _name(title)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.ca_file = folder / "ca.pem"
        folder.mkdir(parents=True, exist_ok=True)
        certificate = (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .add_extension(_FOR_SIGNING, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def sign(self, *names: str) -> Path:
        """A PEM file with certificate and key for host names and addresses, named after the first of them."""
        path = self._folder / f"{names[0]}.pem"
        if path.exists():
            return path
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._builder(_name(names[0]), key.public_key())
            .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + _pem(key))
        return path

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=DAYS))
            .not_valid_after(now + timedelta(days=DAYS))
        )


_FOR_SIGNING = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
"""Python 3.13 checks strictly (RFC 5280): an authority must say that it signs."""


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
