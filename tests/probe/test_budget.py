"""A run ends within a minute also where everything times out."""

from fanous.probe import health, web_connectivity
from fanous.probe.settings import Settings
from fanous.refdata.targets import target_list

MINUTE = 60.0


def test_the_social_list_ends_within_a_minute_where_everything_times_out() -> None:
    settings, social = Settings(), target_list("social")
    rounds = -(-(len(social.urls) + len(social.apps)) // settings.at_once)
    # Where nothing at all answers, the health check is all there is; else a control of it came.
    line = settings.connect_timeout
    each = settings.endpoint_seconds + web_connectivity.LEAST_SECONDS
    assert line + rounds * each < MINUTE
    assert health.SECONDS < MINUTE
    assert settings.transfer_until < MINUTE
