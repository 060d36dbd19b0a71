"""``fanous doctor``: what this machine lacks, and how to mend it."""

from collections.abc import Iterable
from dataclasses import asdict

from fanous import __version__
from fanous.commands.desk import JsonOption, print_document
from fanous.model.need import Need

PARTS = ("probe", "server", "lab")


def doctor(as_json: JsonOption = False) -> None:
    """What the probe, the server parts and the lab need, and what of it is missing here.

    The lab's features of the kernel are tried for real, in a network namespace that is removed again.
    """
    from fanous.doctor import examine

    needs = examine()
    if as_json:
        ready = {part: _is_ready(needs, part) for part in PARTS}
        print_document({"version": __version__, "ready": ready, "needs": [asdict(need) for need in needs]})
        return
    for part in PARTS:
        own = [need for need in needs if need.part == part]
        print(f"{part}: {'ready' if _is_ready(needs, part) else 'not ready'}")
        print(f"  found    {', '.join(need.name for need in own if need.found) or '-'}")
        for need in own:
            if not need.found:
                print(f"  {'missing' if need.is_vital else 'lacking':8} {need.name}: {need.mend}")
                print(f"           without it: {need.without}")


def _is_ready(needs: Iterable[Need], part: str) -> bool:
    return all(need.found for need in needs if need.part == part and need.is_vital)
