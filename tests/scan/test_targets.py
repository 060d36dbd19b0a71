"""Which addresses a scan may ask."""

from ipaddress import IPv4Network, ip_address
from pathlib import Path

import numpy as np
import pytest

from fanous.errors import FanousError
from fanous.scan.rounds import begun, load, save
from fanous.scan.targets import Targets, read_opt_out, read_targets
from tests.each import each


def listed(
    folder: Path, text: str, opt_out: tuple[str, ...] = (), lab: bool = True
) -> tuple[Targets, list[int]]:
    path = folder / "targets"
    path.write_text(text)
    rejects: list[int] = []
    closed = [IPv4Network(network) for network in opt_out]
    return read_targets(path, "PK", closed, lambda line, _: rejects.append(line), lab=lab), rejects


def block(prefix: str, count: int = 20, rest: str = "") -> str:
    return "".join(f"{prefix}.{host}{rest}\n" for host in range(1, count + 1))


def test_addresses_are_gathered_by_block(tmp_path: Path) -> None:
    text = block("10.0.1", rest=",AS17557,Punjab,0.9") + "# a remark\n" + block("10.0.0", rest=" # another")
    targets, rejects = listed(tmp_path, text)
    assert [str(ip_address(int(b))) for b in targets.blocks] == ["10.0.0.0", "10.0.1.0"]
    assert targets.available.tolist() == pytest.approx([0.8, 0.9])
    assert targets.asns.tolist() == [0, 17557]
    assert targets.regions == ("", "PK-PB")
    assert [len(addresses) for addresses in targets.addresses] == [20, 20]
    assert rejects == []


def test_who_opted_out_is_never_asked(tmp_path: Path) -> None:
    targets, _ = listed(tmp_path, block("10.0.0") + block("10.0.1"), opt_out=("10.0.1.0/24", "10.0.0.5/32"))
    assert len(targets) == 1 and targets.opted_out == 21
    assert int(ip_address("10.0.0.5")) not in targets.addresses[0]


@each(
    "line",
    [
        "nonsense",
        "10.0.0.256",
        "2001:db8::1",
        "127.0.0.1",
        "224.0.0.1",
        "10.0.0.1,ASX",
        "10.0.0.1,1,,2",
        "10.0.0.1,1,,x",
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, line: str) -> None:
    assert listed(tmp_path, f"{line}\n" + block("10.0.0"))[1] == [1]


def test_private_addresses_are_for_the_lab_only(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match="may be pinged"):
        listed(tmp_path, block("10.0.0"), lab=False)


def test_blocks_of_which_too_little_is_known_are_left_out(tmp_path: Path) -> None:
    targets, _ = listed(tmp_path, block("10.0.0") + block("10.0.1", 14) + block("10.0.2", rest=",,,0.05"))
    assert len(targets) == 1 and targets.thin == 2


def test_a_list_of_who_opted_out_that_is_wrong_stops_the_scan(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("10.0.0.0/24 # by mail\n2001:db8::/32\nall of them\n")
    with pytest.raises(FanousError, match=r":3: .*is not a network"):
        read_opt_out(tmp_path / "out")
    with pytest.raises(FanousError, match="Cannot read"):
        read_opt_out(tmp_path / "nowhere")
    assert read_opt_out(None) == []


def test_what_is_believed_outlives_the_process_and_a_changed_list(tmp_path: Path) -> None:
    first, _ = listed(tmp_path, block("10.0.0") + block("10.0.1"))
    state = begun(load(tmp_path / "journal", first), 100)
    state.belief[:], state.spent[0], state.wave = [0.2, 0.3], [4, 5], 7
    save(tmp_path / "journal", first, state)
    second, _ = listed(tmp_path, block("10.0.1") + block("10.0.2"))
    again = load(tmp_path / "journal", second)
    assert again.belief.tolist() == [0.3, 0.9], "the block that stayed, and a new one"
    assert again.spent[0].tolist() == [5, 0]
    assert (again.number, again.wave) == (100, 7)


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"PK\x03\x04"])
def test_a_damaged_journal_is_reported(tmp_path: Path, rubbish: bytes) -> None:
    targets, _ = listed(tmp_path, block("10.0.0"))
    (tmp_path / "journal").write_bytes(rubbish)
    with pytest.raises(FanousError, match="damaged"):
        load(tmp_path / "journal", targets)
    assert np.isfinite(load(tmp_path / "other", targets).belief).all()
