"""A model hub on the loopback interface: the few answers the client library asks for, and ways to get them wrong."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What it serves, how it misbehaves, and what it was asked.

    `lies`: files whose content is not what was announced; `cut`: bytes after which the next answer with this file
    breaks off, once; `slow`: seconds between pieces; `broken`: a status for every answer.
    """

    files: dict[str, bytes]
    licence: str | None = "mit"
    lies: dict[str, bytes] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    slow: float = 0.0
    broken: int | None = None
    garbled: bool = False
    asked: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    repository: str = "org/name"
    endpoint: str = ""

    def info(self) -> bytes:
        """The model's description."""
        siblings: list[dict[str, Any]] = []
        for name, data in self.files.items():
            one: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": blob(data)}
            if name.endswith(".safetensors"):
                one["lfs"] = {"sha256": sha(data), "size": len(data), "pointerSize": 100}
            siblings.append(one)
        card = {"license": self.licence} if self.licence else {}
        return json.dumps({"id": self.repository, "sha": COMMIT, "siblings": siblings, "cardData": card}).encode()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The hub, listening on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            hub.asked.append(f"{self.command} {self.path}")
            path = self.path.split("?")[0]
            if hub.broken is not None:
                self._send(hub.broken, b"no", {}, body)
            elif path.startswith(f"/api/models/{hub.repository}"):
                self._send(200, b"<html>" if hub.garbled else hub.info(), {}, body)
            elif path.startswith(f"/{hub.repository}/resolve/"):
                self._file(path.rsplit("/", 1)[1], body)
            else:
                self._send(404, b"", {"X-Error-Code": "RepoNotFound"}, body)

        def _file(self, name: str, body: bool) -> None:
            if name not in hub.files:
                self._send(404, b"", {"X-Error-Code": "EntryNotFound"}, body)
                return
            whole = hub.lies.get(name, hub.files[name])
            announced = hub.files[name]
            etag = sha(announced) if name.endswith(".safetensors") else blob(announced)
            headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
            start = 0
            if asked := self.headers.get("Range"):
                hub.ranges.append(asked)
                start = int(asked.removeprefix("bytes=").split("-")[0])
            data = whole[start:]
            if start:
                headers["Content-Range"] = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
            self._send(206 if start else 200, data, headers, body, hub.cut.pop(name, None) if body else None)

        def _send(self, status: int, data: bytes, headers: dict[str, str], body: bool, cut: int | None = None) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            if not body:
                return
            for at in range(0, len(data), 1 << 14):
                if cut is not None and at >= cut:
                    self.close_connection = True
                    self.connection.close()
                    return
                self.wfile.write(data[at : at + (1 << 14)])
                time.sleep(hub.slow)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *args: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
