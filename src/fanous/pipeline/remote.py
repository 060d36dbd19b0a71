"""Remote: one round of measurements from other people's vantage points, from plan to store."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from fanous.errors import FanousError
from fanous.model.measurement import Provenance
from fanous.pipeline.ingest import ingest
from fanous.pipeline.judge import Ingested
from fanous.pipeline.remote_atlas import measure_atlas, plan_atlas
from fanous.pipeline.remote_globalping import budget_of, measure, plan
from fanous.pipeline.remote_plan import RemotePlan
from fanous.sources.publishers import SOURCES, SourceSettings
from fanous.sources.remote.atlas_client import AtlasClient
from fanous.sources.remote.atlas_measurements import NAME as ATLAS
from fanous.sources.remote.globalping_client import GlobalpingClient
from fanous.store.protocol import Store
from fanous.store.series import Pulled


def one_round(
    source: str,
    settings: SourceSettings,
    country: str,
    urls: Sequence[str],
    turn: int,
    say: Callable[[str], None],
    on_plan: Callable[[RemotePlan], None] = lambda _: None,
) -> Iterator[bytes]:
    """The records of one round, one per line; arguments as for ``plan_round`` and ``measure``.

    Args:
        on_plan: called before anything is ordered.

    Raises:
        FanousError: nothing may be measured, or nothing could be.
    """
    check_consent(source, settings)
    key = key_of(source, settings)
    if source == ATLAS:
        with AtlasClient(settings.mirror, key) as atlas:
            wanted = plan_atlas(
                country,
                urls,
                atlas.probes(country_code=country),
                atlas.probes(is_anchor="true"),
                settings.credits,
                turn,
            )
            on_plan(wanted.round)
            yield from measure_atlas(atlas, wanted, say)
        return
    with GlobalpingClient(settings.mirror, key) as client:
        planned = plan(country, urls, client.probes(), budget_of(client), turn)
        on_plan(planned)
        yield from measure(client, planned, say)


def check_consent(source: str, settings: SourceSettings) -> None:
    """Raises:
    FanousError: the operator has not accepted the consequences for other people.
    """
    told = SOURCES[source].consent
    if told and not settings.consent:
        raise FanousError(f"[sources.{source}] consent: {told}; if you accept that, set consent = true")


def key_of(source: str, settings: SourceSettings, environment: Mapping[str, str] = os.environ) -> str:
    """The key, if the settings name one.

    Raises:
        FanousError: the variable that they name is empty.
    """
    if not settings.token:
        return ""
    key = environment.get(settings.token, "").strip()
    if not key:
        raise FanousError(f"[sources.{source}] token: set the environment variable {settings.token}")
    return key


ROUND = "round"
"""Name under which a store remembers a country's round."""


def begin_round(store: Store, source: str, country: str, now: float) -> None:
    """Remember that a round was made.

    Done before anything is ordered: a monitor that dies in the middle must not ask the same lines again at its next
    start.
    """
    store.facts.put_pulled(source, country, [Pulled(ROUND, now, now, now)])


def bring_round(
    store: Store, source: str, country: str, lines: Sequence[bytes], now: float, *, is_publisher: bool = True
) -> Ingested:
    """Store a round's records, judge them, detect, and remember that the round was made.

    Args:
        is_publisher: did the publisher itself answer?  A mirror is vouched for by the operator who names it.
    """
    provenance = Provenance.REAL if is_publisher else Provenance.IMPORTED
    with TemporaryDirectory(prefix="fanous-remote-") as folder:
        path = Path(folder) / "round.jsonl"
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        tally = ingest(store, source, [path], provenance=provenance)
    begin_round(store, source, country, now)
    return tally
