"""Health: our own nettest ``fanous_health`` - a probe looked at its line; what it found is the finding."""

from fanous.connectors.ooni.document import HealthKeys

TEST_NAME = "fanous_health"

NO_NETWORK = "no network"
PORTAL = "captive portal"
NOTHING_OUTSIDE = "nothing outside the country answers"
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
    return NOTHING_OUTSIDE if look.intranet_only else ""
