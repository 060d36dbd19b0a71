"""``fanous judge``: verdicts on single measurements, and why; needs no store."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fanous.cli.common import REJECTS_SHOWN, print_document, say
from fanous.cli.options import JsonOptions, argument, command
from fanous.errors import FanousError

if TYPE_CHECKING:
    from fanous.sources.connector import Working


class JudgeOptions(JsonOptions):
    """Options of ``fanous judge``."""

    paths: list[Path] = argument(..., "Files of OONI measurements.", metavar="FILE...")


@command
def judge(options: JudgeOptions) -> None:
    """Judge single measurements and explain the verdicts; no store is needed."""
    from fanous.base.confine import Grant
    from fanous.pipeline.child import in_child
    from fanous.pipeline.judge import known_fingerprints

    known_fingerprints()  # while they can be reached
    readable = tuple(path for path in options.paths if not path.is_dir())
    judged, refused = in_child(lambda working: _judged(options.paths, working), Grant(reads=readable))
    rejects = [reject.decode("utf-8", "surrogatepass") for reject in refused]
    from fanous.probe.words import UNPLACED, interception

    if options.as_json:
        print_document({"measurements": list(judged)})
    else:
        failed = [
            v["mechanism"]
            for measurement in judged
            if measurement["target"]
            for v in measurement["verdicts"]
            if v["mechanism"]
        ]
        works = any(
            v["layer"] == "tls" and v["state"] == "ok"
            for measurement in judged
            for v in measurement["verdicts"]
        )
        if (line := interception(failed)) and not works:
            say(line)
        for measurement in judged:
            say(f"{measurement['measurement_uid']}  {measurement['target'] or measurement['test_name']}")
            for verdict in measurement["verdicts"]:
                mechanism = f" {verdict['mechanism']}" if verdict["mechanism"] else ""
                mechanism += ", a symptom" if verdict["symptom"] else ""
                say(f"  {verdict['state']:12} {verdict['layer'] or '-':8}{mechanism}  [{verdict['rule_id']}]")
                say(f"               {verdict['why']}")
            for note in measurement["notes"]:
                if note != UNPLACED:
                    say(f"  note         {note}")
        if unplaced := sum(UNPLACED in measurement["notes"] for measurement in judged):
            print(f"\n{unplaced} of these {len(judged)} measurements: {UNPLACED}.")
    shown = rejects if options.as_json else rejects[:REJECTS_SHOWN]
    for reject in shown:
        say(f"rejected {reject}", file=sys.stderr)
    if more := len(rejects) - len(shown):
        say(f"... and {more:,} more (--json lists them)", file=sys.stderr)
    if not judged:
        raise FanousError("no measurement in these files can be judged")


def _judged(paths: list[Path], working: "Working") -> tuple[list[dict[str, Any]], list[bytes]]:
    """The verdicts, and why the rest has none: as bytes, since names of files may be any."""
    from fanous.pipeline.judge import judge_files

    judged, rejects = judge_files(paths, working)
    return judged, [reject.encode("utf-8", "surrogatepass") for reject in rejects]
