"""The endpoint of a language model: its file, and one request at a time on a thread of its own.

Any server with OpenAI's `POST {base_url}/chat/completions`. Of what it sends nothing is believed: sizes, times and
kinds are held to limits here, the meaning is checked by `answers`. No redirect is followed, so the key stays with
the host that the file names.
"""

import math
import os
import threading
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Annotated, Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from autoresearch.researcher.conversation import Trouble
from autoresearch.visible import visible
from bench.errors import ConfigError

MOST_FILE_BYTES = 10_000
# a hundred times what a proposal needs; more is no answer
MOST_REPLY_BYTES = 262_144
RETRIES = 2
FIRST_PAUSE_SECONDS = 1.0
# of an endpoint that is busy or broken for the moment
_PASSING = (408, 409, 425, 429, 500, 502, 503, 504, 529)
# there is no point in asking again
_LASTING = (401, 403, 404, 407)
# as endpoints that don't know `response_format` say it
_UNKNOWN_FIELD = (400, 422)
DETAIL = 200

Message = dict[str, str]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
Dollars = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class Endpoint(BaseModel):
    """What the file given with `--llm` says. Caps are of the study, however often it is resumed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    base_url: Name  # e.g. https://api.example.com/v1
    model: Name
    key_variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")] | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 120.0  # of an answer, retries included
    max_answer_tokens: Annotated[int, Field(ge=100, le=100_000)] = 2_000
    max_tokens: Annotated[int, Field(ge=1, le=10**9)] = 200_000  # prompts and answers
    max_dollars: Dollars | None = None
    dollars_per_million_prompt_tokens: Dollars | None = None
    dollars_per_million_answer_tokens: Dollars | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> "Endpoint":
        try:
            url = httpx.URL(self.base_url)
        except httpx.InvalidURL as wrong:
            raise ValueError(f"base_url is no address: {wrong}") from wrong
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("base_url is no address that begins with http:// or https://")
        if url.userinfo or url.query or url.fragment:
            raise ValueError("base_url has more than a host and a path")
        prices = (self.dollars_per_million_prompt_tokens, self.dollars_per_million_answer_tokens)
        if self.max_dollars is not None and None in prices:
            raise ValueError("max_dollars needs both prices, dollars_per_million_prompt_tokens and ..._answer_tokens")
        return self

    def dollars(self, prompt_tokens: int, answer_tokens: int) -> float:
        """What that many tokens cost; 0 where no price is given."""
        prompt, answer = self.dollars_per_million_prompt_tokens, self.dollars_per_million_answer_tokens
        return (prompt_tokens * (prompt or 0.0) + answer_tokens * (answer or 0.0)) / 1e6

    def key(self) -> str:
        """From the environment, at each use; empty when none is wanted. Raises ConfigError."""
        if self.key_variable is None:
            return ""
        found = os.environ.get(self.key_variable, "")
        if not found or not found.isascii() or not found.isprintable():
            raise ConfigError(
                f"the environment variable {self.key_variable} {'is not a key' if found else 'is not set'}",
                f"export {self.key_variable}, or drop key_variable for an endpoint that wants no key",
            )
        return found


def read_endpoint(path: Path) -> Endpoint:
    """The endpoint of a TOML file, its key at hand; raises ConfigError."""
    hint = "docs/researcher.md has the file; the key itself stays in an environment variable"
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_FILE_BYTES + 1)
    except OSError as wrong:
        raise ConfigError(f"--llm {path} can't be read: {wrong.strerror or wrong}", hint) from wrong
    if len(raw) > MOST_FILE_BYTES:
        raise ConfigError(f"--llm {path} has more than {MOST_FILE_BYTES:,} bytes", hint)
    try:
        endpoint = Endpoint.model_validate(tomllib.loads(raw.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise ConfigError(f"--llm {path} is no TOML: {visible(str(wrong), DETAIL)}", hint) from wrong
    except ValidationError as wrong:
        raise ConfigError(f"--llm {path}: {objection(wrong)}", hint) from wrong
    endpoint.key()
    return endpoint


def objection(wrong: ValidationError) -> str:
    """The first thing that is wrong, by name and without the value, which may be a key."""
    first = wrong.errors(include_url=False, include_input=False, include_context=False)[0]
    where = visible(".".join(map(str, first["loc"])), 100)
    said = visible(first["msg"].removeprefix("Value error, "), DETAIL)
    return f"{where}: {said}" if where else said


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came of a request: text, or the trouble. Tokens as the endpoint counts them, if it does."""

    text: str = ""
    trouble: Trouble | None = None
    detail: str = ""
    prompt_tokens: int | None = None
    answer_tokens: int | None = None


