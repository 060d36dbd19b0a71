"""Which store a command works on, and whether national claims are held in it."""

from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.store.location import StoreLocation, review, store_place


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def toml(folder: Path, text: str) -> Path:
    path = folder / "fanous.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_by_default_it_is_with_the_users_data(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert store_place(None, None) == home / ".local" / "share" / "fanous" / "store"
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/data")
    assert store_place(None, None) == Path("/srv/data/fanous/store")


def test_the_option_comes_before_the_file(home: Path) -> None:
    assert store_place(Path("here"), toml(home, 'x = "not even right"')) == Path("here")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[store]\nfolder = "/srv/fanous"', "/srv/fanous"),
        ('[store]\nfolder = "kept"', "kept"),
        ('[store]\nfolder = "~/kept"', "kept"),
        ("[store]", ".local/share/fanous/store"),
        ("# nothing yet", ".local/share/fanous/store"),
    ],
)
def test_the_file_names_a_folder(text: str, place: str, home: Path) -> None:
    assert store_place(None, toml(home, text)) == home / place


def test_a_relative_folder_is_next_to_the_file_wherever_the_command_runs(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "elsewhere").mkdir()
    config = toml(home, '[store]\nfolder = "kept"')
    monkeypatch.chdir(home / "elsewhere")
    assert store_place(None, config) == home / "kept"


def test_the_file_may_name_three_addresses(home: Path) -> None:
    text = '[store]\narchive = "/a"\nfacts = "clickhouse://host/db"\nledger = "postgresql://host/db"'
    assert store_place(None, toml(home, text)) == StoreLocation(
        Path("/a"), "clickhouse://host/db", "postgresql://host/db"
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[store]\nfoldr = "x"', "[store] foldr: unknown key; did you mean 'folder'?"),
        ('[store]\nqqq = "x"', "[store] qqq: unknown key; known keys: folder, archive"),
        ('[stor]\nfolder = "x"', "unknown table [stor]; did you mean [store]?"),
        ("[qqq]", "unknown table [qqq]; known tables: [store], [review], [sources]"),
        ('store = "x"', "`store` must be a table: [store]"),
        ("[store]\nfolder = 5", "[store] folder: a string is needed, not 5"),
        ('[store]\nfolder = ""', "[store] folder: a string is needed, not ''"),
        ('[store]\nfolder = "x"\nfacts = "y"', "[store] folder: it conflicts with `facts`; keep one of them"),
        (
            '[store]\narchive = "x"',
            "[store] facts: it is missing, although `archive` is given (or give `folder` alone)",
        ),
        ("[store", "cannot be read as TOML"),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence(text: str, says: str, home: Path) -> None:
    with pytest.raises(FanousError) as error:
        store_place(None, toml(home, text))
    assert says in str(error.value)


def test_the_message_names_the_file(home: Path) -> None:
    config = toml(home, "[stor]")
    with pytest.raises(FanousError, match=str(config)):
        store_place(None, config)


def test_a_missing_or_unreadable_file_is_reported(home: Path) -> None:
    with pytest.raises(FanousError, match="configuration file not found"):
        store_place(None, home / "none.toml")
    with pytest.raises(FanousError, match="cannot be read"):
        store_place(None, home)
    (home / "latin.toml").write_bytes(b'[store]\nfolder = "\xe9"')
    with pytest.raises(FanousError, match="cannot be read"):
        store_place(None, home / "latin.toml")


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("", None),
        ("[review]", None),
        ("[review]\nnational = true", True),
        ("[review]\nnational = false", False),
    ],
)
def test_the_file_says_whether_national_claims_are_held(text: str, held: bool | None, home: Path) -> None:
    assert review(toml(home, text)).national is held
    assert review(None).national is None


@pytest.mark.parametrize("text", ["[review]\nnational = 1", "[review]\nnation = true", "review = 3"])
def test_a_mistake_about_reviews_is_one_sentence(text: str, home: Path) -> None:
    with pytest.raises(FanousError, match=r"\[review\]"):
        review(toml(home, text))
