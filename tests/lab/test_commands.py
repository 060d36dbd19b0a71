"""``fanous lab``: a lab that stays up until it is taken down, and programs in it."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous_lab import registry
from fanous_lab.censors import TECHNIQUES
from tests.children import child_environment
from tests.lab.conftest import skip_without_a_lab

pytestmark = pytest.mark.lab


def fanous(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fanous", "lab", *words], capture_output=True, text=True, check=False
    )


def skip_where_no_lab_can_stand() -> None:
    skip_without_a_lab()
    if any(lab.record().get("is_standing") for lab in registry.labs()):
        pytest.skip("a lab that somebody left standing is in the way: `fanous lab down`")


@pytest.fixture
def standing_lab() -> Iterator[dict[str, object]]:
    skip_where_no_lab_can_stand()
    up = fanous("up", "--networks", "2", "--target", "x", "--cut", "sni_reset:x", "--json")
    assert up.returncode == 0, up.stderr
    yield dict(json.loads(up.stdout))
    down = fanous("down")
    assert (down.returncode, "lab" in down.stdout) == (0, True)
    assert not [lab for lab in registry.labs() if lab.name == "lab"]


def test_a_program_meets_the_censor_in_a_shell_at_a_vantage_point(standing_lab: dict[str, object]) -> None:
    script = (
        "import urllib.request as u, sys\n"
        "try: print(u.urlopen(sys.argv[1], timeout=5).status)\n"
        "except OSError as error: print(error)"
    )
    seen = [
        fanous("shell", "as64512-1", sys.executable, "-c", script, url).stdout
        for url in ("https://x.com/", "https://www.example.com/")
    ]
    assert "reset by peer" in seen[0]
    assert seen[1] == "200\n"
    wrong = fanous("shell", "as1-1")
    assert wrong.returncode == 1
    assert "as64512-1, as64513-1" in wrong.stderr
    again = fanous("up")
    assert again.returncode == 1
    assert "already exists" in again.stderr


def test_a_probe_measures_under_the_censor_with_the_line_that_is_printed(
    standing_lab: dict[str, object], tmp_path: Path
) -> None:
    collector = standing_lab["collector"]
    assert isinstance(collector, dict)
    engine, own = (shlex.split(line) for line in collector["type"])
    assert engine[:4] == ["fanous", "lab", "shell", "as64512-1"] and "--probe-services" in engine
    environment = child_environment()
    programs = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    typed = subprocess.run(
        [sys.executable, "-m", *own, "--out", str(tmp_path / "out.jsonl")],
        capture_output=True,
        text=True,
        check=False,
        env=environment | {"PATH": programs, "XDG_DATA_HOME": str(tmp_path)},
    )
    assert "measurements acknowledged" in typed.stdout + typed.stderr, typed
    records = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    (control,) = [record["test_keys"]["control"] for record in records if record.get("input")]
    assert control["http_request"]["status_code"] == 200
    assert {one["status"] for one in control["tls_handshake"].values()} == {True}
    assert list(Path(collector["inbox"]).rglob("*.jsonl*"))


ENGINES_RESOLVERS = ("8.8.4.4", "1.0.0.1", "149.112.112.112", "208.67.222.222", "208.67.220.220")
ENGINES_HOSTS = ("mozilla.cloudflare-dns.com", "dns.nextdns.io", "dns.google", "dns.quad9.net")


def test_what_oonis_engine_asks_is_answered(standing_lab: dict[str, object]) -> None:
    """ooni/probe-cli at 7cb22410, internal/sessionresolver/resolvermaker.go."""
    script = (
        "import sys, ssl, urllib.request as u, dns.message, dns.query\n"
        "asked = dns.message.make_query('x.com', 'A')\n"
        "def over_https(host):\n"
        "    kind = {'content-type': 'application/dns-message'}\n"
        "    request = u.Request(f'https://{host}/dns-query', asked.to_wire(), kind)\n"
        "    return dns.message.from_wire(u.urlopen(request, timeout=5).read())\n"
        f"for at in {ENGINES_RESOLVERS}: print(dns.query.udp(asked, at, timeout=5).answer[0][0])\n"
        f"for host in {ENGINES_HOSTS}: print(over_https(host).answer[0][0])\n"
    )
    seen = fanous("shell", "as64512-1", sys.executable, "-c", script)
    answers = seen.stdout.split()
    assert len(answers) == len(ENGINES_RESOLVERS) + len(ENGINES_HOSTS), seen.stderr
    (address,) = set(answers)
    sites = standing_lab["sites"]
    assert isinstance(sites, list)
    assert address in next(site["addresses"] for site in sites if site["host"] == "x.com")


def test_every_technique_is_listed() -> None:
    listed = json.loads(fanous("list", "--json").stdout)["techniques"]
    assert [one["name"] for one in listed] == list(TECHNIQUES)
    text = fanous("list").stdout
    assert all(technique.does in text for technique in TECHNIQUES.values())


def test_a_cut_that_cannot_be_leaves_no_lab_behind() -> None:
    skip_where_no_lab_can_stand()
    before = {lab.name for lab in registry.labs()}
    failed = fanous("up", "--networks", "1", "--cut", "sni_rest:x")
    assert failed.returncode == 1
    assert "did you mean 'sni_reset'?" in failed.stderr
    assert {lab.name for lab in registry.labs()} <= before


def test_a_target_that_no_one_knows_is_answered_by_the_nearest() -> None:
    failed = fanous("up", "--networks", "1", "--target", "instagrm")
    assert failed.returncode == 1
    assert "did you mean 'instagram'?" in failed.stderr


def test_where_a_lab_cannot_be_kept_a_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(registry, "RUN", tmp_path / "file" / "lab")
    with pytest.raises(FanousError, match=r"cannot keep a lab in .*: Not a directory; .* can be written to"):
        registry.hold(registry.RUN / "lab")
