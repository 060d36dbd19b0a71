"""Which prefixes of a country are visible."""

import pytest

from fanous.sources.signals.visibility import Count, RecordedRoute, Visibility

COUNTRIES = {"39.32.0.0": "PK", "39.33.0.0": "PK", "2400:adc0::": "PK", "8.8.8.0": "US"}


def seen(*routes: tuple[str, str, int]) -> Visibility:
    visibility = Visibility("PK", COUNTRIES.get)
    for peer, prefix, origin in routes:
        visibility.load(peer, prefix, origin)
    return visibility


def by_all(prefix: str, origin: int) -> list[tuple[str, str, int]]:
    return [(peer, prefix, origin) for peer in "abcd"]


def test_prefixes_of_the_country_are_counted_by_version_and_origin() -> None:
    visibility = seen(
        *by_all("39.32.0.0/16", 17557), *by_all("2400:adc0::/32", 17557), *by_all("39.33.0.0/16", 45669),
        *by_all("8.8.8.0/24", 15169),
    )  # fmt: skip
    assert visibility.count() == Count(2, 1, {17557: (1, 1), 45669: (1, 0)})


@pytest.mark.parametrize(("withdrawing", "visible"), [("", 1), ("ab", 1), ("abc", 0), ("abcd", 0)])
def test_a_prefix_is_visible_while_half_of_the_full_peers_have_it(withdrawing: str, visible: int) -> None:
    visibility = seen(*by_all("39.32.0.0/16", 17557))
    for peer in withdrawing:
        visibility.withdraw(peer, "39.32.0.0/16")
    assert visibility.count().v4 == visible


def test_a_peer_that_sends_little_has_no_say() -> None:
    visibility = seen(
        *by_all("39.32.0.0/16", 17557),
        *by_all("8.8.8.0/24", 15169),
        *by_all("39.33.0.0/16", 1),
        ("e", "39.32.0.0/16", 1),
    )
    for peer in "abcd":
        visibility.withdraw(peer, "39.32.0.0/16")
    assert visibility.count().networks == {1: (1, 0)}, "only e still has it, and e has one route of three"


def test_a_peer_that_goes_away_is_not_an_outage() -> None:
    visibility = seen(*by_all("39.32.0.0/16", 17557))
    for peer in "abc":
        visibility.forget(peer)
    assert visibility.count().v4 == 1


def test_what_comes_back_counts_again_with_its_new_origin() -> None:
    visibility = seen(*by_all("39.32.0.0/16", 17557))
    for peer in "abcd":
        visibility.withdraw(peer, "39.32.0.0/16")
        visibility.announce(peer, "39.32.0.0/16", 45669)
    assert visibility.count().networks == {45669: (1, 0)}


def test_withdrawing_what_was_never_there_changes_nothing() -> None:
    visibility = seen(*by_all("39.32.0.0/16", 17557))
    visibility.withdraw("z", "39.32.0.0/16")
    visibility.withdraw("a", "10.0.0.0/8")
    assert visibility.count().v4 == 1


def test_without_a_table_nothing_is_visible() -> None:
    assert seen().count() == Count(0, 0, {})


def test_a_network_that_vanished_is_a_zero_and_not_a_gap() -> None:
    recorded = RecordedRoute("mrt", "PK", {0: Count(1, 0, {1: (1, 0)}), 300: Count(0, 0, {})})
    shown = {(str(o.key.place), o.key.signal): o.values.tolist() for o in recorded.levels({2})}
    assert shown["AS1", "prefixes_v4"] == [1, 0]
    assert shown["AS2", "prefixes_v4"] == [0, 0]
    assert shown["PK", "asns"] == [1, 0]
    assert list(RecordedRoute("mrt", "PK").levels({2})) == []
