"""Reference: versions and contents of all that a conclusion takes from outside of the records."""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from hashlib import sha256
from types import ModuleType
from typing import Any

import msgspec

import fanous.aggregate
import fanous.baselines
import fanous.repeats
import fanous.silence
import fanous.slowness
from fanous import interfering, pipeline
from fanous.detectors import DETECTOR_VERSION, DETECTORS, SLOWDOWN_DETECTOR_VERSION
from fanous.judging import rules_version
from fanous.refdata.platforms import domains_of
from fanous.refdata.tables import bytes_of
from fanous.rules import Fingerprint
from fanous.users import user_weights

FILES = ("fingerprints.toml", "platforms.toml")
"""Reference data that every record is read with."""


def reference() -> dict[str, Any]:
    """Versions and digests: what has to be the same for two machines to compute the same.

    The fingerprint sets that a user installed are in the rules' version, behind its ``+``; user figures are
    in the bundle (``used``), and what is computed is computed with those.
    """
    digests = {name: sha256(bytes_of(name)).hexdigest() for name in FILES}
    return {
        "rules_version": rules_version(),
        "detector_version": DETECTOR_VERSION,
        "slowdown_detector_version": SLOWDOWN_DETECTOR_VERSION,
        "sha256": digests,
    }


def used(country: str, targets: Iterable[str], found: Mapping[str, Fingerprint]) -> dict[str, Any]:
    """The parts of reference data that this incident rests on: the country's user shares, with which it is
    computed again; the rest for a reader.

    A fingerprint out of a published set is named; its text is its makers' to pass on.
    """
    return {
        "user_shares": msgspec.to_builtins(user_weights(country)),
        "platforms": {target: domains_of(target) for target in sorted(targets)},
        "fingerprints": {
            name: {"where": str(one.where), "kind": str(one.kind), "source": one.source or one.origin}
            | ({} if one.origin else {"pattern": one.pattern, "literal": one.literal})
            for name, one in sorted(found.items())
        },
    }


def parameters() -> dict[str, Any]:
    """Every threshold of the pure parts by module, and every detector's options."""
    modules = [
        fanous.aggregate,
        fanous.baselines,
        interfering,
        fanous.repeats,
        fanous.silence,
        fanous.slowness,
    ]
    for package in ("fanous.rules", "fanous.detectors", "fanous.incidents"):
        names = (found.name for found in pkgutil.iter_modules(importlib.import_module(package).__path__))
        modules += [importlib.import_module(f"{package}.{name}") for name in names]
    found = {module.__name__: _numbers(module) for module in modules}
    found["fanous.pipeline"] = {"HISTORY": pipeline.HISTORY}
    for name, detector in DETECTORS.items():
        found[f"detector {name}"] = asdict(detector.options)
    return {name: values for name, values in sorted(found.items()) if values}


def _numbers(module: ModuleType) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in sorted(vars(module).items())
        if name.isupper() and not name.startswith("_") and _is_number(value)
    }


def _is_number(value: Any) -> bool:
    if isinstance(value, tuple):
        return bool(value) and all(map(_is_number, value))
    return isinstance(value, int | float)


def unlike(theirs: Any, ours: Any, at: str = "") -> list[tuple[str, str, str]]:
    """(what, in the bundle, here) of each leaf in which two documents differ."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return [
            each
            for name in sorted({*theirs, *ours})
            for each in unlike(theirs.get(name), ours.get(name), f"{at}.{name}" if at else str(name))
        ]
    return [] if theirs == ours else [(at, _short(theirs), _short(ours))]


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
