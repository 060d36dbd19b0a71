import errno
from pathlib import Path

import pytest

from fanous.base.files import disk_errors, make_folder, write_durably
from fanous.errors import FanousError


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EACCES, "write permission"),
        (errno.EROFS, "read-only"),
    ],
)
def test_what_an_operator_can_mend_says_what_to_do(number: int, advice: str) -> None:
    with pytest.raises(FanousError, match=f"cannot write here.*{advice}"), disk_errors("write here"):
        raise OSError(number, "so says the kernel", "/some/file")


def test_an_error_that_no_one_can_fix_is_raised_unchanged() -> None:
    with pytest.raises(OSError, match="Bad file"), disk_errors("write here"):
        raise OSError(errno.EBADF, "Bad file descriptor")


def test_a_file_is_written_whole_with_its_time_and_nothing_next_to_it(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    path = tmp_path / "a" / "b" / "file"
    write_durably(path, b"content", ".tmp", 1000.5)
    assert (path.read_bytes(), path.stat().st_mtime) == (b"content", 1000.5)
    assert list(path.parent.iterdir()) == [path]
