"""A real HTTP server in a thread, whose answers a test decides: what stands in place of the service, or as a proxy before it."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

JSON = "application/json"


class Asked(NamedTuple):
    """One request as the server saw it; `port` is the client's, and tells one connection from another."""

    port: int
    method: str
    path: str
    headers: dict[str, str]


Answer = tuple[int, dict[str, str], bytes]
Answerer = Callable[[Asked], Answer]


def answer(status: int, document: Any, **headers: str) -> Answer:
    """An answer in JSON, or of bytes as they are."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return status, {"Content-Type": JSON} | {name.replace("_", "-"): value for name, value in headers.items()}, body


class Stub:
    """A running server; `asked` are the requests that it got."""

    def __init__(self, answerer: Answerer, host: str = "127.0.0.1") -> None:
        self.asked: list[Asked] = []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self) -> None:
                asked = Asked(self.client_address[1], self.command, self.path, dict(self.headers))
                stub.asked.append(asked)
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, body = answerer(asked)
                self.send_response(status)
                for name, value in (headers | {"Content-Length": str(len(body))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = do_PUT = _handle

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            daemon_threads = True

        self.server = Server((host, 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


@contextmanager
def stubbed(answerer: Answerer, host: str = "127.0.0.1") -> Iterator[Stub]:
    stub = Stub(answerer, host)
    thread = threading.Thread(target=stub.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stub
    finally:
        stub.server.shutdown()
        thread.join()
        stub.server.server_close()