class Line:
    """One request at a time; asking returns at once, and so does looking whether the reply is there."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._key = endpoint.key()
        self._replies: SimpleQueue[Reply] | None = None
        self._deadline = 0.0
        self._knows_formats = True

    @property
    def busy(self) -> bool:
        return self._replies is not None

    def ask(self, messages: Sequence[Message], schema: dict[str, Any]) -> None:
        """Send; the thread is a daemon and may be left behind by a server that never ends its reply."""
        assert not self.busy, "the last request has no reply yet"
        self._replies = SimpleQueue()
        self._deadline = time.monotonic() + self.endpoint.timeout_seconds
        asked = (list(messages), schema, self._deadline, self._replies)
        threading.Thread(target=self._answer, args=asked, daemon=True).start()

    def reply(self) -> Reply | None:
        """The reply if it is there; past the deadline that is a timeout, whatever the thread still waits for."""
        if self._replies is None:
            return None
        try:
            found = self._replies.get_nowait()
        except Empty:
            if time.monotonic() < self._deadline:
                return None
            found = Reply(trouble=Trouble.TIMED_OUT, detail=f"no answer in {self.endpoint.timeout_seconds:g} s")
        self._replies = None
        return found

    def redacted(self, text: str) -> str:
        """Without the key, should the other side have sent it back."""
        return text.replace(self._key, "[key]") if self._key else text

    def _answer(
        self, messages: list[Message], schema: dict[str, Any], deadline: float, replies: "SimpleQueue[Reply]"
    ) -> None:
        try:
            found = self._tried(messages, schema, deadline)
        except httpx.TimeoutException:
            found = Reply(trouble=Trouble.TIMED_OUT, detail=f"no answer in {self.endpoint.timeout_seconds:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as wrong:
            found = Reply(trouble=Trouble.UNREACHABLE, detail=visible(str(wrong) or type(wrong).__name__, DETAIL))
        replies.put(found)

    def _tried(self, messages: list[Message], schema: dict[str, Any], deadline: float) -> Reply:
        """The first reply that is worth having; waits between tries as the endpoint asks, within the deadline."""
        body: dict[str, Any] = {
            "model": self.endpoint.model,
            "messages": messages,
            "max_tokens": self.endpoint.max_answer_tokens,
        }
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        # what would have to be unpacked first could be far larger than what is counted
        headers["Accept-Encoding"] = "identity"
        url = f"{self.endpoint.base_url.rstrip('/')}/chat/completions"
        n_retries = 0
        with httpx.Client(headers=headers, follow_redirects=False) as client:
            while True:
                asked = body | ({"response_format": _format(schema)} if self._knows_formats else {})
                try:
                    status, headers_, raw = _post(client, url, asked, deadline)
                except httpx.ConnectError:
                    status, headers_, raw = 0, httpx.Headers(), b""
                    if n_retries == RETRIES:
                        raise
                if status in _UNKNOWN_FIELD and self._knows_formats:
                    self._knows_formats = False
                    continue
                if (status and status not in _PASSING) or n_retries == RETRIES:
                    return _reply(status, raw)
                pause = _pause(headers_, n_retries)
                if time.monotonic() + pause >= deadline:
                    return _reply(status, raw)
                time.sleep(pause)
                n_retries += 1


def _format(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "proposals", "schema": schema}}


def _post(client: httpx.Client, url: str, body: dict[str, Any], deadline: float) -> tuple[int, httpx.Headers, bytes]:
    """Status, headers and at most one byte more than is read of any reply."""
    left = max(0.001, deadline - time.monotonic())
    with client.stream("POST", url, json=body, timeout=left) as response:
        raw = b""
        if response.headers.get("content-encoding", "identity") != "identity":
            return response.status_code, response.headers, raw
        for chunk in response.iter_raw():
            raw += chunk
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the reply never ended")
            if len(raw) > MOST_REPLY_BYTES:
                break
        return response.status_code, response.headers, raw


def _pause(headers: httpx.Headers, n_retries: int) -> float:
    """Seconds until the next try: what the endpoint asks for, if that is a number; a date is not read."""
    try:
        asked = float(headers.get("retry-after", ""))
    except ValueError:
        asked = -1.0
    return asked if 0 <= asked < math.inf else FIRST_PAUSE_SECONDS * 2**n_retries


class _Said(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Said


class _Completion(BaseModel):
    choices: Annotated[list[_Choice], Field(min_length=1)]
    usage: Any = None


def _reply(status: int, raw: bytes) -> Reply:
    """What a status and the bytes under it amount to."""
    if status != 200:
        kind = Trouble.REFUSED if status in _LASTING else Trouble.BROKEN if status else Trouble.UNREACHABLE
        return Reply(trouble=kind, detail=visible(f"status {status} {raw.decode('utf-8', 'replace')}", DETAIL))
    if len(raw) > MOST_REPLY_BYTES:
        return Reply(trouble=Trouble.TOO_LONG, detail=f"more than {MOST_REPLY_BYTES:,} bytes")
    try:
        completion = _Completion.model_validate_json(raw)
    except ValidationError as wrong:
        return Reply(trouble=Trouble.NO_ANSWER, detail=objection(wrong))
    usage = completion.usage if isinstance(completion.usage, dict) else {}
    tokens = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    text = completion.choices[0].message.content
    if not text:
        return Reply(
            trouble=Trouble.NO_ANSWER, detail="its message is empty", prompt_tokens=tokens[0], answer_tokens=tokens[1]
        )
    return Reply(text=text, prompt_tokens=tokens[0], answer_tokens=tokens[1])


def _count(claimed: Any) -> int | None:
    """A number of tokens that can be one."""
    return claimed if type(claimed) is int and 0 <= claimed <= 10_000_000 else None
