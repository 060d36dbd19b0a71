"""Fork server: a small process that starts others in milliseconds, each of which reads strangers' bytes.

A store's process cannot be copied: it has threads in unknown states, the ledger and the signing key's folder open, and
secrets in its environment.  So a new program is started once, without any of that; it loads what the work needs, and
copies itself for each piece of work.  The copy gets descriptors and a task from us, and answers over its connection.

What a child sends is a stranger's word: decode it into expected types, and never with pickle.
"""

import atexit
import gc
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from importlib import import_module
from multiprocessing.connection import Connection, Pipe
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from select import POLLIN, poll
from tempfile import TemporaryFile
from typing import IO, Any

KEPT = ("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "XDG_DATA_HOME", "LD_LIBRARY_PATH")
KEPT_BEGINNINGS = ("LC_", "PYTHON")
"""Variables that a child may see; others may hold passwords and tokens."""

START_SECONDS = 60.0
"""Seconds for the server to load what its children need, on a busy machine."""

MOST_DESCRIPTORS = 16

LONGEST_NAME = 200
"""Bytes of the name of a module."""

_PID = struct.Struct("=i")


class NotStarted(Exception):
    """A process could not be started; the message says why."""


class ForkedChild:
    """A process started by a fork server.

    Attributes:
        connection: to the child; it sees the end of it when this process ends.
        pid: its number.
    """

    def __init__(self, connection: Connection, exit_code: Connection, said: Any, pid: int) -> None:
        self.connection, self.pid = connection, pid
        self._exit_code, self._said = exit_code, said
        self._code: int | None = None

    @property
    def sentinel(self) -> int:
        """A descriptor that can be read once the child has ended."""
        return self._exit_code.fileno()

    def wait(self, seconds: float | None = None) -> int | None:
        """Its exit code, or less than 0: the signal that ended it; ``None`` = it still runs."""
        if self._code is None and wait_for([self._exit_code], seconds):
            try:
                self._code = _PID.unpack(self._exit_code.recv_bytes(_PID.size))[0]
            except (EOFError, OSError):  # the server was killed, and its children with it
                self._code = -signal.SIGKILL
        return self._code

    def said(self) -> str:
        """What it wrote to stderr, if that was kept."""
        if self._said is None:
            return ""
        self._said.seek(0)
        return str(self._said.read().decode("utf-8", "replace"))

    def end(self) -> None:
        """Kill it, if it runs, and wait for its end."""
        if self.wait(0) is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.wait()
        self.connection.close()
        self._exit_code.close()
        if self._said is not None:
            self._said.close()


class ForkServer:
    """Starts the server when it is first needed.

    Args:
        prepare: a public function that loads what the children need, called before the first of them is made.
    """

    def __init__(self, prepare: Callable[[], object] | None = None) -> None:
        self._prepare = prepare or nothing
        self._guard = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._owner = 0

    def start(
        self,
        function: Callable[..., object],
        *arguments: object,
        descriptors: Sequence[int] = (),
        keeps_stderr: bool = False,
        loads: str = "",
    ) -> ForkedChild:
        """Call ``function(connection, descriptors, *arguments)`` in a new process.

        Args:
            function: a public one of a module; it confines itself before it reads.
            arguments: anything that can be pickled; they come from us.
            keeps_stderr: its stderr is kept for ``ForkedChild.said``; else it writes to ours.
            loads: module that the server imports first, so that only the first child that needs it waits for it.

        Raises:
            NotStarted: the system refuses.
        """
        task = pickle.dumps((Path.cwd(), function, arguments))
        with ExitStack() as failed, ExitStack() as theirs:
            try:
                ours, connection = Pipe()
                failed.callback(ours.close)
                theirs.callback(connection.close)
                exit_code, reporting = Pipe(duplex=False)
                failed.callback(exit_code.close)
                theirs.callback(reporting.close)
                said = failed.enter_context(TemporaryFile()) if keeps_stderr else None
                stderr = said.fileno() if said else theirs.enter_context(_stderr()).fileno()
                passed = connection.fileno(), reporting.fileno(), stderr, *descriptors
                pid = self._forked(passed, loads)
                ours.send_bytes(task)
            except OSError as error:
                raise NotStarted(error.strerror or str(error)) from error
            failed.pop_all()
            return ForkedChild(ours, exit_code, said, pid)

    def stop(self) -> None:
        """End the server; the next child starts another one."""
        with self._guard:
            self._stop()

    def _stop(self) -> None:
        if self._line is not None:
            self._line.close()
        if self._server is not None and self._owner == os.getpid():
            self._server.kill()
            self._server.wait()
        self._line = self._server = None

    def _forked(self, descriptors: Sequence[int], loads: str) -> int:
        with self._guard:
            line = self._running()
            line.settimeout(START_SECONDS)
            try:
                socket.send_fds(line, [loads.encode() + b"\n"], descriptors)
                answer = line.recv(_PID.size)
            except TimeoutError:
                self._stop()
                raise NotStarted(f"no answer in {START_SECONDS:.0f} seconds") from None
            except OSError:
                answer = b""
            if len(answer) < _PID.size:
                self._stop()
                raise NotStarted("the process that starts them ended")
            (pid,) = _PID.unpack(answer)
        if pid < 0:
            raise NotStarted(os.strerror(-pid))
        return int(pid)

    def _running(self) -> socket.socket:
        is_alive = self._server is not None and self._owner == os.getpid() and self._server.poll() is None
        if is_alive and self._line is not None:
            return self._line
        self._stop()
        ours, theirs = socket.socketpair()
        with theirs:
            command = (
                f"import sys; sys.path[:] = {sys.path!r}; from fanous.base.forkserver import serve; serve"
            )
            prepare = f"{self._prepare.__module__}:{self._prepare.__name__}"
            try:
                self._server = subprocess.Popen(
                    [sys.executable, "-c", f"{command}({theirs.fileno()}, {prepare!r})"],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env=_environment(),
                    process_group=0,  # Ctrl-C is for the process that started it
                )
            except OSError as error:
                ours.close()
                raise NotStarted(error.strerror or str(error)) from error
        self._line, self._owner = ours, os.getpid()
        atexit.register(self.stop)
        return ours


def _stderr() -> IO[bytes]:
    """A copy of our stderr, or nothing where it was closed."""
    try:
        return os.fdopen(os.dup(2), "wb")
    except OSError:
        return Path(os.devnull).open("wb")


def _environment() -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if name in KEPT or name.startswith(KEPT_BEGINNINGS)
    }
    kept["OPENBLAS_NUM_THREADS"] = "1"  # numpy would start threads, and then no child could be confined
    return kept


