"""The recipe for a sender, carried out: one file, its line, its key, and a message arrives."""

import shutil
import subprocess
import sys
from pathlib import Path

import fanous
from tests.children import child_environment

FILE = '''"""Drop: a message as a file, for a desk that watches a folder."""

from pathlib import Path

from fanous.errors import FanousError
from fanous.publish.alerts.channel import Channel
from fanous.publish.alerts.message import Message
from fanous.publish.alerts.channel import Attempt, Means


async def send_to_drop(channel: Channel, message: Message, _now: float) -> Attempt:
    Path(channel.address).write_text(message.title)
    return Attempt()


def check_folder(address: str) -> None:
    if not Path(address).parent.is_dir():
        raise FanousError("there is no such folder")


DROP = Means("drop", send_to_drop, check_folder, on_web=False)
'''
SEND = """
import asyncio, sys
from pathlib import Path
from fanous.publish.alerts.message import Sender, test_message
from fanous.publish.alerts.senders import SENDERS
from fanous.publish.alerts.settings import read_alerting
channel = read_alerting(Path("fanous.toml")).channel("desk")
message = test_message("key", 0.0, Sender())
assert asyncio.run(SENDERS[channel.means].send(channel, message, 0.0)).why == ""
"""
CONFIG = """
[alerts.channels.desk]
drop = "{}"
[[alerts.rules]]
channels = ["desk"]
"""


def with_sender(folder: Path, *, key: bool) -> Path:
    """A copy of the package that has one more sender."""
    package = folder / "fanous"
    shutil.copytree(Path(fanous.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    alerts = package / "publish/alerts"
    (alerts / "senders/drop.py").write_text(FILE)
    registry = (alerts / "senders/__init__.py").read_text()
    registry = registry.replace("(APPRISE, WEBHOOK", "(DROP, APPRISE, WEBHOOK")
    line = "from fanous.publish.alerts.senders.drop import DROP\n"
    registry = registry.replace(
        "from fanous.publish.alerts.channel", f"{line}from fanous.publish.alerts.channel"
    )
    (alerts / "senders/__init__.py").write_text(registry)
    if key:
        table = (alerts / "settings.py").read_text()
        (alerts / "settings.py").write_text(
            table.replace('    webhook: Text = ""\n', '    webhook: Text = ""\n    drop: Text = ""\n')
        )
    return package


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "fanous.toml").write_text(CONFIG.format(folder / "told.txt"))
    return subprocess.run(
        [sys.executable, "-c", SEND],
        capture_output=True,
        text=True,
        env=child_environment() | {"PYTHONPATH": str(folder)},
        cwd=folder,
    )


def test_a_sender_is_one_file_its_line_and_its_key(tmp_path: Path) -> None:
    with_sender(tmp_path, key=True)
    ran = run(tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "told.txt").read_text() == "Fanous: Test"


def test_a_sender_whose_address_has_no_key_ends_the_import(tmp_path: Path) -> None:
    with_sender(tmp_path, key=False)
    assert "ValueError: sender drop: ChannelTable has no key of this name" in run(tmp_path).stderr
