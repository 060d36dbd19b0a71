"""Licences: under which terms the records of each source are passed on, and whom to name."""

from fanous.refdata.sources import SOURCES

LICENCES: dict[str, dict[str, str]] = {
    "edge": {
        "licence": "the packer's to license",
        "attribution": "",
        "remark": "measurements of the packer's own probes",
    },
    "ooni": {
        "licence": "CC BY-NC-SA 4.0",
        "attribution": "OONI, Open Observatory of Network Interference, https://ooni.org",
        "remark": "measurements of OONI's network",
    },
    "ooni-csv": {
        "licence": "CC BY-NC-SA 4.0",
        "attribution": "OONI, Open Observatory of Network Interference, https://ooni.org",
        "remark": "a table of OONI's observations",
    },
}
"""Source -> licence, attribution, remark (https://ooni.org/about/data-policy)."""

UNSTATED = {
    "licence": "none stated",
    "attribution": "",
    "remark": "ask whoever packed it before passing it on",
}


def licence_of(source: str) -> dict[str, str]:
    """Of a source of measurements or of series."""
    if source in SOURCES:
        known = SOURCES[source]
        return {"licence": known.licence, "attribution": known.credit, "remark": f"series of {known.title}"}
    return LICENCES.get(source, UNSTATED)
