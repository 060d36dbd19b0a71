"""Prints what attacks by lying probes achieve, as tables or as a JSON document."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

from fanous.model.attack import Attack, Fifth


def attack_document(attack: Attack) -> dict[str, Any]:
    """All that is known of one attack; ``share`` of the probes on the networks attacked."""
    return {
        "goal": attack.goal,
        "scope": str(attack.scope),
        "strategy": attack.strategy,
        "networks": attack.networks,
        "honest_probes_a_network": attack.honest,
        "days": attack.days,
        "networks_attacked": attack.spread,
        "liars": attack.liars,
        "share": None if attack.share is None else round(attack.share, 3),
    }


def print_attacks(console: Console, attacks: Iterable[Attack]) -> None:
    """One row an attack, as each is worked out."""
    table = Table("goal", "scope", "strategy", "networks", "honest", "days", "least liars", "share", box=None)
    for attack in attacks:
        liars = "none enough" if attack.liars is None else f"{attack.liars} on {attack.spread}"
        share = "-" if attack.share is None else f"{attack.share:.0%}"
        table.add_row(
            attack.goal,
            attack.scope.value,
            attack.strategy.partition(":")[0],
            str(attack.networks),
            f"{attack.honest} each",
            f"{attack.days:g}",
            liars,
            share,
        )
    console.print(table)


def fifth_document(fifth: Fifth) -> dict[str, Any]:
    """How often a fifth of the probes on one network of five reached a goal."""
    return {
        "goal": fifth.goal,
        "strategy": fifth.strategy or "nobody lies",
        "honest_probes": fifth.honest,
        "liars": fifth.liars,
        "times": fifth.times,
        "worked": fifth.worked,
        "national": fifth.national,
    }


def print_fifths(console: Console, fifths: Iterable[Fifth]) -> None:
    """One row a goal and strategy."""
    table = Table(
        "a fifth of one network's probes", "strategy", "probes", "times", "worked", "nation", box=None
    )
    goals = {"make": "make a claim of it", "unmake": "take it out of a true claim"}
    for fifth in fifths:
        table.add_row(
            goals[fifth.goal],
            fifth.strategy.partition(":")[0] or "nobody lies",
            f"{fifth.liars} of {fifth.honest + fifth.liars}",
            str(fifth.times),
            str(fifth.worked),
            str(fifth.national),
        )
    console.print(table)
