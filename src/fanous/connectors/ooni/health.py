"""Health: our own nettest ``fanous_health`` - a probe looked at its line; what it found is the finding."""

from fanous.connectors.ooni.document import HealthKeys

TEST_NAME = "fanous_health"

NO_NETWORK = "no network"
PORTAL = "captive portal"
NOTHING_OUTSIDE = "nothing outside the country answers"
ALLOW_LIST = "outside the country only sites of a list answer"
UNREADABLE = "no look at the line in it"


def defect_of(keys: HealthKeys | None) -> str:
    """Why nothing may be concluded about single sites from there; empty = the line was sound."""
    look = keys.x_health if keys else None
    if look is None or look.online is None:
        return UNREADABLE
    if not look.online:
        return NO_NETWORK
    if look.portal:
        return PORTAL
    if look.spared:
        return ALLOW_LIST
    return NOTHING_OUTSIDE if look.intranet_only else ""
