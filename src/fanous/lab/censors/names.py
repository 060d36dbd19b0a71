"""Names: what a censor looks for in packets - the name in a ClientHello, in a question, in a request.

OpenSSL 3.5 sends a ClientHello in two segments; the name is in the first, and a rule that looks at single
segments finds it there.  A browser that shuffles its extensions may put it across both: then such a censor
misses it, as real ones did.
"""

from fanous.lab.dnswire import name_wire

ALGORITHM = "kmp"
"""Of xt_string; ``bm`` misses what lies across two fragments of a packet's memory."""


def in_hello(host: str) -> str:
    """Match for the server_name extension (RFC 6066 section 3): type, length and the whole name."""
    return _string(b"\0" + len(host).to_bytes(2, "big") + host.encode())


def in_question(host: str) -> str:
    """Match for the question of a DNS message: the whole name, or one below it."""
    return _string(name_wire(host)) + " --icase"


def in_request(host: str) -> str:
    """Match for the Host header of a plain HTTP request."""
    return _string(b"\r\nHost: " + host.encode()) + " --icase"


def _string(wanted: bytes) -> str:
    return f'-m string --algo {ALGORITHM} --hex-string "|{wanted.hex()}|"'
