"""The endpoints of a target as a whole."""

import pytest

from fanous.analysis.rules.failures import Cause, Group, groups_of
from fanous.model.measurement import Layer, Observation
from tests.builders import observation


def endpoint(number: int, *steps: tuple[Layer, str | None]) -> list[Observation]:
    return [observation(layer, failure, hostname="", ip=f"149.154.1.{number}") for layer, failure in steps]


def connections(*endpoints: list[Observation]) -> Group:
    return groups_of([o for steps in endpoints for o in steps])[("x", "web", False)]


OK = (Layer.TCP, None)
DEAD = (Layer.TCP, "generic_timeout_error")


@pytest.mark.parametrize(("failing", "fails"), [(0, False), (1, False), (5, False), (6, True), (12, True)])
def test_a_group_fails_when_half_of_its_endpoints_do(failing: int, fails: bool) -> None:
    steps = [endpoint(n, DEAD if n < failing else OK) for n in range(12)]
    group = connections(*steps)
    assert (group.endpoints, group.failed, group.fails) == (12, failing, fails)


def test_an_endpoint_counts_once_at_the_first_step_that_broke() -> None:
    group = connections(endpoint(1, DEAD, (Layer.HTTP, "generic_timeout_error")), endpoint(2, DEAD))
    assert group == Group(2, 2, Layer.TCP, Cause.TIMEOUT)


def test_an_endpoint_with_one_attempt_that_worked_is_fine() -> None:
    assert connections(endpoint(1, DEAD, OK)).failed == 0


def test_the_most_frequent_failure_names_the_group() -> None:
    reset = (Layer.HTTP, "connection_reset")
    group = connections(endpoint(1, OK, reset), endpoint(2, OK, reset), endpoint(3, DEAD))
    assert (group.layer, group.cause) == (Layer.HTTP, Cause.RESET)


def test_a_request_without_address_belongs_to_the_endpoints_of_its_name() -> None:
    request = observation(Layer.HTTP, "generic_timeout_error", ip="")
    group = groups_of([observation(Layer.TCP, "generic_timeout_error"), request])[("x", "web", False)]
    assert group == Group(1, 1, Layer.TCP, Cause.TIMEOUT)


def test_lookups_are_a_group_of_their_own_by_name() -> None:
    lookups = [observation(Layer.DNS, "dns_nxdomain_error", hostname=f"e{n}.x.com") for n in range(3)]
    groups = groups_of([*lookups, observation(Layer.TCP)])
    assert groups[("x", "web", True)] == Group(3, 3, Layer.DNS, Cause.NXDOMAIN)
    assert groups[("x", "web", False)].failed == 0
