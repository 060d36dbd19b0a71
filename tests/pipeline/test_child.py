"""What the machine lacks in the copy that works on records is said in a sentence, as it is elsewhere."""

import subprocess
import sys

from tests.children import child_environment
from tests.each import each

WORK = """
import resource
from fanous.base.confine import Grant
from fanous.pipeline.child import in_child

def work(_):
    {}
    return "done"

try:
    print(in_child(work, Grant()))
except Exception as error:
    print(type(error).__name__, error)
"""


@each(
    ("does", "said"),
    [
        ("pass", "done"),
        ("raise OSError(24, 'Too many open files')", "OSError [Errno 24] Too many open files"),
        (
            "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))",
            "FanousError The process that was reading could not",
        ),
        ("raise KeyError('x')", "RuntimeError in a child process:"),
        ("open('/etc/passwd')", "PermissionError [Errno 13] Permission denied"),
    ],
)
def test_what_ends_the_copy_is_told(does: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORK.format(does)],
        capture_output=True,
        text=True,
        timeout=60,
        env=child_environment(),
    )
    assert done.stdout.startswith(said), done.stdout + done.stderr