def nothing() -> None:
    """For children that load what they need by themselves."""


# --- in the server ------------------------------------------------------------------------------------------


def serve(line: int, prepare: str) -> None:
    """Be the server until the other end of the line is closed.

    Args:
        prepare: module and name of a function to call first.
    """
    # Sent to whole groups of processes; the line decides when this one ends.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    module, _, name = prepare.partition(":")
    gc.disable()
    getattr(import_module(module), name)()
    gc.freeze()  # what was loaded stays, and children share it
    gc.enable()
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    reporting: dict[int, int] = {}
    waiting = poll()  # a number above 1,023, which ``select`` refuses, is ordinary in a busy monitor
    for descriptor in (line, woken):
        waiting.register(descriptor, POLLIN)
    with socket.socket(fileno=line) as asked:
        while True:
            ready = [descriptor for descriptor, _ in waiting.poll()]
            if woken in ready:
                os.read(woken, 4096)
                _report(reporting)
            if line in ready:
                loads, descriptors, _, _ = socket.recv_fds(asked, LONGEST_NAME, MOST_DESCRIPTORS)
                if not loads:
                    return
                _load(loads.decode().strip())
                asked.sendall(_PID.pack(_fork(descriptors, reporting, (line, woken, waker))))


def _load(module: str) -> None:
    """Import it, if it is named; the child says what is wrong with one that cannot be imported."""
    if module:
        with suppress(ImportError):
            import_module(module)


def _report(reporting: dict[int, int]) -> None:
    """Pass on how children ended."""
    while reporting:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with Connection(reporting.pop(pid), readable=False) as report, suppress(OSError):
            report.send_bytes(_PID.pack(os.waitstatus_to_exitcode(status)))


def _fork(descriptors: list[int], reporting: dict[int, int], own: Sequence[int]) -> int:
    connection, report, stderr, *passed = descriptors
    try:
        pid = os.fork()
    except OSError as error:
        for descriptor in descriptors:
            os.close(descriptor)
        return -(error.errno or 1)
    if not pid:
        for descriptor in (*own, report, *reporting.values()):
            os.close(descriptor)
        _be_child(connection, stderr, passed)
    reporting[pid] = report
    for descriptor in (connection, stderr, *passed):
        os.close(descriptor)
    return pid


def _be_child(connection: int, stderr: int, passed: list[int]) -> None:
    """Do the task and end; never returns."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(stderr, 2)
        os.close(stderr)
        line = Connection(connection)  # open to the end: a thread may wait for the end of the other side
        folder, function, arguments = pickle.loads(line.recv_bytes())
        with suppress(OSError):
            os.chdir(folder)
        function(line, passed, *arguments)
        code = 0
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 1
    except EOFError:  # the process that asked for it has ended
        pass
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(code)
