"""Bodies: what a client sent, decompressed, with the size of the result bounded before it is made.

zstd as OONI's probes may send it (ooni/backend, ooniapi/services/ooniprobe/src/ooniprobe/routers/reports.py,
``receive_measurement``: header ``content-encoding: zstd``); gzip is ours.
"""

import sys
import zlib

from fanous.collector.refusal import Refused

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MOST_BYTES = 32 << 20
"""The largest measurements in OONI's archive are around 20 MB."""

WINDOW_LOG = 25
"""zstd: a frame may ask for a window of 2^n bytes, and so for memory; 32 MiB is all that a body may have."""

_GZIP = 31
"""zlib's ``wbits`` for a gzip header and trailer."""


def plain(body: bytes, encoding: str, most: int = MOST_BYTES) -> bytes:
    """The body as the client meant it.

    Args:
        encoding: value of ``content-encoding``; empty = as it is.
        most: bytes that the result may have.

    Raises:
        Refused: larger than that, damaged, or of an encoding that nobody sends.
    """
    match encoding.strip().lower():
        case "" | "identity":
            result = body
        case "zstd":
            result = _zstd(body, most)
        case "gzip":
            result = _gzip(body, most)
        case other:
            raise Refused(415, f"content-encoding {other[:40]!r} is not known here: send zstd, gzip or none")
    if len(result) > most:
        raise Refused(413, f"larger than {most >> 20} MiB, which no measurement is")
    return result


def _zstd(body: bytes, most: int) -> bytes:
    inflater = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: WINDOW_LOG})
    try:
        result = inflater.decompress(body, most + 1)
    except zstd.ZstdError:
        raise Refused(400, "Incorrect format: the body is not zstd, or needs too large a window") from None
    if len(result) <= most and (not inflater.eof or inflater.unused_data):
        raise Refused(400, "Incorrect format: the zstd body breaks off, or something follows it")
    return result


def _gzip(body: bytes, most: int) -> bytes:
    inflater = zlib.decompressobj(_GZIP)
    try:
        result = inflater.decompress(body, most + 1)
    except zlib.error:
        raise Refused(400, "Incorrect format: the body is not gzip") from None
    if len(result) <= most and (not inflater.eof or inflater.unused_data):
        raise Refused(400, "Incorrect format: the gzip body breaks off, or something follows it")
    return result
