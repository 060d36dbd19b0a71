"""Review: the settings by which incidents wait for a person, as a file gives them and a store remembers them.

Every command reads them, so this loads no library.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from fanous.config import Section, section

if TYPE_CHECKING:
    from fanous.store.ledger import Ledger


class Review(Section, frozen=True):
    """The table ``[review]``.

    Attributes:
        national: are national claims held until a person approves them?  ``None`` = as the store remembers.
        public: are waiting incidents shown to readers, as suspected?  Otherwise only on the desk and the command line.
            ``None`` = as the store remembers.
    """

    national: bool | None = None
    public: bool | None = None

    def apply(self, ledger: "Ledger") -> None:
        """Have the store remember the setting."""
        if self.national is not None:
            ledger.hold_national(self.national)
        if self.public is not None:
            ledger.hide_held(not self.public)


def review(config: Path | None) -> Review:
    """The table ``[review]``.

    Raises:
        FanousError: the TOML file is missing or says something unknown.
    """
    return section(config, "review", Review)
