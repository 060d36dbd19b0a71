"""Watch list: the targets whose names are published, because someone answers for them: platforms, and the sites of
published lists.

Anyone can measure any name, so a name that is on no list may be someone's address, a lure or a telephone number.  The
lists are those that Fanous has, and the files in the folder of the installed ones: Citizen Lab's test lists, and an
operator's own.
"""

from collections.abc import Iterable
from functools import lru_cache
from logging import getLogger
from pathlib import Path
from urllib.parse import urlsplit

from fanous.config import data_folder
from fanous.errors import FanousError
from fanous.log import logline
from fanous.refdata.platforms import platforms, target_of
from fanous.refdata.targets import list_names, target_list

ENDINGS = (".csv", ".toml", ".txt")
"""Of the files of lists, as ``target_list`` reads them."""

CITIZEN_LAB = "https://raw.githubusercontent.com/citizenlab/test-lists/master/lists/{name}.csv"
"""Citizen Lab's test lists, which OONI's volunteers measure: ``global``, and one for each country.  CC BY-NC-SA 4.0,
so they are not included."""

_PULLED = "citizenlab-"

SPEED_TESTS = ("dash", "ndt")
"""Targets of nettests that ask their own servers."""

log = getLogger("fanous.refdata")


def lists_folder() -> Path:
    """Where lists are installed, for all stores of this user."""
    return data_folder() / "refdata" / "lists"


def pulled_file(name: str) -> str:
    """The file of one of Citizen Lab's lists: ``global``, or the code of a country."""
    return f"{_PULLED}{name.lower()}.csv"


def pulled_lists(folder: Path) -> tuple[str, ...]:
    """Names of Citizen Lab's lists that are installed."""
    return tuple(sorted(path.stem.removeprefix(_PULLED) for path in folder.glob(f"{_PULLED}*.csv")))


def targets_of(urls: Iterable[str]) -> frozenset[str]:
    """What the URLs of a list are about."""
    return frozenset(target_of(host) for url in urls if (host := urlsplit(url).hostname))


def watched() -> frozenset[str]:
    """All targets that are a platform or on a list."""
    return _watched(_installed(lists_folder()))


_File = tuple[str, int, int]
"""Path, size and time of its last change: a list that was replaced counts at once."""


def _installed(folder: Path) -> tuple[_File, ...]:
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix in ENDINGS)
        return tuple((str(path), (at := path.stat()).st_size, at.st_mtime_ns) for path in found)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise FanousError(
            f"cannot read the folder of installed lists, {folder}: {error.strerror}; give this user permission"
        ) from error


@lru_cache(maxsize=2)
def _watched(installed: tuple[_File, ...]) -> frozenset[str]:
    """The names on a list that cannot be read are withheld, as if it were not there; ``fanous refdata update`` reads
    each list before it installs it."""
    names = frozenset((*platforms(), *SPEED_TESTS)).union(*map(_of_list, list_names()))
    for path, _, _ in installed:
        try:
            names |= _of_list(path)
        except FanousError as error:
            log.warning(logline("list_unreadable", file=path, why=str(error)))
    return names


def _of_list(name: str) -> frozenset[str]:
    return targets_of(target_list(name).urls)
