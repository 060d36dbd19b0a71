"""Channels and rules out of a file."""

from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.model.alert import Happening
from fanous.publish.alerts.settings import Alerting, read_alerting
from fanous.wording.language import LANGUAGES
from tests.each import each
from tests.publish.alerts.outbox import SECRET

HOOK = f'[alerts.channels.noc]\nwebhook = "https://noc.example/"\nsecret = "{SECRET}"\n'
RULE = '[[alerts.rules]]\nchannels = ["noc"]\n'


def read(folder: Path, text: str) -> Alerting:
    file = folder / "fanous.toml"
    file.write_text(text)
    return read_alerting(file)


def test_nothing_is_reported_if_nothing_is_given(tmp_path: Path) -> None:
    assert read(tmp_path, "") == read_alerting(None) == Alerting(channels={})


def test_a_file_names_channels_and_rules(tmp_path: Path) -> None:
    text = (
        '[alerts]\nurl = "https://fanous.example/"\n'
        + HOOK
        + 'language = "ur"\nquiet = ["22:00-07:00"]\nzone = "Asia/Karachi"\neven_when_quiet = ["confirmed"]\n'
        + RULE
        + 'countries = ["pk"]\ntargets = ["x.com"]\nkinds = ["blocking"]\non = ["opened"]\n'
    )
    alerting = read(tmp_path, text)
    channel = alerting.channel("noc")
    assert channel is not None
    assert (channel.means, channel.language) == ("webhook", LANGUAGES["ur"])
    assert channel.pace.even_when_quiet == (Happening.CONFIRMED,)
    (rule,) = alerting.rules
    assert (rule.countries, rule.targets, rule.on) == (("PK",), ("x",), (Happening.OPENED,))
    assert alerting.url == "https://fanous.example"


def test_secrets_may_stand_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOC_SECRET", SECRET)
    monkeypatch.setenv("DESK", "tgram://123456789:abcdefg_hijklmnop/12315544/")
    text = HOOK.replace(f'secret = "{SECRET}"', 'secret_env = "NOC_SECRET"')
    text += '[alerts.channels.desk]\napprise_env = "DESK"\n'
    alerting = read(tmp_path, text + RULE)
    assert [c.secret for c in (alerting.channels or {}).values()] == [SECRET, ""]


@each(
    ("text", "complaint"),
    [
        (HOOK, "no rule"),
        (HOOK + RULE.replace("noc", "nok"), "there is no channel 'nok'"),
        (HOOK + RULE + 'countries = ["Pakistan"]', "an ISO 3166-1 code such as 'PK' is needed"),
        (HOOK + RULE + 'targets = ["Meta"]', "'Meta' is neither a platform nor a domain"),
        (HOOK + RULE + 'kinds = ["block"]', "'block' is not one of outage, blocking"),
        (HOOK + RULE + "confidence = 99", "a number from 0 to 1"),
        (HOOK + RULE + 'country = ["PK"]', "did you mean 'countries'"),
        (HOOK + 'quiet = ["night"]\n' + RULE, "is not like '22:00-07:00'"),
        (HOOK + 'quiet = ["22:00-07:00"]\nzone = "Karachi"\n' + RULE, "not a time zone"),
        (HOOK + 'language = "de"\n' + RULE, "'de' is not one of en, ur"),
        (HOOK + "per_hour = 0\n" + RULE, "a whole number from 1"),
        (HOOK + 'form = "sms"\n' + RULE, "only apprise"),
        (HOOK + 'form = "long"\n' + RULE, "'long' is not one of full, post, sms"),
        (HOOK.replace("https", "http") + RULE, "an https:// address is needed"),
        (HOOK.replace(SECRET, "secret") + RULE, "24 random bytes"),
        ("[alerts.channels.noc]\n" + RULE, "give one address"),
        ('[alerts.channels.noc]\napprise = "nosuch://x"\n' + RULE, "Apprise cannot read"),
        ('[alerts.channels.noc]\napprise_env = "FANOUS_NOT_SET"\n' + RULE, "has no FANOUS_NOT_SET"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(FanousError, match="alerts") as error:
        read(tmp_path, text)
    assert complaint in str(error.value)


def test_a_complaint_does_not_repeat_a_password(tmp_path: Path) -> None:
    with pytest.raises(FanousError) as error:
        read(tmp_path, '[alerts.channels.noc]\napprise = "nosuch://me:hunter2@x"\n' + RULE)
    assert "hunter2" not in str(error.value)
