"""Transfers: a rate compared with the control's."""

from dataclasses import replace

from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State
from tests.analysis.rules.verdict_of import Said, said, verdicts
from tests.builders import helper, observation
from tests.each import each

OUTSIDE = helper(Layer.TRANSFER, kbps=8_000.0)
CONTROL = observation(Layer.TRANSFER, target="control", hostname="y.com", ip="1.2.3.4", kbps=5_000.0)

NAMED = observation(Layer.TRANSFER, kbps=140.0)
UNNAMED = replace(NAMED, target="example.com", hostname="example.com", role="control", kbps=5_000.0)
CUT = observation(
    Layer.TRANSFER, "generic_timeout_error", kbps=14.0, received=17_000, seconds=10.0, largest_gap=9.0
)
BESIDE = [NAMED, UNNAMED, NAMED, UNNAMED]


@each(
    ("observations", "first"),
    [
        (
            [observation(Layer.TRANSFER, kbps=140.0), CONTROL, OUTSIDE],
            (State.THROTTLED, "transfer.slow", "tls.throttle"),
        ),
        # A site that cannot do better is slow compared with any control.
        (
            [observation(Layer.TRANSFER, kbps=140.0), CONTROL, replace(OUTSIDE, kbps=300.0)],
            (State.INSUFFICIENT, "transfer.slow_for_all", ""),
        ),
        (
            [observation(Layer.TRANSFER, kbps=140.0), CONTROL],
            (State.INSUFFICIENT, "transfer.slow_no_outside", "tls.throttle"),
        ),
        # One slow download of three is a burst of something else.
        (
            [observation(Layer.TRANSFER, kbps=rate) for rate in (140.0, 4_000.0, 5_000.0)]
            + [CONTROL, OUTSIDE],
            (State.OK, "transfer.ok", ""),
        ),
        # Cut off by the clock, but with a rate.
        (
            [
                observation(Layer.TRANSFER, "generic_timeout_error", kbps=140.0, received=170_000),
                CONTROL,
                OUTSIDE,
            ],
            (State.THROTTLED, "transfer.slow", "tls.throttle"),
        ),
        # What stops for good is frozen; what goes on in fits and starts is slow.
        (
            [replace(CUT, largest_gap=9.0), CONTROL, OUTSIDE],
            (State.THROTTLED, "transfer.frozen", "tls.freeze"),
        ),
        (
            [replace(CUT, largest_gap=4.0), CONTROL, OUTSIDE],
            (State.THROTTLED, "transfer.slow", "tls.throttle"),
        ),
        # The same server gives the same page fast under another name: the name is what is slow.
        (
            [*[NAMED] * 2, *[UNNAMED] * 2],
            (State.THROTTLED, "transfer.slow_beside_itself", "tls.throttle.sni"),
        ),
        ([NAMED, *[UNNAMED] * 2], (State.INSUFFICIENT, "transfer.slow_no_outside", "tls.throttle.sni")),
        ([*[NAMED] * 2, UNNAMED], (State.INSUFFICIENT, "transfer.slow_no_outside", "tls.throttle.sni")),
        (
            [*[NAMED] * 2, *[replace(UNNAMED, ip="1.2.3.4")] * 2],
            (State.INSUFFICIENT, "transfer.slow_no_outside", "tls.throttle"),
        ),
        ([*[NAMED] * 2, *[replace(UNNAMED, kbps=600.0)] * 2], (State.OK, "transfer.ok", "")),
        (
            [*[NAMED] * 2, *[replace(UNNAMED, failure="eof_error")] * 2],
            (State.INSUFFICIENT, "transfer.failed", ""),
        ),
        # It is the name only where another one did well at that address.
        ([CUT, UNNAMED, OUTSIDE], (State.THROTTLED, "transfer.frozen", "tls.freeze.sni")),
        (
            [observation(Layer.TRANSFER, "generic_timeout_error", received=11_000), CONTROL],
            (State.THROTTLED, "transfer.frozen", "tls.freeze"),
        ),
        (
            [observation(Layer.TRANSFER, "generic_timeout_error", received=9_000), CONTROL],
            (State.INSUFFICIENT, "transfer.failed", ""),
        ),
        ([observation(Layer.TRANSFER, kbps=1_500.0), CONTROL], (State.OK, "transfer.ok", "")),
        ([observation(Layer.TRANSFER, kbps=140.0)], (State.OK, "transfer.ok", "")),
        # The helper's line is another one.
        (
            [observation(Layer.TRANSFER, kbps=140.0), helper(Layer.TRANSFER, kbps=9e5)],
            (State.OK, "transfer.ok", ""),
        ),
        (
            [observation(Layer.TRANSFER, "generic_timeout_error", received=18_000), CONTROL],
            (State.THROTTLED, "transfer.frozen", "tls.freeze"),
        ),
        (
            [observation(Layer.TRANSFER, "generic_timeout_error", received=90_000), CONTROL],
            (State.INSUFFICIENT, "transfer.failed", ""),
        ),
        # A control is not a target: that it is slower than one says nothing about its name.
        (
            [
                observation(Layer.TRANSFER, kbps=9_000.0),
                replace(CONTROL, kbps=140.0, role="control"),
                OUTSIDE,
            ],
            (State.OK, "transfer.ok", ""),
        ),
        # A block page ends at once, however slowly.
        (
            [observation(Layer.TRANSFER, kbps=140.0, received=2_400), CONTROL, OUTSIDE],
            (State.OK, "transfer.ok", ""),
        ),
        # A page that says no is too short for a rate, of the target and of the control.
        (
            [observation(Layer.TRANSFER, kbps=140.0, status_code=451), CONTROL, OUTSIDE],
            (State.OK, "transfer.ok", ""),
        ),
        (
            [observation(Layer.TRANSFER, kbps=140.0), replace(CONTROL, status_code=404), OUTSIDE],
            (State.OK, "transfer.ok", ""),
        ),
    ],
)
def test_a_transfer_is_judged_by_its_control(observations: list[Observation], first: Said) -> None:
    assert said(Layer.TRANSFER, *observations)[0] == first


def test_a_rate_under_another_name_from_the_same_server_is_a_normal_control() -> None:
    (slow, *_) = verdicts(*[NAMED] * 2, *[UNNAMED] * 2)
    assert slow.controlled
    (slow, *_) = verdicts(NAMED, CONTROL)
    assert not slow.controlled


def test_an_unknown_number_of_bytes_is_not_told_as_a_number() -> None:
    (failed,) = verdicts(observation(Layer.TRANSFER, "json_parse_error"))
    assert failed.rule_id == "transfer.failed" and "-1" not in failed.why
