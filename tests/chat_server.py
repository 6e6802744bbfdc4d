"""A chat endpoint on the loopback interface, as good, bad, slow or hostile as a test wants it."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from autoresearch.researcher.endpoint import Endpoint, Line

Handler = Callable[["_Call"], None]


class _Call(BaseHTTPRequestHandler):
    """One request; what answers it is the server's next handler, the last one for all that follow."""

    server: "_Server"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append(json.loads(body))
        self.server.headers_seen.append({name.lower(): value for name, value in self.headers.items()})
        at = min(len(self.server.asked), len(self.server.handlers)) - 1
        try:
            self.server.handlers[at](self)
        except (BrokenPipeError, ConnectionResetError):
            return  # who asked has left

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, handlers: tuple[Handler, ...]) -> None:
        super().__init__(("127.0.0.1", 0), _Call)
        self.handlers = handlers
        self.asked: list[dict[str, Any]] = []
        self.headers_seen: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *_: Any) -> None:
        pass


@contextmanager
def chat_server(*handlers: Handler) -> Iterator[_Server]:
    server = _Server(handlers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def says(content: Any, usage: Any = None) -> Handler:
    """A completion whose message is this text, or this as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    body = {"choices": [{"message": {"role": "assistant", "content": text}}]}
    if usage is not None:
        body["usage"] = usage
    return lambda call: call.send(200, json.dumps(body).encode())


def status(code: int, body: bytes = b"no", **headers: str) -> Handler:
    return lambda call: call.send(code, body, **headers)


def silent(seconds: float) -> Handler:
    return lambda call: time.sleep(seconds)


def dripping(call: _Call) -> None:
    """A reply that comes byte by byte and never ends."""
    call.send_response(200)
    call.end_headers()
    while True:
        call.wfile.write(b" ")
        call.wfile.flush()
        time.sleep(0.02)


def endpoint(url: str, **changes: Any) -> Endpoint:
    return Endpoint.model_validate({"base_url": url, "model": "parrot-1", "timeout_seconds": 5.0} | changes)


class Waiting(Line):
    """A line that has its reply before `ask` returns, so that a study on it is the same each time."""

    def ask(self, messages: Any, schema: Any) -> None:
        super().ask(messages, schema)
        assert self._replies is not None
        while self._replies.empty() and time.monotonic() < self._deadline:
            time.sleep(0.002)
