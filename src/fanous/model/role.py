"""Role: which part of a service an endpoint is, and so what its users lose with it.

To say that Telegram was blocked is to say that its users could not use it.  They could if only its web client, or only
a site that links to it, is cut.  The parts are those that OONI's nettests of apps test one by one (ooni/spec ts-018,
ts-019, ts-020, ts-029), and what the hosts of a platform are for (``refdata/platforms.toml``).
"""

from collections.abc import Collection
from enum import StrEnum


class Role(StrEnum):
    """Part of a service, the one that its users miss most first."""

    CHAT = "chat"
    """The one server without which the app does nothing (Signal's chat.signal.org)."""
    API = "api"
    """What the app talks to: Telegram's access points, WhatsApp's chat servers."""
    MESSENGER = "messenger"
    """A messenger that shares the service's hosts (Facebook Messenger)."""
    WEB = "web"
    """The service in a browser."""
    CLIENT = "client"
    """The web client of a service that is an app in the first place."""
    REGISTRATION = "registration"
    """What only new accounts need (WhatsApp's v.whatsapp.net)."""
    MEDIA = "media"
    """Where pictures, video and files come from."""
    SITE = "site"
    """Sites that tell of an app or link to it, and are not the service (t.me)."""


APP = frozenset({Role.CHAT, Role.API})
"""Without these the app does not work."""

WAYS_IN = (Role.CHAT, Role.API, Role.MESSENGER, Role.WEB, Role.CLIENT)
"""Roles by which people use a service: if one is cut, the loss of the others is a detail."""

SERVICE = "service"
"""Instead of a role: the service itself, where it has to be told from a part of it (``telegram/service``)."""

REDIRECT = "redirect"
"""Instead of a role: another service's host, to which the target's own pages sent the probe on."""


def is_service(cut: Collection[Role], spared: Collection[Role]) -> bool:
    """Is the service itself cut, and not only parts of it?

    It is if its app is, or where no app was tried, if the service in a browser is.  If either still worked, only the
    other is cut.

    Args:
        cut: roles that failed.
        spared: roles that were tried and worked.
    """
    if APP.intersection(cut):
        return not {Role.WEB, Role.CLIENT}.intersection(spared)
    return Role.WEB in cut and not APP.intersection(spared)


def named(target: str, cut: Collection[Role], spared: Collection[Role]) -> tuple[str, ...]:
    """What may be said to be cut: the target (``telegram``), or parts of it (``telegram/client``).

    Args:
        cut, spared: as for ``is_service``; if no role is known, the target is named.
    """
    if not cut or is_service(cut, spared):
        return (target,)
    missed = [role for role in WAYS_IN if role in cut] or [role for role in Role if role in cut]
    return tuple(dict.fromkeys(f"{target}/{Role.API if role in APP else role}" for role in missed))
