"""Reason: something said about an incident, an event or a claim, as a code with its parameters.

Why an incident has its status, why a revision was written, a hint at a cause, what a source saw, how a claim compares
with the evidence: each is put into words in ``wording.reasons`` and nowhere else, so every language says the same and
no code reads text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Param = int | float | str | tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason.

    Attributes:
        code: ``lacks.control``; a key of ``wording.reasons.REASONS``.
        params: what its sentence mentions, by name: counts are integers, shares floats from 0 to 1, times unix seconds,
            networks ``AS17557``.
    """

    code: str
    params: Mapping[str, Param] = field(default_factory=dict, hash=False)


BY_METHOD = frozenset({"versions", "unvouched"})
"""Codes of reasons that a revision was written because the method had changed, whatever else happened."""


def is_by_method(reasons: Iterable[Reason]) -> bool:
    """Was a revision with these reasons written because the method had changed?"""
    return not BY_METHOD.isdisjoint(reason.code for reason in reasons)


AS_WRITTEN = "as_written"
"""Code of a reason that is known only as text."""

HINDSIGHT = "hindsight"
"""Code of the reason that the data confirming an incident arrived much later than they could have."""


def as_written(text: str) -> tuple[Reason, ...]:
    """A reason from before November 2026, known only by its English text."""
    return (Reason(AS_WRITTEN, {"text": text}),) if text else ()
