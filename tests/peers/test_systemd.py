"""The units of ``packaging/systemd`` under a real systemd: Debian, booted in a container of systemd-nspawn."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.collector.probe import OPEN, measurement
from tests.documents import ROOT
from tests.peers.programs import FOLDER, program

pytestmark = pytest.mark.peers

UNITS = ("fanous.service", "fanous-collect.service")
CONFIGURATION = """\
[run]
listen = "127.0.0.1:8470"
inbox = "/var/lib/fanous-inbox"
[rounds]
on = false
[collector]
on = false
"""

CHECK = """\
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/checks/check
[Install]
WantedBy=multi-user.target
"""

SCRIPT = """\
#!/usr/bin/python3
import glob, json, os, pwd, subprocess, time, urllib.request

DOOR = "http://127.0.0.1:8471"

def until_served(url):
    for _ in range(120):
        try:
            return urllib.request.urlopen(url, timeout=5).status
        except OSError:
            time.sleep(0.5)
    return 0

def send(path, document):
    headers = {"Content-Type": "application/json", "X-Forwarded-For": "39.32.0.1"}
    request = urllib.request.Request(DOOR + path, json.dumps(document).encode(), headers)
    return json.load(urllib.request.urlopen(request, timeout=30))

def waiting():
    return glob.glob("/var/lib/fanous-inbox/*.jsonl*")

def received():
    # Who wrote what then reaches the store of another user.
    opened = json.load(open("/checks/open.json"))
    content = json.load(open("/checks/measurement.json"))
    for document in (opened, content):
        document["test_start_time"] = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    report = send("/report", opened)["report_id"]
    content |= {"report_id": report, "measurement_start_time": content["test_start_time"]}
    send("/report/" + report, {"format": "json", "content": content})
    (path,) = waiting()
    owner = pwd.getpwuid(os.stat(path).st_uid).pw_name
    for _ in range(120):
        if not waiting():
            return owner
        time.sleep(0.5)
    return "left in the inbox"

def systemctl(*words):
    return subprocess.run(["systemctl", *words], capture_output=True, text=True).stdout.strip()

with open("/checks/told", "w") as told:
    print("page", until_served("http://127.0.0.1:8470/"), file=told, flush=True)
    print("door", until_served(DOOR + "/"), file=told, flush=True)
    print("from", received(), file=told, flush=True)
    for unit in ("fanous", "fanous-collect"):
        print(unit, systemctl("is-active", unit), systemctl("show", "-P", "NRestarts", unit), file=told, flush=True)
    for unit in ("fanous", "fanous-collect"):
        systemctl("stop", unit)
        print(unit, systemctl("show", "-P", "Result", unit), file=told, flush=True)
    print(subprocess.run(["journalctl", "-b", "--no-pager", "-u", "fanous*"], capture_output=True, text=True).stdout,
          file=told, flush=True)
systemctl("poweroff", "--force")
"""


def debian() -> Path:
    """The root folder that ``make peers`` made with debootstrap, or a skip."""
    root = FOLDER / "debian"
    if os.geteuid() or not (root / "usr/lib/systemd/systemd").exists():
        pytest.skip("not present: a Debian to boot (`make peers` makes one, as root, with debootstrap)")
    return root


def prepared(tmp_path: Path) -> Path:
    """A copy of the root folder with the units, and what they run."""
    root = tmp_path / "root"
    subprocess.run(["cp", "-a", debian(), root], check=True)  # which copies devices as devices
    checks = root / "checks"
    checks.mkdir()
    (checks / "check").write_text(SCRIPT)
    (checks / "check").chmod(0o755)
    (checks / "open.json").write_text(json.dumps(OPEN))
    (checks / "measurement.json").write_text(json.dumps(measurement()))
    packaging = ROOT / "packaging"
    shutil.copy(packaging / "sysusers.conf", root / "usr/lib/sysusers.d/fanous.conf")
    (root / "etc/systemd/system/fanous.service.d").mkdir(parents=True)
    shutil.copy(packaging / "inbox.conf", root / "etc/systemd/system/fanous.service.d")
    (root / "etc/fanous").mkdir()
    (root / "etc/fanous/fanous.toml").write_text(CONFIGURATION)
    for name in ("bin", "src", "venv"):
        (root / "opt/fanous" / name).mkdir(parents=True)
    command = root / "opt/fanous/bin/fanous"
    command.write_text(
        '#!/bin/sh\nPYTHONPATH=/opt/fanous/src exec /opt/fanous/venv/bin/python -m fanous "$@"\n'
    )
    command.chmod(0o755)
    units = root / "etc/systemd/system"
    (units / "multi-user.target.wants").mkdir(exist_ok=True)
    (units / "check.service").write_text(CHECK)
    for name in UNITS:
        shutil.copy(packaging / "systemd" / name, units / name)
    for name in (*UNITS, "check.service"):
        (units / "multi-user.target.wants" / name).symlink_to(f"../{name}")
    return root


def test_the_units_start_serve_and_stop_under_systemd(tmp_path: Path) -> None:
    nspawn = program("systemd-nspawn", "systemd-container")
    root = prepared(tmp_path)
    words = [nspawn, "--quiet", "--register=no", "--keep-unit", "--boot", f"--directory={root}"]
    places = {ROOT / "src": "src", Path(sys.prefix).resolve(): "venv"}
    words += [f"--bind-ro={path}:/opt/fanous/{name}" for path, name in places.items()]
    environment = os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
    booted = subprocess.run(
        words, env=environment, capture_output=True, text=True, timeout=400, stdin=subprocess.DEVNULL
    )
    told = root / "checks/told"
    assert told.exists(), f"it did not boot: {(booted.stdout + booted.stderr)[-3000:]}"
    lines = told.read_text().splitlines()
    assert lines[:7] == [
        "page 200",
        "door 200",
        "from fanous-collect",
        "fanous active 0",
        "fanous-collect active 0",
        "fanous success",
        "fanous-collect success",
    ], told.read_text()
