"""What holds for every kind of file with ready-made series, hostile ones included."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanous.analysis.series.signals import SIGNALS
from fanous.errors import FanousError
from fanous.sources.connector import TableColumns
from fanous.sources.publishers import SERIES_FILES, SOURCES
from tests.sources.signals.reads import Read, read
from tests.sources.signals.samples import NAMES, SAMPLES

COLUMNS = TableColumns("time", "value", "connectivity")
each = pytest.mark.parametrize("name", sorted(SERIES_FILES))
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def taken(name: str, folder: Path, data: bytes) -> Read:
    return read(name, folder / NAMES.get(name, "x"), data, columns=COLUMNS)


def test_every_kind_has_a_sample_here_and_terms_of_its_source() -> None:
    assert set(SAMPLES) == set(SERIES_FILES)
    assert set(SERIES_FILES) <= set(SOURCES)


@each
def test_a_sample_is_read_whole(tmp_path: Path, name: str) -> None:
    found = taken(name, tmp_path, SAMPLES[name])
    assert (found.readings or found.sayings) and found.rejects == []
    assert all(saying.claim.country == "PK" and saying.claim.link for saying in found.sayings)
    for reading in found.readings:
        levels = reading.levels
        assert levels.key.source == name
        assert SIGNALS[levels.key.signal].is_quantity
        assert levels.key.place.country == "PK"
        assert levels.step > 0
        assert (np.diff(levels.times) > 0).all(), "ascending, each once"
        assert levels.times.dtype == np.int64 and levels.values.dtype == np.float64
        assert not np.isinf(levels.values).any()
        assert len(reading.lines) == len(reading.bins) > 0


@each
def test_each_series_comes_once(tmp_path: Path, name: str) -> None:
    keys = [(r.levels.key, r.levels.step) for r in taken(name, tmp_path, SAMPLES[name]).readings]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", sorted(set(SERIES_FILES) - {"mrt"}))  # told by its name, in test_mrt
def test_packed_or_not_it_is_the_same(tmp_path: Path, name: str) -> None:
    plain = taken(name, tmp_path, SAMPLES[name])
    packed = taken(name, tmp_path, gzip.compress(SAMPLES[name]))
    assert repr(plain.shown) == repr(packed.shown)
    assert plain.sayings == packed.sayings


@each
def test_a_file_that_is_not_there_is_reported(tmp_path: Path, name: str) -> None:
    with pytest.raises(FanousError, match="Cannot read"):
        read(name, tmp_path / "nowhere", columns=COLUMNS)


@each
@quick
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, name: str, data: st.DataObject) -> None:
    sample = bytearray(SAMPLES[name])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(sample) - 1))
        piece = data.draw(st.sampled_from([b"", b"\0", b"9" * 30, b",", b'"', b"\n", b"\xff", b"-", b"nan"]))
        sample[at : at + data.draw(st.integers(0, 20))] = piece
        sample = sample or bytearray(b"x")
    try:
        found = taken(name, tmp_path, bytes(sample))
    except FanousError:
        return
    for reading in found.readings:
        assert not np.isinf(reading.levels.values).any()
        assert (np.diff(reading.levels.times) > 0).all()


@each
@quick
@given(rubbish=st.binary(max_size=300))
def test_rubbish_is_refused_or_rejected(tmp_path: Path, name: str, rubbish: bytes) -> None:
    try:
        taken(name, tmp_path, rubbish)
    except FanousError as refusal:
        assert str(refusal)
