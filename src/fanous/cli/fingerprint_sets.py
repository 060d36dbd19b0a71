"""Prints the result of a fingerprint update, and which sets are installed, as text or JSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fanous.refdata.about import SetOrigin
from fanous.refdata.figures import APNIC_URL
from fanous.refdata.sets import PUBLIC_SETS
from fanous.refdata.update import Updated, UpdateOutcome
from fanous.refdata.weights import InstalledUsers

ROWS_SHOWN = 10
"""Bad rows that are listed for each set; ``--json`` lists all."""


def updated_document(updates: Sequence[Updated]) -> list[dict[str, Any]]:
    return [
        {
            "file": one.file,
            "source": one.source,
            "outcome": str(one.outcome),
            "why": one.why or None,
            "usable": one.usable,
            "bad_rows": [{"line": row.line, "why": row.why} for row in one.bad],
            "left_out": one.left_out,
        }
        for one in updates
    ]


def updated_lines(updates: Sequence[Updated]) -> list[str]:
    """What the user reads after an update."""
    lines: list[str] = []
    for one in updates:
        if one.outcome is UpdateOutcome.FAILED:
            lines.append(f"{one.file}: not updated: {one.why}")
            continue
        lines.append(f"{one.file}: {one.outcome}, {one.usable:,} {one.of} from {one.source}")
        lines += [f"  {count:,} left out: {reason}" for reason, count in one.left_out.items()]
        lines += [f"  {one.source}:{row.line}: {row.why}" for row in one.bad[:ROWS_SHOWN]]
        if len(one.bad) > ROWS_SHOWN:
            lines.append(f"  ... and {len(one.bad) - ROWS_SHOWN:,} more rows (--json lists them)")
    return lines


def failure(updates: Sequence[Updated]) -> str:
    """What to do about what failed; empty = nothing failed."""
    failed = [one for one in updates if one.outcome is UpdateOutcome.FAILED]
    if not failed:
        return ""
    urls = {APNIC_URL, *(one.url for one in PUBLIC_SETS)} & {one.source for one in failed}
    advice = (
        "; where there is no network, fetch the files elsewhere and give each with --from FILE: "
        + " ".join(sorted(urls))
        if urls
        else ""
    )
    return f"{len(failed)} of {len(updates)} sets could not be updated, and what stood before stands{advice}"


def installed_document(sets: Sequence[tuple[Path, SetOrigin | None]], version: str) -> dict[str, Any]:
    return {
        "rules_version": version,
        "sets": [
            {
                "file": path.name,
                "source": about.source if about else None,
                "installed_at": about.installed_at if about else None,
                "licence": about.licence if about else None,
                "sha256": about.sha256 if about else None,
                "usable": about.usable if about else None,
            }
            for path, about in sets
        ],
    }


def installed_lines(sets: Sequence[tuple[Path, SetOrigin | None]], version: str) -> list[str]:
    if not sets:
        return ["only what ships with Fanous; `fanous refdata update` brings larger sets in"]
    lines = [f"rules version: {version}"]
    for path, about in sets:
        if about is None:
            lines.append(f"{path.name}: changed by hand, or put there; nothing is known of its source")
        else:
            date = about.installed_at[:10]
            lines.append(f"{path.name}: {about.usable:,} fingerprints, {date}, licence: {about.licence}")
            lines.append(f"  {about.source}")
    return lines


def users_document(users: Sequence[InstalledUsers]) -> list[dict[str, Any]]:
    return [
        {
            "kind": one.kind,
            "countries": list(one.countries),
            "source": one.source,
            "date": one.date,
            "licence": one.licence or None,
        }
        for one in users
    ]


def users_lines(users: Sequence[InstalledUsers]) -> list[str]:
    """Whose figures count, those that count first before the others."""
    lines = []
    for one in users:
        named = ", ".join(one.countries[:ROWS_SHOWN])
        more = f" and {len(one.countries) - ROWS_SHOWN} more" if len(one.countries) > ROWS_SHOWN else ""
        lines.append(f"users ({one.kind}): {named}{more}; {one.date}, {one.source}")
    return lines
