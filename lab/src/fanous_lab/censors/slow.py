"""Slow: queues that a censor puts in front of some or all of a user's traffic."""

from fanous_lab.censors.by_name import marked, marking
from fanous_lab.censors.cut import Strike, Undo
from fanous_lab.censors.firewall import Rules, for_each, on_routers
from fanous_lab.plan import VantagePoint
from fanous_lab.space import run_in

QUEUE_BYTES = 60_000
"""Size of a shaper's queue: it delays packets, and drops only those that do not fit."""

SHARED_OUT = 16
"""Queues per user, chosen by the port of the connection: a probe of the lab begins a round every two seconds, and
handshakes that share a download's queue would take a fifth of its rate."""

PORT_BITS = {4: "0>>22&0x3C@0>>1&0xF", 6: "40>>1&0xF"}
"""Four bits of a TCP segment's destination port (xt_u32), by IP version; Linux hands out ports of one parity, so the
lowest bit is left out."""

BURST_BYTES = 4_000
TBF_LATENCY = "400ms"

CROWDED_BURST_BYTES = 16_000
CROWDED_LATENCY = "60ms"
"""Longest delay in a provider's queue in the rush hour: about one more round trip; the excess is dropped."""


def shape(strike: Strike) -> Undo:
    """Connections that name a target are queued, each at the given rate (HTB), on the way to the user."""

    def rules(points: list[VantagePoint], version: int) -> list[Rules]:
        of_port = f"{marked(strike)} -p tcp -m u32 --u32 {PORT_BITS[version]}"
        into = [f"{of_port}={n:#x} -j CLASSIFY --set-class {_class(n)}" for n in range(SHARED_OUT)]
        return [
            Rules(marking(strike, points, version), "FORWARD", "mangle"),
            Rules(into, "POSTROUTING", "mangle"),
        ]

    rate = f"{strike.cut.rate_kbps}kbit"
    undo_queues = _queues(
        strike,
        ["qdisc add dev {link} root handle 1: htb default 0"],
        *(
            [
                f"class add dev {{link}} parent 1: classid {_class(n)} htb rate {rate} burst {BURST_BYTES}",
                f"qdisc add dev {{link}} parent {_class(n)} bfifo limit {QUEUE_BYTES}",
            ]
            for n in range(SHARED_OUT)
        ),
    )
    undo_rules = on_routers(strike, rules)
    return lambda: (undo_rules(), undo_queues())[0]


def _class(number: int) -> str:
    """The queue's class as tc and iptables write it."""
    return f"1:{0x10 + number:x}"


def slow_down(strike: Strike) -> Undo:
    """Everything that a user receives goes through a narrow pipe (TBF)."""
    rate = f"{strike.cut.rate_kbps}kbit"
    return _queues(
        strike, [f"qdisc add dev {{link}} root tbf rate {rate} burst {BURST_BYTES} latency {TBF_LATENCY}"]
    )


def crowd(strike: Strike) -> Undo:
    """The queue of a pipe that others use too; ``boxes.line`` plays these others."""
    tbf = f"tbf rate {strike.cut.rate_kbps}kbit burst {CROWDED_BURST_BYTES} latency {CROWDED_LATENCY}"
    return _queues(strike, [f"qdisc add dev {{link}} root {tbf}"])


def _queues(strike: Strike, *commands: list[str]) -> Undo:
    """Queues on the routers' interfaces towards the vantage points hit."""
    lines = [line for command in commands for line in command]

    def on(point: VantagePoint) -> None:
        text = "\n".join(line.format(link=point.link) for line in lines)
        run_in(point.router, ["tc", "-batch", "-"], text)

    def off(point: VantagePoint) -> None:
        run_in(point.router, ["tc", "qdisc", "del", "dev", point.link, "root"])

    for_each(strike.points, on)
    return lambda: for_each(strike.points, off)
