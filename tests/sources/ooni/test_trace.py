"""What arrived, and when it stopped arriving."""

from math import nan
from typing import Any

import pytest

from fanous.sources.ooni.document import Handshake, NetworkEvent, Transaction
from fanous.sources.ooni.steps import NO_TRACE, Traces
from tests.each import each


def read(t: float, size: int | None = 100, failure: Any = None, transaction: int | None = 1) -> NetworkEvent:
    return NetworkEvent(operation="read", t=t, num_bytes=size, failure=failure, transaction_id=transaction)


def total(t: float, size: int) -> NetworkEvent:
    return NetworkEvent(operation="bytes_received_cumulative", t=t, num_bytes=size, transaction_id=1)


def other(operation: str, t: float, address: str | None = None) -> NetworkEvent:
    return NetworkEvent(operation=operation, t=t, address=address)


@each(
    ("events", "failed", "received", "gap"),
    [
        ([read(1.0), read(1.5)], False, 200, 0.5),
        ([read(1.0), read(1.5)], True, 200, 8.5),  # then silence until the time-out
        ([read(1.0), read(9.0, None, "generic_timeout_error")], True, 100, 9.0),
        ([read(1.0)], False, 100, nan),
        (
            [NetworkEvent(operation="write", t=0.6, transaction_id=1)],
            True,
            0,
            nan,
        ),  # it asked and nothing came
        ([read(0.1), read(11.0)], True, 0, nan),  # both outside of the step
        ([total(1.0, 500), total(2.0, 500), total(4.0, 900)], False, 900, 3.0),
        ([total(0.2, 500), total(2.0, 700)], False, 200, nan),  # what the handshake took is not the page's
        ([read(1.0, -5), read(2.0, None)], False, 0, nan),
        ([NetworkEvent(operation="read", t=None, transaction_id=1)], False, 0, nan),
    ],
)
def test_a_step_received_bytes_and_had_a_longest_silence(
    events: list[NetworkEvent], failed: bool, received: int, gap: float
) -> None:
    trace = Traces(events).of(Transaction(transaction_id=1, t0=0.5, t=10.0, failure=failed))
    assert trace.received == received
    assert trace.largest_gap == pytest.approx(gap, nan_ok=True)


@pytest.mark.parametrize(("transaction", "end"), [(2, 10.0), (None, 10.0), (0, 10.0), (1, None)])
def test_without_counts_nothing_is_said(transaction: int | None, end: float | None) -> None:
    step = Transaction(transaction_id=transaction, t0=0.5, t=end, failure=True)
    assert Traces([read(1.0)]).of(step) is NO_TRACE


def test_events_without_transactions_belong_to_the_handshake_around_them() -> None:
    traces = Traces(
        [
            other("connect", 1.0, "203.0.113.1:443"),
            other("tls_handshake_start", 1.001),
            read(1.2, 500, transaction=None),
            read(1.3, 200, transaction=None),
            other("tls_handshake_done", 1.31),
            other("connect", 1.0, "203.0.113.2:443"),
            other("tls_handshake_start", 1.002),
            other("tls_handshake_done", 1.31),
        ]
    )
    first, second, third = (traces.of(Handshake(t=1.31)) for _ in range(3))
    assert (first.address, first.start, first.received) == ("203.0.113.1:443", 1.001, 700)
    assert (second.address, second.start, second.received) == ("203.0.113.2:443", 1.002, 0)
    assert third is NO_TRACE


def test_handshakes_that_overlap_cannot_be_told_apart() -> None:
    traces = Traces(
        [
            other("connect", 1.0, "203.0.113.1:443"),
            other("tls_handshake_start", 1.0),
            other("connect", 1.1, "203.0.113.2:443"),
            other("tls_handshake_start", 1.1),
            other("tls_handshake_done", 1.3),
            other("tls_handshake_done", 1.4),
        ]
    )
    assert traces.of(Handshake(t=1.3)) is NO_TRACE
    assert traces.of(Handshake(t=1.4)) is NO_TRACE  # of the two that were open, no one knows which is left


def test_a_handshake_no_one_can_place_does_not_take_the_place_of_the_next() -> None:
    overlapping = [other("tls_handshake_start", 1.0), other("tls_handshake_start", 1.1)]
    ends = [other("tls_handshake_done", 1.3), other("tls_handshake_done", 1.3)]
    alone = [other("tls_handshake_start", 1.2), other("tls_handshake_done", 1.3)]
    traces = Traces([*overlapping, *ends, *alone])
    assert [traces.of(Handshake(t=1.3)).start for _ in range(3)] == pytest.approx(
        [nan, nan, 1.2], nan_ok=True
    )


def test_a_connection_made_meanwhile_may_own_the_reads() -> None:
    traces = Traces(
        [
            other("connect", 1.0, "203.0.113.1:443"),
            other("tls_handshake_start", 1.0),
            other("connect", 1.1, "203.0.113.2:80"),
            read(1.2, 500, transaction=None),
            other("tls_handshake_done", 1.3),
        ]
    )
    trace = traces.of(Handshake(t=1.3))
    assert (trace.received, trace.start, trace.address) == (-1, 1.0, "203.0.113.1:443")


def test_a_handshake_right_after_another_connection_has_no_address() -> None:
    traces = Traces(
        [
            other("connect", 1.0, "203.0.113.1:443"),
            other("tls_handshake_start", 2.0),
            other("tls_handshake_done", 2.3),
        ]
    )
    assert traces.of(Handshake(t=2.3)).address == ""
