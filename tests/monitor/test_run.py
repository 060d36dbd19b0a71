"""``fanous run`` begins, refuses to begin, and ends."""

import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.monitor.lab import fanous, monitor, until

QUIET = '[run]\nlisten = "127.0.0.1:0"\n[collector]\nlisten = "127.0.0.1:0"\n[rounds]\non = false\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "fanous.toml"
    file.write_text(f'[store]\nfolder = "store"\n{text}', encoding="utf-8")
    return file


@pytest.mark.matrix
def test_it_ends_in_order_and_a_second_one_is_told_who_has_the_store(tmp_path: Path) -> None:
    config = written(tmp_path, QUIET)
    with monitor(config) as running, httpx.stream("GET", f"{running.page}live", trust_env=False) as stream:
        assert next(stream.iter_lines()).startswith("retry: ")  # a page that is open somewhere
        code, out, err = fanous("run", "--config", str(config))
        assert (code, out) == (1, "")
        assert f"in use by process {running.process.pid}" in err
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(60) == 0
        running.reader.join(10)
    assert [line.split()[2] for line in running.log] == [
        "lists_missing",
        "credentials_made",
        "started",
        "pages",
        "listening",
        "stopping",
        "stopped",
    ]
    assert (tmp_path / "store" / "facts.lock").read_bytes() == b"", "released in order"


def test_an_address_that_is_taken_is_said_before_anything_begins(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = written(tmp_path, QUIET.replace('"127.0.0.1:0"\n[coll', f'"127.0.0.1:{port}"\n[coll'))
        code, _, err = fanous("run", "--config", str(config))
    assert code == 1
    assert err.splitlines()[-1].startswith(f"fanous: cannot listen on 127.0.0.1:{port}: ")
    assert err.splitlines()[-1].endswith(
        "choose another with --port, or `listen` in [run] of the configuration"
    )
    assert "started" not in err


@pytest.mark.matrix
def test_it_says_how_it_is_where_the_configuration_names_an_address(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = written(tmp_path, QUIET.replace("[run]\n", f'[run]\nstatus = "127.0.0.1:{port}"\n'))
    with (
        monitor(config) as running,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        deadline = time.monotonic() + 60
        while http.get("/readyz").status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert http.get("/readyz").text == "ok\n"
        assert http.get("/healthz").text == "ok\n"
        assert http.get("/ailments").json() == {"ailments": [], "feed": []}
        assert f'fanous_inbox_files{{inbox="{tmp_path}/store.inbox"}} 0\n' in http.get("/metrics").text
        assert running.stop() == 0


@pytest.mark.matrix
@pytest.mark.parametrize("switch", ["--no-probe", "--no-collector"])
def test_a_part_can_be_left_out(switch: str, tmp_path: Path) -> None:
    config = written(tmp_path, QUIET.replace("on = false", 'urls = ["http://127.0.0.1:9/"]\nhealth = false'))
    with monitor(config, switch) as running:
        if switch == "--no-probe":
            until(lambda: any(" listening " in line for line in running.log), running)
        assert running.stop() == 0
    log = "".join(running.log)
    assert (" listening " in log) == (switch == "--no-probe")
    assert ("[rounds]" in log and " not_measuring why=" in log) == (switch == "--no-collector"), (
        "no one consented"
    )
    assert (" not_placed " in log) == (switch == "--no-collector")
