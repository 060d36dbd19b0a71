"""Owners: platforms whose addresses injectors answer with, and the names that really live there.

Injectors on China's border answer any blocked name with them (Hoang et al., How Great is the Great Firewall?,
USENIX Security 2021).
"""

_FACEBOOK = (
    "accountkit.com",
    "cdninstagram.com",
    "facebook.com",
    "facebook.net",
    "facebookmail.com",
    "fb.com",
    "fb.gg",
    "fb.me",
    "fb.watch",
    "fbcdn.com",
    "fbcdn.net",
    "fbpigeon.com",
    "fbsbx.com",
    "fburl.com",
    "freebasics.com",
    "ig.me",
    "instagram.com",
    "internet.org",
    "m.me",
    "messenger.com",
    "meta.ai",
    "meta.com",
    "oculus.com",
    "oculuscdn.com",
    "tfbnw.net",
    "thefacebook.com",
    "threads.com",
    "threads.net",
    "wa.me",
    "whatsapp.com",
    "whatsapp.net",
    "workplace.com",
)
_X = (
    "ads-twitter.com",
    "periscope.tv",
    "pscp.tv",
    "t.co",
    "tweetdeck.com",
    "twimg.com",
    "twitter.com",
    "twttr.com",
    "vine.co",
    "x.com",
)
_DROPBOX = (
    "db.tt",
    "dropbox-dns.com",
    "dropbox.com",
    "dropbox.tech",
    "dropboxapi.com",
    "dropboxstatic.com",
    "dropboxusercontent.com",
    "getdropbox.com",
)
_LIVE_THERE = {32934: _FACEBOOK, 13414: _X, 19679: _DROPBOX}
_PLATFORMS = {
    32934: frozenset({"facebook", "instagram", "messenger", "oculus", "threads", "whatsapp"}),
    13414: frozenset({"x", "twitter", "periscope"}),
    19679: frozenset({"dropbox"}),
}


def is_foreign(asn: int, hostname: str, target: str) -> bool:
    """Is it the network of such a platform, of which neither the name nor the target is a part?

    Args:
        hostname: compared by its ending: ``t.co`` stands in ``reddit.com`` too.
        target: the platform that the name is listed under, which knows more of them than this file.
    """
    if asn not in _LIVE_THERE or target in _PLATFORMS[asn]:
        return False
    name = hostname.rstrip(".").lower()
    return not any(name == own or name.endswith(f".{own}") for own in _LIVE_THERE[asn])
