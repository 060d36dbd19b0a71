"""Servers: what happens at the other end, so that it is no interference by anybody on the way."""

from pathlib import Path

from fanous.lab.censors.cut import Strike, Undo
from fanous.lab.censors.firewall import Rules, install, of_version


def take_down(strike: Strike) -> Undo:
    """The targets' servers refuse everybody, the outside helper included."""

    def rules(version: int) -> list[Rules]:
        lines = []
        for address in of_version(strike.addresses, version):
            lines.append(f"-d {address} -p tcp -j REJECT --reject-with tcp-reset")
            lines.append(f"-d {address} -p udp -j REJECT")
        return [Rules(lines, "INPUT")]

    world = strike.internet.names.world
    return install(strike, [(world, version, rules(version)) for version in strike.versions])


def refuse_country(strike: Strike) -> Undo:
    """The targets' servers answer 451 (RFC 7725) to the vantage points hit, with a valid certificate."""
    files = [
        strike.internet.folder / "451" / host / address
        for host in strike.hosts
        for point in strike.points
        for address in (point.address, point.address6)
        if address
    ]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return lambda: _remove(files)


def _remove(files: list[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def rotate(strike: Strike) -> Undo:
    """Resolvers of different networks get different addresses of the targets, all of them good."""
    strike.internet.tell_dns({"do": "rotate", "hosts": strike.hosts})
    return lambda: strike.internet.tell_dns({"do": "fix", "hosts": strike.hosts})
