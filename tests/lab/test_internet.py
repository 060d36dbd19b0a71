"""The lab comes up whole, stays inside itself, and leaves nothing behind, however it ends."""

import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous_lab import registry
from fanous_lab.internet import Internet, attach
from fanous_lab.plan import DOH_RESOLVER, DOMESTIC_ADDRESS, DOMESTIC_HOST, PUBLIC_RESOLVER, plan_of
from fanous_lab.registry import LabFolder
from fanous_lab.space import entered, run, run_in
from tests.lab.clients import asked, connected, handshake, load
from tests.lab.conftest import skip_without_a_lab

pytestmark = pytest.mark.lab


def test_a_page_comes_over_either_ip_version(internet: Internet) -> None:
    point = internet.vantage_points[0]
    for ip in internet.addresses_of(["x.com"]):
        loaded = load(point, internet.ca_file, ip, "x.com")
        assert (loaded.result, loaded.code) == ("ok", 200)
        assert loaded.size > 400_000


def test_the_border_takes_its_time(internet: Internet) -> None:
    """There and back is twice the delay at least; inside the country it is not."""
    point, seconds = internet.vantage_points[0], {}
    for ip in (PUBLIC_RESOLVER, DOMESTIC_ADDRESS):
        began = time.monotonic()
        assert connected(point, ip) == "ok"
        seconds[ip] = time.monotonic() - began
    assert seconds[PUBLIC_RESOLVER] >= 2 * internet.plan.delay_ms / 1000 - 0.002
    assert seconds[DOMESTIC_ADDRESS] < seconds[PUBLIC_RESOLVER]


def test_a_site_has_its_own_certificate_and_no_other(internet: Internet) -> None:
    point, (ip, *_) = internet.vantage_points[0], internet.addresses_of(["x.com"])
    assert handshake(point, internet.ca_file, ip, "x.com") == "ok"
    assert handshake(point, internet.ca_file, ip, "www.youtube.com") == "untrusted"


@pytest.mark.parametrize("kind", ["A", "AAAA"])
def test_every_resolver_knows_the_lab_s_names(internet: Internet, kind: str) -> None:
    point = internet.vantage_points[-1]
    for server in (point.resolver, point.resolver6, PUBLIC_RESOLVER, DOH_RESOLVER):
        ((found, _),) = asked(point, server, "x.com", kind)
        assert found in internet.addresses_of(["x.com"])
    assert asked(point, point.resolver, "no-such-name.example") == [("NXDOMAIN", 0)]
    assert asked(point, point.resolver, DOMESTIC_HOST)[0][0] in internet.addresses_of([DOMESTIC_HOST])


def test_an_ordinary_program_runs_at_a_vantage_point(internet: Internet) -> None:
    """Its resolver and its authorities are the lab's."""
    script = (
        "import urllib.request as u; r = u.urlopen('https://www.youtube.com/', timeout=5); print(r.status)"
    )
    argv = internet.argv(internet.vantage_points[1], [sys.executable, "-c", script])
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == "200\n"


def test_the_machine_s_own_network_is_out_of_reach(internet: Internet) -> None:
    """Neither its addresses nor its interfaces are seen from inside, nor the lab's from outside."""
    assert "country" not in run(["ip", "-o", "link"])
    with socket.create_server(("0.0.0.0", 0)) as outside:
        port = outside.getsockname()[1]
        for line in run(["ip", "-4", "-o", "addr", "show"]).splitlines():
            own = line.split()[3].partition("/")[0]
            assert connected(internet.vantage_points[0], own, port) != "ok"
    for namespace in registry.namespaces_of(LabFolder(internet.folder)):
        links = run_in(namespace, ["ip", "-o", "link"]).splitlines()
        assert all("link-netns" in line for line in links if "@if" in line)  # its peer is in another one


def test_a_lab_whose_process_was_killed_is_removed_by_the_next() -> None:
    skip_without_a_lab()
    script = (
        "import time; from fanous_lab.internet import Internet; from fanous_lab.plan import plan_of\n"
        "internet = Internet(plan_of(2)); internet.up(); print(internet.folder, flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    lab = LabFolder(Path(child.stdout.readline().strip()))
    programs, spaces = lab.children(), registry.namespaces_of(lab)
    assert len(programs) == 5 and len(spaces) == 9 and all(one.is_alive for one in programs)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert lab.name in registry.remove_dead()
    assert not lab.folder.exists() and registry.namespaces_of(lab) == []
    assert not any(one.is_alive for one in programs)


@pytest.mark.parametrize("call", ["Internet(plan_of(1)).up()", "remove_dead()"])
def test_without_root_one_sentence_says_so(call: str) -> None:
    skip_without_a_lab()
    script = (
        "import os; from fanous.errors import FanousError; from fanous_lab.internet import Internet\n"
        "from fanous_lab.plan import plan_of; from fanous_lab.registry import labs, remove_dead\n"
        f"plan_of(1).sites; os.seteuid(65534)\ntry: {call}\nexcept FanousError as error: print(error)\n"
        "assert all(lab.is_held for lab in labs())"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout == "a lab needs root, because its networks are kernel namespaces: run it with sudo\n"


def test_a_lab_that_someone_holds_is_left_alone(internet: Internet) -> None:
    assert internet.folder.name not in registry.remove_dead()
    with pytest.raises(FanousError, match="already exists"):
        Internet(plan_of(1), name=internet.folder.name).up()
    assert connected(internet.vantage_points[0], PUBLIC_RESOLVER) == "ok"


def test_a_lab_can_be_looked_at_from_another_process(internet: Internet) -> None:
    seen = attach(LabFolder(internet.folder))
    assert seen.plan == internet.plan
    assert seen.vantage_points == internet.vantage_points
    with pytest.raises(FanousError, match="as17557-1"):
        seen.vantage_point("as1-1")


def test_without_ipv6_no_one_has_an_address_of_it() -> None:
    skip_without_a_lab()
    from dataclasses import replace

    with Internet(replace(plan_of(1), is_ipv6=False)) as internet:
        (point,) = internet.vantage_points
        assert point.address6 == ""
        old, *_, new = internet.addresses_of(["x.com"])
        assert load(point, internet.ca_file, old, "x.com").code == 200
        assert connected(point, new) == "unreachable"


def test_this_thread_is_back_where_it_was(internet: Internet) -> None:
    where = Path("/proc/thread-self/ns/net")
    here = where.readlink()
    with pytest.raises(ValueError, match="inside"), entered(internet.names.core):
        assert where.readlink() != here
        raise ValueError("inside")
    assert where.readlink() == here


def test_two_cuts_of_one_instant_have_two_numbers(tmp_path: Path) -> None:
    lab = Internet(plan_of(1))
    lab.folder = tmp_path
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: lab.next_number(), range(200)))
    assert sorted(numbers) == list(range(1, 201))
