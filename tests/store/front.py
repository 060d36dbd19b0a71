"""Front: ClickHouse's HTTP interface before the in-process engine, for the unmodified client.

    python -m tests.store.front FOLDER [PORT-OF-THE-OTHER-SHARD]

Alone it is a server.  With the port of another it is the first of two shards, and plays what their cluster
would do: statements ``ON CLUSTER`` run on both, replicated tables are plain ones (there is no Keeper), rows
of an insert go where the sharding key says, and a distributed table is the rows of both.  What it cannot
play: replication, and the planner's own way through a Distributed table.
"""

import re
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Mapping
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import chdb
import lz4.frame

TRANSPORT = {"query", "database", "session_id", "query_id", "default_format", "wait_end_of_query", "compress"}
TRANSPORT |= {"client_protocol_version", "buffer_size", "enable_http_compression", "session_timeout", "role"}
TOKEN = "insert_deduplication_token"
_INSERT = re.compile(rb"(INSERT INTO (\S+) \((.*?)\))(.*?) FORMAT Native\s*\n", re.DOTALL | re.IGNORECASE)
_PLACED = re.compile(r" ON CLUSTER '\w+'")
_TOGETHER = re.compile(
    r"CREATE TABLE IF NOT EXISTS (\w+) AS (\w+) ENGINE = Distributed\(.*?, (cityHash64\(\w+\))\)"
)


class Shard:
    """An engine in this process, asked with a database, parameters and settings as a server is."""

    def __init__(self, folder: str) -> None:
        connect: Any = chdb.connect
        self._connection = connect(folder)

    def ask(
        self, sql: str, database: str, parameters: Mapping[str, str], settings: Mapping[str, str]
    ) -> bytes:
        if database:
            self._connection.query(f"USE `{database}`")
        for name, value in settings.items():
            escaped = value.replace("\\", "\\\\").replace("'", "\\'")
            self._connection.query(f"SET {name} = '{escaped}'")
        try:
            result = self._connection.query(sql, "TabSeparated", params=dict(parameters))
            return bytes(result.bytes()) if result is not None else b""
        finally:  # a setting is the question's own
            for name in settings:
                self._connection.query(f"SET {name} = DEFAULT")

    def insert(self, head: str, data: bytes, database: str, settings: Mapping[str, str]) -> None:
        with tempfile.NamedTemporaryFile(suffix=".native") as file:
            file.write(data)
            file.flush()
            token = f"SETTINGS insert_deduplication_token = '{settings.get(TOKEN, '')}'"
            others = {name: value for name, value in settings.items() if name != TOKEN}
            self.ask(f"{head} FROM INFILE '{file.name}' {token} FORMAT Native", database, {}, others)


class TwoShards:
    """This engine, and another behind its own front."""

    def __init__(self, own: Shard, other: str) -> None:
        self._own, self._other = own, other

    def ask(
        self, sql: str, database: str, parameters: Mapping[str, str], settings: Mapping[str, str]
    ) -> bytes:
        together = _TOGETHER.search(_PLACED.sub("", sql))
        if together:
            return self._join(together[1], together[2], together[3], database)
        if _PLACED.search(sql) or sql.startswith(("CREATE DATABASE", "DROP DATABASE")):
            sql = _PLACED.sub("", sql).replace("Replicated", "")
            named = {f"param_{name}": value for name, value in parameters.items()}
            self._elsewhere(sql.encode(), database, named)
        return self._own.ask(sql.replace(" FINAL", ""), database, parameters, settings)

    def _join(self, table: str, rows: str, key: str, database: str) -> bytes:
        kinds = self._own.ask(f"SHOW CREATE TABLE {rows} FORMAT TSVRaw", database, {}, {}).decode()
        final = " FINAL" if "ReplacingMergeTree" in kinds else ""
        where = f"database = '{database}' AND table = '{rows}'"
        sql = f"SELECT name, type FROM system.columns WHERE {where} FORMAT TSVRaw"
        columns = self._own.ask(sql, "", {}, {}).decode()
        schema = ", ".join(f"`{n}` {t}" for n, t in (line.split("\t") for line in columns.splitlines()))
        asked = urlencode({"database": database, "query": f"SELECT * FROM {rows}{final} FORMAT Native"})
        url = f"{self._other}/?{asked}".replace("'", "%27")
        schema = schema.replace("'", "\\'")
        self._own.ask(
            f"CREATE VIEW IF NOT EXISTS {table} AS SELECT * FROM {rows}{final} "
            f"UNION ALL SELECT * FROM url('{url}', Native, '{schema}') COMMENT '{key}'",
            *(database, {}, {}),
        )
        return b""

    def insert(self, head: str, data: bytes, database: str, settings: Mapping[str, str]) -> None:
        named = re.match(r"INSERT INTO `?(\w+)`? \((.*?)\)", head)
        assert named, head
        table, columns = named.groups()
        key = self._own.ask(
            f"SELECT comment FROM system.tables WHERE database = '{database}' AND name = '{table}'",
            "",
            {},
            {},
        ).decode()
        with tempfile.NamedTemporaryFile(suffix=".native") as file:
            file.write(data)
            file.flush()
            part = f"SELECT {columns} FROM file('{file.name}', Native) WHERE {key.strip()} % 2 ="
            other = self._own.ask(f"{part} 1 FORMAT Native", database, {}, {})
            self._own.ask(f"INSERT INTO {table}_rows ({columns}) {part} 0", database, {}, settings)
        if other:
            head = f"INSERT INTO {table}_rows ({columns}) FORMAT Native\n"
            self._elsewhere(head.encode() + other, database, settings)

    def _elsewhere(self, body: bytes, database: str, more: Mapping[str, str]) -> None:
        asked = urlencode({"database": database, **more})
        with urllib.request.urlopen(f"{self._other}/?{asked}", body):
            pass


class Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    shards: Shard | TwoShards
    turn = threading.Lock()
    """Database and settings belong to the engine's one connection."""

    def do_GET(self) -> None:
        self._reply(200, b"Ok.\n") if self.path == "/ping" else self.do_POST()

    def do_HEAD(self) -> None:
        """The engine asks so before it reads from the other shard."""
        self._reply(200, b"")

    def do_POST(self) -> None:
        told = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        try:
            body = self._body()
        except RuntimeError as error:  # the client found that it cannot write its rows, and broke them off
            return self._reply(400, f"Code: 33. DB::Exception: {error}".encode(), "33")
        if self.headers.get("content-type", "").startswith("multipart/form-data"):
            told |= _form(self.headers["content-type"], body)
            body = b""
        sent = told.get("query", "").encode()
        sent += (b"\n" if sent else b"") + body
        try:
            with self.turn:
                answer = self._answer(sent, told)
            self._reply(200, answer)
        except Exception as error:  # whatever the engine says is what the client is to hear
            code = re.search(r"Code: (\d+)", str(error))
            self._reply(500, str(error).encode(), code[1] if code else "1000")
        return None

    def _answer(self, sent: bytes, told: Mapping[str, str]) -> bytes:
        parameters = {k.removeprefix("param_"): v for k, v in told.items() if k.startswith("param_")}
        settings = {k: v for k, v in told.items() if k not in TRANSPORT and not k.startswith("param_")}
        database = told.get("database", "")
        insert = _INSERT.match(sent)
        if insert:
            self.shards.insert(insert[1].decode(), sent[insert.end() :], database, settings)
            return b""
        sql = sent.decode().strip()
        if told.get("default_format") and " FORMAT " not in sql:
            sql += f" FORMAT {told['default_format']}"
        return self.shards.ask(sql, database, parameters, settings)

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
        is_packed = self.headers.get("content-encoding") == "lz4"
        return bytes(lz4.frame.decompress(body)) if is_packed else body

    def _reply(self, status: int, body: bytes, code: str = "") -> None:
        self.send_response(status)
        if code:
            self.send_header("X-ClickHouse-Exception-Code", code)
        self.send_header("X-ClickHouse-Summary", "{}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """It is never read."""


def _form(kind: str, body: bytes) -> dict[str, str]:
    message = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    parts: Any = message.get_payload()
    return {
        str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True).decode()
        for part in parts
    }


def main() -> None:
    own = Shard(sys.argv[1])
    Front.shards = TwoShards(own, f"http://127.0.0.1:{sys.argv[2]}") if len(sys.argv) > 2 else own
    server = ThreadingHTTPServer(("127.0.0.1", 0), Front)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()  # ends with the process that started it, however that dies


if __name__ == "__main__":
    main()
