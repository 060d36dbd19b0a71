"""How much there is to read: what is counted, and what is not."""

from tools.compare import ROOT
from tools.size import Size, packages, size_of, table

SOURCE = '''"""A module."""

# A comment.
FIRST = """text
in two lines"""


def read(path: str) -> str:
    """A docstring."""
    one = _opened(path)
    return _closed(_closed(one))


def _opened(path: str) -> str:
    return path


def _closed(path: str) -> str:
    return path
'''


def test_docstrings_comments_and_blank_lines_are_no_code() -> None:
    assert size_of(SOURCE) == Size(lines=9, functions=3, once=1, bindings=5, weak=1)


def test_the_table_has_every_room_and_their_sum() -> None:
    here = {"model": size_of(SOURCE), "store": size_of(SOURCE)}
    lines = list(table("fanous", here, {"store": Size(lines=10)}))
    assert [line.split()[0] for line in lines] == ["fanous", "model", "store", "all"]
    assert lines[1].endswith("(+9)") and lines[2].endswith("(-1)") and lines[3].endswith("(+8)")


def test_the_rooms_of_this_checkout_are_found() -> None:
    found = packages(ROOT)
    assert {"model", "analysis", "store", "(top)"} <= set(found["fanous"])
    assert {"censors", "evaluation", "(top)"} <= set(found["fanous_lab"])
    assert all(size.lines > 0 for rooms in found.values() for size in rooms.values())
