"""Envelope: the outer fields of a df-000 record, the same for every nettest."""

from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from string import ascii_letters, digits
from typing import Any

from fanous.evaluation.simulate.places import Flaw, Keeper, SimulatedProbe

SOFTWARE = "fanous-generator"
MARK = {"synthetic": "fanous"}
"""Stands in the annotations of every generated record, so that none is ever taken for a real one."""


@dataclass(frozen=True, slots=True)
class Round:
    """One run of a probe: what it measures one after the other, under one report for each nettest.

    Attributes:
        at: unix seconds, UTC.
        token: the random end of the report ids.
    """

    probe: SimulatedProbe
    at: float
    token: str


def new_round(probe: SimulatedProbe, at: float, chance: Random) -> Round:
    return Round(probe, at, "".join(chance.choices(ascii_letters + digits, k=16)))


def envelope(
    of: Round, test_name: str, version: str, began: float, took: float, chance: Random
) -> dict[str, Any]:
    """All fields but ``input`` and ``test_keys``.

    Args:
        began: unix seconds at which this measurement of the round began.
        took: seconds.
    """
    probe, network = of.probe, of.probe.network
    short, cc = test_name.replace("_", ""), network.country
    stamp, start = _utc(of.at), _utc(began)
    micro = int(began % 1 * 1e6)
    return {
        "annotations": {
            **MARK,
            "engine_name": "ooniprobe-engine",
            "engine_version": "3.20.0",
            "network_type": _network_type(probe),
            "platform": "linux" if probe.keeper is Keeper.OPERATOR else "android",
        },
        "data_format_version": "0.2.0",
        "measurement_start_time": f"{start:%Y-%m-%d %H:%M:%S}",
        "measurement_uid": f"{start:%Y%m%d%H%M%S}.{micro:06d}_{cc}_{short}_{chance.getrandbits(64):016x}",
        "probe_asn": f"AS{network.asn}",
        "probe_cc": cc,
        "probe_ip": "127.0.0.1",
        "probe_network_name": network.name,
        "report_id": f"{stamp:%Y%m%dT%H%M%SZ}_{short}_{cc}_{network.asn}_n1_{of.token}",
        "resolver_asn": f"AS{network.asn}",
        "resolver_ip": network.resolver_ip,
        "resolver_network_name": network.name,
        "software_name": SOFTWARE,
        "software_version": "1",
        "test_name": test_name,
        "test_runtime": round(took, 6),
        "test_start_time": f"{stamp:%Y-%m-%d %H:%M:%S}",
        "test_version": version,
    }


def _network_type(probe: SimulatedProbe) -> str:
    if probe.flaw is Flaw.VPN:
        return "vpn"
    if probe.keeper is Keeper.OPERATOR:
        return "wired_ethernet" if not probe.network.mobile else "mobile"
    return "mobile" if probe.network.mobile else "wifi"


def _utc(instant: float) -> datetime:
    return datetime.fromtimestamp(int(instant), UTC)
