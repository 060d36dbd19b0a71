"""Instant: unix seconds inside, RFC 3339 in UTC at the edges."""

from datetime import UTC, datetime

MINUTE, HOUR, DAY = 60, 3600, 86_400
"""Seconds."""


def to_iso(instant: float) -> str:
    """``1702771200.0`` -> ``2023-12-17T00:00:00Z`` (whole seconds)."""
    return datetime.fromtimestamp(int(instant), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_iso(text: str) -> float:
    """Unix seconds of an ISO 8601 date or time; one without a zone is UTC.

    Raises:
        ValueError: not a date or time, or in UTC not within the years 1 to 9999.
    """
    moment = datetime.fromisoformat(text.strip())
    try:
        return (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except OverflowError:
        raise ValueError(f"{text.strip()} is not within the years 1 to 9999") from None
