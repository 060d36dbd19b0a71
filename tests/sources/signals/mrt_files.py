"""Small MRT files for tests, written from RFC 6396 (tables: 4.3, updates: 4.4.2) and RFC 4271 (4.3)."""

import struct
from ipaddress import ip_address, ip_network

PEERS = (("192.0.2.1", 64500), ("192.0.2.2", 64501), ("192.0.2.3", 64502))


def record(at: int, kind: int, subtype: int, body: bytes) -> bytes:
    return struct.pack("!IHHI", at, kind, subtype, len(body)) + body


def prefix_bytes(prefix: str) -> bytes:
    network = ip_network(prefix)
    used = (network.prefixlen + 7) // 8
    return bytes([network.prefixlen]) + network.network_address.packed[:used]


def attributes(peer: int, origin: int, next_hop: bool = True, via: tuple[int, ...] = ()) -> bytes:
    hops = (PEERS[peer][1], *via, origin)
    path = struct.pack(f"!BB{len(hops)}I", 2, len(hops), *hops)
    told = b"\x40\x01\x01\x00" + b"\x40\x02" + bytes([len(path)]) + path
    return told + (b"\x40\x03\x04" + ip_address(PEERS[peer][0]).packed if next_hop else b"")


def table(at: int, routes: dict[str, dict[int, int]], via: tuple[int, ...] = ()) -> bytes:
    """A table dump: prefix -> number of the peer -> origin ASN, behind the networks that each path passes."""
    peers = b"".join(struct.pack("!BI4sI", 2, 1, ip_address(ip).packed, asn) for ip, asn in PEERS)
    whole = record(at, 13, 1, struct.pack("!IHH", 1, 0, len(PEERS)) + peers)
    for number, (prefix, seen) in enumerate(routes.items()):
        entries = b""
        for peer, origin in seen.items():
            told = attributes(peer, origin, via=via)
            entries += struct.pack("!HIH", peer, at, len(told)) + told
        body = struct.pack("!I", number) + prefix_bytes(prefix) + struct.pack("!H", len(seen)) + entries
        whole += record(at, 13, 4 if ":" in prefix else 2, body)
    return whole


def update(
    at: int,
    peer: int,
    announced: tuple[str, ...] = (),
    withdrawn: tuple[str, ...] = (),
    origin: int = 1,
    via: tuple[int, ...] = (),
) -> bytes:
    gone = b"".join(map(prefix_bytes, withdrawn))
    come = b"".join(map(prefix_bytes, announced))
    told = attributes(peer, origin, via=via) if announced else b""
    message = struct.pack("!H", len(gone)) + gone + struct.pack("!H", len(told)) + told + come
    message = b"\xff" * 16 + struct.pack("!HB", 19 + len(message), 2) + message
    ip, asn = PEERS[peer]
    head = struct.pack("!IIHH4s4s", asn, 64496, 0, 1, ip_address(ip).packed, ip_address("192.0.2.9").packed)
    return record(at, 16, 4, head + message)
