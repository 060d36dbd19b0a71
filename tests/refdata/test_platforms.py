"""Which name people use for a host."""

from ipaddress import ip_network

import pytest

from fanous.base.text import printable
from fanous.model.measurement import Role
from fanous.refdata import toml_table
from fanous.refdata.platforms import _directory as directory
from fanous.refdata.platforms import normal_host, platform_of_ip, platforms, role_of, target_of, title
from tests.each import each

TABLE = toml_table("platforms.toml")
ENTRIES = TABLE["platform"]
DOMAINS = [(domain, entry["name"]) for entry in ENTRIES for role in Role for domain in entry.get(role, ())]


@each(
    ("host", "target", "role"),
    [
        ("x.com", "x", "web"),
        ("pbs.twimg.com", "x", "media"),
        ("api.twitter.com", "x", "api"),
        ("www.facebook.com", "facebook", "web"),
        ("b-graph.facebook.com", "facebook", "api"),
        ("scontent.xx.fbcdn.net", "facebook", "media"),
        ("web.telegram.org", "telegram", "client"),
        ("t.me", "telegram", "site"),
        ("v.whatsapp.net", "whatsapp", "registration"),
        ("chat.signal.org", "signal", "chat"),
        ("m.me", "facebook", "messenger"),
        ("e5.whatsapp.net", "whatsapp", "api"),
        ("mmg.whatsapp.net", "whatsapp", "media"),
        ("web.whatsapp.com", "whatsapp", "client"),
        ("textsecure-service.whispersystems.org", "signal", "api"),
        ("cdn2.signal.org", "signal", "media"),
        ("r3---sn-2uja.googlevideo.com", "youtube", "media"),
        ("youtubei.googleapis.com", "youtube", "api"),
        ("fonts.googleapis.com", "google", "api"),
        ("mail.google.com", "gmail", "web"),
        ("ur.m.wikipedia.org", "wikipedia", "web"),
        ("upload.wikimedia.org", "wikipedia", "media"),
        ("commons.wikimedia.org", "wikimedia", "web"),
    ],
)
def test_a_host_belongs_to_the_longest_suffix(host: str, target: str, role: str) -> None:
    assert (target_of(host), role_of(host)) == (target, role)


@each(
    ("host", "target"),
    [
        ("google.com.pk", "google"),
        ("www.google.ae", "google"),
        ("google.co.uk", "google"),
        ("example.blogspot.co.ke", "blogger"),
        ("google.example", "google.example"),  # no country's domain
        ("notgoogle.pk", "notgoogle.pk"),
        ("pk", "pk"),
    ],
)
def test_a_name_counts_under_every_countrys_domain(host: str, target: str) -> None:
    assert target_of(host) == target


@pytest.mark.parametrize("host", ["notx.com", "x.com.example.org", "faketelegram.org", "mytwitter.com"])
def test_a_name_that_only_looks_like_a_platform_is_itself(host: str) -> None:
    assert target_of(host) == host


@each(
    ("written", "target"),
    [
        ("WWW.Example.ORG.", "example.org"),
        ("example.org:8443", "example.org"),
        ("www.com", "www.com"),  # what is left would be no host
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("149.154.167.99", "149.154.167.99"),
        ("149.154.167.99:80", "149.154.167.99"),
        ("яндекс.рф", "xn--d1acpjx3f.xn--p1ai"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("ü" * 300, "ü" * 300),  # not a legal name, but what was measured
        ("", ""),
    ],
)
def test_a_host_of_no_platform_is_its_own_target(written: str, target: str) -> None:
    assert target_of(written) == target
    assert role_of(written) == "web"


@each(
    ("ip", "platform"),
    [
        ("149.154.175.50", "telegram"),
        ("91.108.56.130", "telegram"),
        ("95.161.76.100", "telegram"),
        ("2001:67c:4e8:f002::a", "telegram"),
        ("[2001:67c:4e8:f002::a]", "telegram"),
        ("149.154.159.255", None),
        ("149.154.176.0", None),
        ("157.240.1.35", "facebook"),
        ("104.244.42.1", "x"),
        ("8.8.8.8", None),
        ("not an address", None),
        ("", None),
    ],
)
def test_a_published_range_names_its_platform(ip: str, platform: str | None) -> None:
    assert platform_of_ip(ip) == platform


def test_each_platform_says_where_its_domains_come_from() -> None:
    assert len(platforms()) >= 40
    assert [entry["name"] for entry in ENTRIES if not entry["source"] or not entry["title"]] == []
    assert [entry["name"] for entry in ENTRIES if "ranges" in entry and not entry["ranges_source"]] == []


def test_each_domain_is_listed_once_and_leads_home() -> None:
    assert len({domain for domain, _ in DOMAINS}) == len(DOMAINS)
    assert [domain for domain, name in DOMAINS if target_of(domain.replace(".*", ".pk")) != name] == []
    assert [domain for domain, _ in DOMAINS if domain != normal_host(domain)] == []


def test_a_role_that_there_is_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"platform": [{"name": "harbour", "wbe": ["harbour.example"]}], "shared_range": []}
    monkeypatch.setattr("fanous.refdata.platforms.toml_table", lambda _: wrong)
    with pytest.raises(ValueError, match="harbour has wbe, which no entry can have"):
        directory.__wrapped__()


def test_ranges_of_different_platforms_do_not_overlap() -> None:
    named = [
        (ip_network(text), entry["name"])
        for entry in [*ENTRIES, *TABLE["shared_range"]]
        for text in entry.get("ranges", ())
    ]
    clashes = [
        (str(one), str(other))
        for one, name in named
        for other, another in named
        if name != another and one.version == other.version and one.overlaps(other)
    ]
    assert clashes == []


def test_people_read_a_title() -> None:
    assert title("x") == "X (Twitter)"
    assert title("youtube") == "YouTube"
    assert title("dawn.com") == "dawn.com"


@each("unseen", ["\u202e", "\x00", "\x1b[2J", "\u2800", "\x7f", "\U000e0041"])
def test_a_name_with_an_unseen_character_is_not_shown_as_the_name_without(unseen: str) -> None:
    """Anyone can upload measurements of such a name, and have it take the place of a site."""
    for host in (f"x.com{unseen}", f"{unseen}bbc.com", f"bbc{unseen}.com"):
        shown = printable(title(target_of(host)))
        assert shown == target_of(host) and shown not in ("x.com", "bbc.com"), shown
