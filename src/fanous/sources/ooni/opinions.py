"""Opinions: what a browser's ClientHello met where our own probe's was cut (``x_second_opinions``)."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fanous.model.observation import Layer, Observation
from fanous.sources.ooni.document import Opinion
from fanous.sources.ooni.place import endpoint_of, host_of

ANSWERED, CUT = "answered", "cut"
ANSWERS = ("server_hello", "alert")
"""Either is TLS; our probe notes no other answer."""

_Place = tuple[str, str, int]


def with_opinions(observed: Iterable[Observation], given: list[Opinion]) -> Iterator[Observation]:
    """``observed``, each failed handshake with what a browser's met: same name, same address and port."""
    opinions = _by_place(given)
    for one in observed:
        if one.layer is Layer.TLS and one.failure is not None:
            one = replace(one, browser=opinions.get((one.hostname, one.ip, one.port), ""))
        yield one


def _by_place(given: list[Opinion]) -> dict[_Place, str]:
    """Of several at one place every one must have been answered: one may slip through by chance."""
    opinions: dict[_Place, str] = {}
    for one in given:
        place = (host_of(one.server_name), *endpoint_of(one.address))
        answered = one.answer in ANSWERS
        if answered or one.failure is not None:
            opinions[place] = ANSWERED if answered and opinions.get(place) != CUT else CUT
    return opinions
