"""Backoff: how long to wait before the next try.  Pure.

Exponential with jitter: after a shutdown all probes of a country come back in the same minute, and must not
come in step.
"""

FIRST_SECONDS = 2.0
MOST_SECONDS = 900.0
MOST_ASKED_SECONDS = 3600.0
"""A server may ask for longer; an hour is what we grant, since a middlebox can ask for a year."""


def backoff(failures: int, chance: float, asked: float | None = None) -> float:
    """Seconds to wait.

    Args:
        failures: in a row, at least 1.
        chance: uniform, 0..1.
        asked: ``Retry-After`` in seconds; ``None`` = nothing was said.  Never less than that is waited.
    """
    ceiling = min(MOST_SECONDS, FIRST_SECONDS * 2.0 ** min(failures - 1, 30))
    jittered = ceiling * (0.5 + chance / 2)
    return jittered if asked is None else max(jittered, min(asked, MOST_ASKED_SECONDS) * (1 + chance / 10))


def retry_after(value: str | None) -> float | None:
    """Seconds of a ``Retry-After`` header (RFC 9110 section 10.2.3); ``None`` = not given, or a date, which
    a probe whose clock may be wrong cannot use."""
    text = (value or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
