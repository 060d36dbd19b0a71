"""Owners: whose addresses injectors answer with."""

from fanous.analysis.rules.addresses import is_foreign
from tests.each import each

FACEBOOK, X, DROPBOX = 32934, 13414, 19679


@each(
    ("asn", "hostname", "foreign"),
    [
        (X, "t.co", False),
        (X, "abs.twimg.com", False),
        (X, "www.reddit.com", True),  # t.co stands in it
        (X, "netflix.com", True),  # x.com stands in it
        (DROPBOX, "www.Dropbox.com.", False),
        (X, "www.dropbox.com", True),
        (FACEBOOK, "fb.me", False),
        (FACEBOOK, "www.metafilter.com", True),
        (FACEBOOK, "notfacebook.com", True),
        (64500, "www.reddit.com", False),  # not one of the owners that injectors answer with
    ],
)
def test_a_platform_has_the_names_that_end_like_its_own(asn: int, hostname: str, foreign: bool) -> None:
    assert is_foreign(asn, hostname, hostname) is foreign


def test_what_is_listed_under_the_platform_is_its_own_whatever_its_name() -> None:
    assert not is_foreign(FACEBOOK, "meta-new.example", "facebook")
