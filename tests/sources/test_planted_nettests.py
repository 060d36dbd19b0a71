"""What names someone, in every part of a record of each nettest: nothing of it is stored or leaves the store."""

from typing import Any

from fanous.model.measurement import Record
from fanous.publish.evidence.redact import redacted
from fanous.sources.ooni.keep import kept
from fanous.sources.ooni.parse import NETTESTS as READ
from tests.each import each
from tests.planted import KINDS, left_in
from tests.sources.records import document, encoded

NETTESTS = (
    *(
        "bridge_reachability",
        "browser_web",
        "captiveportal",
        "dash",
        "dns_consistency",
        "dnscheck",
        "echcheck",
    ),
    *("facebook_messenger", "http_header_field_manipulation", "http_host", "http_invalid_request_line"),
    *(
        "http_requests",
        "lantern",
        "meek_fronted_requests_test",
        "multi_protocol_traceroute",
        "ndt",
        "openvpn",
    ),
    *("openvpn_client", "portfiltering", "psiphon", "quicping", "riseupvpn", "signal", "simplequicping"),
    *(
        "sniblocking",
        "stunreachability",
        "tcp_connect",
        "tcpping",
        "telegram",
        "tlsmiddlebox",
        "tlsping",
        "tor",
    ),
    *("torsf", "urlgetter", "vanilla_tor", "web_connectivity", "whatsapp", "fanous_health", "fanous_stream"),
)

SECRETS = KINDS | {
    "a bridge": "obfs4 198.51.100.7:443 7A6F3C1B cert=qq9ZZ0Lw iat-mode=0",
    "a bridge's fingerprint": "$7DFCB47E84DE71BF3BFB4E6F1D7C2A5B6C7D8E9F",
    "a descriptor": "router parveens 198.51.100.7 9001 0 0",
    "a broker's answer": "snowflake 192.0.2.3:80 2B280B23E1107BB62ABFC40DDCC8824814F80A72",
    "an SSID in a log": "wlan0: associated with HomeOfAli",
    "a position": '{"lat": 24.860712, "lon": 67.001134}',
    "a telephone": "+92 300 765 43 21",
    "a login": "ali.k / hunter22 at the gateway",
    "a cookie's line": "Set-Cookie: sid=7f3aQ2; Path=/",
    "a message of resolvers": "lookup ali-laptop on 192.168.77.1:53: no such host",
}


