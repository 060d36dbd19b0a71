"""Needs: what a lab requires: root, programs of Debian, kernel features, each actually tested.

The features are tested in a temporary namespace.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from fanous.errors import FanousError
from fanous.model.vitals import Need
from fanous_lab.registry import PREFIX
from fanous_lab.space import run, run_in

NO_LAB = "there is no lab"

PROGRAMS = {
    "ip": ("iproute2", NO_LAB),
    "tc": ("iproute2", "sni_throttle_shape, slowdown_general, rush_hour"),
    "iptables-legacy-restore": ("iptables", NO_LAB),
    "ip6tables-legacy-restore": ("iptables", NO_LAB),
    "nginx": ("nginx-light", NO_LAB),
}
"""Program -> (package of Debian, what does not work without it)."""

MATCHES = {
    "string": ("-m string --algo kmp --string x -j DROP", "everything that looks for a name"),
    "connmark": (
        "-j CONNMARK --set-mark 1",
        "sni_drop, sni_throttle_*, sni_loss, sni_freeze, http_blockpage",
    ),
    "connbytes": (
        "-m connbytes --connbytes 9: --connbytes-dir reply --connbytes-mode bytes -j DROP",
        "sni_freeze",
    ),
    "hashlimit": (
        "-m hashlimit --hashlimit-name t --hashlimit-above 9kb/s --hashlimit-mode dstip -j DROP",
        "sni_throttle_police",
    ),
    "statistic": ("-m statistic --mode random --probability 0.5 -j DROP", "sni_loss, loss_20, loss_burst"),
    "u32": ('-p tcp -m u32 --u32 "0>>22&0x3C@0>>1&0xF=1" -j DROP', "sni_throttle_shape"),
    "recent": ("-m recent --name t --rdest --set -j DROP", "residual"),
    "REJECT": ("-p tcp -j REJECT --reject-with tcp-reset", "sni_reset, ip_reset, server_down"),
    "NFQUEUE": ("-j NFQUEUE --queue-num 9", "the delay of 25 ms, and what needs a program in the path"),
}
"""Feature of iptables -> (a rule of the table ``filter`` that needs it, what does not work without it)."""

TABLES = {
    "nat": ("PREROUTING", "-p tcp --dport 9 -j REDIRECT --to-ports 9", "tls_mitm, captive_portal"),
    "mangle": ("POSTROUTING", "-j CLASSIFY --set-class 1:10", "sni_throttle_shape"),
}

QUEUES = {
    "htb": ("root handle 1: htb default 0", "sni_throttle_shape"),
    "tbf": ("root tbf rate 99kbit burst 4000 latency 400ms", "slowdown_general, rush_hour"),
}


def needs() -> list[Need]:
    """What the lab needs, in order; if something is missing, what depends on it is not tested."""
    has_bird = shutil.which("bird") is not None
    needs = [
        Need("lab", "root", os.geteuid() == 0, "run it as root (sudo)", NO_LAB),
        *(
            Need("lab", program, shutil.which(program) is not None, f"apt-get install {package}", without)
            for program, (package, without) in PROGRAMS.items()
        ),
        Need("lab", "bird", has_bird, "apt-get install bird2", "bgp_withdraw", is_vital=False),
    ]
    if all(need.found for need in needs if need.is_vital):
        needs.append(_http3())
        needs += _features()
    return needs


def missing() -> list[Need]:
    """The missing ones without which no lab can start."""
    return [need for need in needs() if need.is_vital and not need.found]


def _http3() -> Need:
    built_with = run(["sh", "-c", "nginx -V 2>&1"])
    mend = "nginx 1.25 or newer: Debian 13 has it"
    return Need("lab", "nginx with HTTP/3", "http_v3_module" in built_with, mend, NO_LAB)


def _features() -> list[Need]:
    mend = "a kernel with this module (modprobe, or another kernel)"
    try:
        with _own_namespace() as namespace:
            needs = [Need("lab", "network namespaces", True, mend, NO_LAB)]
            for name, (rule, without) in MATCHES.items():
                text = f"*filter\n-A FORWARD {rule}\nCOMMIT\n"
                has = _works(namespace, ["iptables-legacy-restore"], text)
                needs.append(Need("lab", f"iptables: {name}", has, mend, without, is_vital=False))
            for name, (hook, rule, without) in TABLES.items():
                text = f"*{name}\n-A {hook} {rule}\nCOMMIT\n"
                has = _works(namespace, ["iptables-legacy-restore"], text)
                needs.append(Need("lab", f"iptables: table {name}", has, mend, without, is_vital=False))
            for name, (queue, without) in QUEUES.items():
                has = _works(namespace, ["tc", "qdisc", "replace", "dev", "lo", *queue.split()])
                needs.append(Need("lab", f"tc: {name}", has, mend, without, is_vital=False))
    except FanousError as error:
        return [Need("lab", "network namespaces", False, f"{mend}; {error}", NO_LAB)]
    return needs


def _works(namespace: str, argv: list[str], text: str = "") -> bool:
    try:
        run_in(namespace, argv, text)
    except FanousError:
        return False
    return True


@contextmanager
def _own_namespace() -> Iterator[str]:
    name = f"{PREFIX}tried-{secrets.token_hex(3)}"
    run(["ip", "netns", "add", name])
    try:
        yield name
    finally:
        run(["ip", "netns", "del", name])
