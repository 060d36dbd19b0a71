"""Outcome: what became of an attempt, and what an HTTP answer says of it."""

from dataclasses import dataclass

import httpx

SECONDS = 15.0
"""For a whole attempt: a receiver that takes longer is asked again."""

AGAIN = frozenset({408, 425, 429})
"""Of the 4xx those that may pass by themselves; the others say that the request is wrong (RFC 9110, 6585)."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Attributes:
    why: empty = it was taken.
    permanent: trying again will not help.
    wait: seconds that the receiver asked for; ``None`` = it did not.
    """

    why: str = ""
    permanent: bool = False
    wait: float | None = None


async def post(url: str, body: bytes, headers: dict[str, str]) -> Attempt:
    """One POST; redirects are not followed, since what is signed is meant for this address."""
    try:
        async with httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False) as client:
            answer = await client.post(url, content=body, headers=headers)
    except httpx.HTTPError as error:
        return Attempt(f"no answer: {type(error).__name__}: {error}"[:300])
    return outcome_of(answer.status_code, answer.headers.get("retry-after", ""))


def outcome_of(status: int, retry_after: str) -> Attempt:
    """What a status says; only 2xx is taken."""
    if 200 <= status < 300:
        return Attempt()
    wait = float(retry_after) if retry_after.isdecimal() and len(retry_after) < 9 else None
    return Attempt(f"it answered {status}", 300 <= status < 500 and status not in AGAIN, wait)