def everywhere(text: str, headers: dict[str, str]) -> dict[str, Any]:
    """The keys of every nettest, with the text in each of their texts, and as a name among them."""
    step = {"t0": 0.1, "t": 0.2, "transaction_id": 1, "tags": [text], text: text}
    failed = step | {"failure": text, "address": text, "network": text, "operation": text, "proto": text}
    shown = {"data": text, "format": "base64"}
    steps: dict[str, Any] = {
        "failure": text,
        "agent": text,
        "client_resolver": text,
        "queries": [
            failed
            | {"hostname": text, "engine": text, "query_type": text, "resolver_address": text}
            | {
                "answers": [
                    {"answer_type": text, "ipv4": text, "ipv6": text, "hostname": text, "as_org_name": text}
                ]
            }
        ],
        "tcp_connect": [failed | {"ip": text, "port": 443, "status": {"failure": text, "success": False}}],
        "tls_handshakes": [
            failed | {"server_name": text, "peer_certificates": [shown, text], "negotiated_protocol": text}
        ],
        "quic_handshakes": [failed | {"server_name": text, "peer_certificates": [text]}],
        "network_events": [failed],
        "requests": [
            failed
            | {
                "request": {
                    "url": text,
                    "method": text,
                    "body": text,
                    "headers": {text: text},
                    "tor": {text: text},
                },
                "response": {"code": 200, "headers": headers, "headers_list": [*headers.items()]},
            }
        ],
    }
    target = steps | {
        "target_address": text,
        "target_name": text,
        "target_protocol": text,
        "summary": {text: text},
    }
    return steps | {
        # tor, torsf, vanilla_tor, psiphon, VPNs
        "targets": {text: target, "more": target},
        "bridge_address": text,
        "tor_logs": [text, text],
        "tor_progress_summary": text,
        "transport_name": text,
        "rendezvous_method": text,
        "bootstrap": {"logs": [text]},
        "openvpn_handshake": [failed | {"endpoint": text, "openvpn_options": {text: text}}],
        "ca_cert": text,
        "transport_status": {text: text},
        # speed tests
        "server": {"hostname": text, "site": text},
        "server_address": text,
        "download": [{"ConnectionInfo": {"Client": text, "UUID": text}, "Origin": text, "ServerMeta": {text: text}}],
        "receiver_data": [{"connect_latency": 1, "remote_address": text, "real_address": text}],
        # middleboxes, STUN, ECH, lookups
        "sent": [text],
        "received": [text],
        "tampering": {text: text},
        "endpoint": text,
        "echconfigs": [text],
        "bootstrap_failure": text,
        "lookups": {text: steps},
        "control": {
            "failure": text,
            "dns": {"addrs": [text], "failure": text},
            "tcp_connect": {text: {"status": True, "failure": text}},
            "http_request": {"headers": headers, "failure": text},
            "ip_info": {text: {"asn": 1, "as_org_name": text}},
        },
        "x_transfers": [failed | {"role": text, "url": text}],
        "x_second_opinions": [failed | {"server_name": text, "answer": text, "ja3": text}],
        "x_not_tried": [{"hostname": text, "ip": text, "why": text}],
        "x_health": {"spared": [text], "controls": {text: True}},
        text: text,
        "unforeseen": {text: [text]},
    }  # fmt: skip


def record(nettest: str, text: str, headers: dict[str, str]) -> bytes:
    return encoded(
        document(everywhere(text, headers))
        | {
            "test_name": nettest,
            "input": [text, "n.example"] if nettest == "meek_fronted_requests_test" else text,
            "options": [text],
            "input_hashes": [text],
            "annotations": {text: text, "network_type": text, "engine_name": text},
            "software_name": text,
            "software_version": text,
            "probe_city": text,
            "probe_ip": text,
            "resolver_ip": text,
            "resolver_network_name": text,
            "resolver_asn": text,
            "test_helpers": {text: text},
            "extensions": {text: 0},
            "data_format_version": text,
            text: text,
        }
    )


def test_every_nettest_that_is_read_is_among_these() -> None:
    assert READ.keys() <= set(NETTESTS)


@each("name", [name for name, text in SECRETS.items() if " " in text])
@each("nettest", NETTESTS)
def test_a_sentence_that_names_someone_is_not_stored_and_its_headers_do_not_leave(
    nettest: str, name: str
) -> None:
    """A text without a space may be what was asked for, or the name of a host, which is public.  Headers of a page that
    differs are stored, and only ``redacted`` reduces them.
    """
    text = SECRETS[name]
    stored = kept(record(nettest, text, {"Server": "nginx"}))
    headers = {text: text, "Server": text, "Vary": text, "Via": text}
    sent = record(nettest, text, headers)
    for one in (stored, redacted(Record("ooni", sent)).data, redacted(Record("ooni", kept(sent))).data):
        assert left_in(one, {name: text}) == []


def test_a_text_in_place_of_a_certificate_is_not_one() -> None:
    for text in ("Parveen", "UGFydmVlbg==", "cGFydmVlbkBtYWlsLmV4YW1wbGU"):
        stored = kept(record("signal", text, {}))
        assert stored.count(b'"peer_certificates":[]') == 2


def test_the_machine_of_a_speed_test_at_home_is_numbered() -> None:
    for nettest in ("ndt", "dash"):
        stored = kept(record(nettest, "ali-laptop.lan", {}))
        assert b"ali-laptop" not in redacted(Record("ooni", stored)).data.partition(b'"test_keys"')[2]
