"""What a lab lacks is named, with how to mend it and what does not work without it."""

import json
import os
import shutil

import pytest
from typer.testing import CliRunner

import fanous.pipeline.doctor
from fanous.cli.main import app
from fanous.model.vitals import Need
from fanous_lab import needs
from fanous_lab.censors import TECHNIQUES
from fanous_lab.registry import PREFIX
from fanous_lab.space import FOLDER
from tests.lab.conftest import skip_without_a_lab


def test_a_missing_program_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    there = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "nginx" else there(name))
    (lacking,) = [need for need in needs.needs() if need.name == "nginx"]
    assert (lacking.found, lacking.mend) == (False, "apt-get install nginx-light")
    assert lacking in needs.missing()


def test_without_root_there_is_no_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert needs.missing()[0].name == "root"


def test_a_feature_that_a_kernel_lacks_is_found_by_trying_it(monkeypatch: pytest.MonkeyPatch) -> None:
    skip_without_a_lab()
    monkeypatch.setattr(needs, "MATCHES", {"nonsense": ("-m nonsense -j DROP", "sni_nonsense")})
    (lacking,) = [need for need in needs.needs() if need.name == "iptables: nonsense"]
    assert (lacking.found, lacking.without, lacking.is_vital) == (False, "sni_nonsense", False)
    assert lacking not in needs.missing()
    assert not [path for path in FOLDER.iterdir() if path.name.startswith(f"{PREFIX}tried-")]


def test_this_machine_has_every_feature_or_says_which_not() -> None:
    skip_without_a_lab()
    lacking = [need.name for need in needs.needs() if not need.found]
    assert lacking == [], f"techniques that rest on {lacking} cannot be shown here"


def test_what_is_said_to_rest_on_a_feature_exists() -> None:
    texts = [without for _, without in needs.MATCHES.values()]
    texts += [without for *_, without in needs.TABLES.values()]
    texts += [without for _, without in needs.QUEUES.values()]
    named = [word for text in texts for word in text.replace(",", "").split() if "_" in word]
    for word in named:
        start = word.removesuffix("*")
        assert any(name.startswith(start) for name in TECHNIQUES), word


def test_doctor_says_for_each_part_whether_it_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        Need("probe", "Python 3.11", True, "", ""),
        Need("probe", "hyperscan", False, "pip install hyperscan", "slow", is_vital=False),
        Need("server", "chdb", False, "pip install 'fanous[server]'", "the facts"),
        Need("lab", "root", False, "run it as root", "there is no lab"),
    ]
    monkeypatch.setattr(
        fanous.pipeline.doctor, "examine", lambda _store: [n for n in found if n.part != "lab"]
    )
    monkeypatch.setattr(needs, "needs", lambda: [need for need in found if need.part == "lab"])
    document = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
    assert document["ready"] == {"probe": True, "server": False, "lab": False}
    assert {need.name for need in found} <= {need["name"] for need in document["needs"]}
    text = CliRunner().invoke(app, ["doctor"]).stdout
    assert "missing  chdb: pip install 'fanous[server]'" in text
    assert "lacking  hyperscan: pip install hyperscan" in text


def test_doctor_looks_at_this_machine() -> None:
    parts = {
        need["part"] for need in json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)["needs"]
    }
    assert parts == {"probe", "server", "lab"}
