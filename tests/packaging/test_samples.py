"""Samples for proxies, Prometheus and Grafana: what others' programs check, they accept; every metric named exists."""

import json
import re
import shutil
import subprocess
import tomllib
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # as in test_packaging

from fanous.monitor.settings import read
from tests.documents import ROOT

PACKAGING = ROOT / "packaging"
PROMETHEUS = PACKAGING / "prometheus"
METRIC = re.compile(r"\bfanous_[a-z_]+")


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed here: apt-get install {name}")
    return found


@pytest.mark.parametrize(
    "words",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "rules.yml"),
        ("test", "rules", "rules-test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_accepts_the_samples(words: tuple[str, ...]) -> None:
    done = subprocess.run(
        [program("promtool"), *words], cwd=PROMETHEUS, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nginx_accepts_the_sample(tmp_path: Path) -> None:
    """With a certificate of the test's own in place of Let's Encrypt's."""
    nginx = program("nginx")
    subprocess.run(
        [
            *(
                program("openssl"),
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
            ),
            *("-subj", "/CN=fanous.example", "-keyout", tmp_path / "privkey.pem"),
            *("-out", tmp_path / "fullchain.pem"),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    sample = (PACKAGING / "proxy" / "nginx.conf").read_text()
    sample = sample.replace("/etc/letsencrypt/live/fanous.example", str(tmp_path))
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{sample}}}\n")
    done = subprocess.run(
        [nginx, "-t", "-c", whole, "-p", tmp_path], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["Caddyfile", "nginx.conf", "apache.conf"])
def test_each_proxy_sets_the_readers_address_and_streams(name: str) -> None:
    sample = (PACKAGING / "proxy" / name).read_text()
    assert "127.0.0.1:8470" in sample
    assert "127.0.0.1:8471" in sample
    assert "X-Forwarded-For" in sample
    assert any(word in sample for word in ("flush_interval -1", "proxy_buffering off", "flushpackets=on"))
    shown = re.findall(r"^#     (.*)", sample, re.M)
    said = tomllib.loads("\n".join(shown))
    assert said["web"]["trust_proxy"] == said["collector"]["trust_proxy"] == ["127.0.0.1/32"]


@pytest.mark.parametrize(
    ("name", "proxies"),
    [("fanous.toml", {"127.0.0.1/32"}), ("container.toml", {"172.17.0.1/32", "172.30.84.1/32"})],
)
def test_what_ships_names_the_proxy_before_it_and_takes_everyone_for_a_stranger(
    name: str, proxies: set[str]
) -> None:
    found = read(PACKAGING / name, Path("store"))
    assert set(found.door.trust_proxy) == set(found.site.trust_proxy) == proxies
    assert found.door.open_to_all


@pytest.mark.parametrize("name", ["compose.yaml", "compose.servers.yaml"])
def test_the_network_of_containers_has_the_proxys_address(name: str) -> None:
    composed = yaml.safe_load((PACKAGING / name).read_text())
    (network,) = composed["networks"]["default"]["ipam"]["config"]
    assert network["gateway"] == "172.30.84.1"
    assert ip_address("172.30.84.2") in ip_network(network["subnet"])
    command = composed["services"].get("collector", {}).get("command", [])
    assert not command or command[command.index("--trust-proxy") + 1] == "172.30.84.2"
    assert "ip_range" not in network or ip_address("172.30.84.2") not in ip_network(network["ip_range"])


def test_the_door_as_a_service_names_its_proxy() -> None:
    unit = (PACKAGING / "systemd" / "fanous-collect.service").read_text()
    assert " --trust-proxy 127.0.0.1 " in unit


def named(text: str) -> set[str]:
    return set(METRIC.findall(text))


def test_every_metric_that_is_named_is_one_of_ours() -> None:
    source = ROOT / "src" / "fanous"
    made = named((source / "web/application.py").read_text() + (source / "pipeline/status.py").read_text())
    rules = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())
    used = {one for group in rules["groups"] for rule in group["rules"] for one in named(rule["expr"])}
    board = json.loads((PACKAGING / "grafana" / "fanous.json").read_text())
    drawn = {one for panel in board["panels"] for target in panel["targets"] for one in named(target["expr"])}
    assert used
    assert len(drawn) >= 8
    assert used | drawn <= made


def test_units_read_secrets_from_a_file_of_their_own() -> None:
    units = {*(PACKAGING / "systemd").glob("*.service")}
    untold = {PACKAGING / "systemd" / f"fanous-{name}.service" for name in ("signer", "collect")}
    for unit in units - untold:  # users of their own, to whom no secret of the monitor's is told
        assert re.search("^EnvironmentFile=-?/etc/fanous/", unit.read_text(), re.M), unit.name
