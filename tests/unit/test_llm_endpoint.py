"""The endpoint's file, and the line to it: against a server that answers well, badly, slowly, too much, not at all."""

import gzip
import json
import socket
import time

import pytest
from chat_server import chat_server, dripping, endpoint, says, silent, status

from autoresearch.researcher import endpoint as module
from autoresearch.researcher.conversation import Trouble
from autoresearch.researcher.endpoint import MOST_REPLY_BYTES, Line, read_endpoint
from bench.errors import ConfigError

MESSAGES = [{"role": "user", "content": "what next?"}]
SCHEMA = {"type": "object"}
SECRET = "sk-very-secret"


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    """No proxy between us and ourselves, and no second of waiting between tries."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.0)


def asked(line):
    """The reply, waited for."""
    line.ask(MESSAGES, SCHEMA)
    until = time.monotonic() + 10
    while (reply := line.reply()) is None:
        assert time.monotonic() < until, "no reply in ten seconds"
        time.sleep(0.002)
    return reply


def answer(*handlers, **changes):
    with chat_server(*handlers) as server:
        return asked(Line(endpoint(server.url, **changes))), server


def test_a_request_names_model_schema_and_limit_and_carries_the_key(monkeypatch):
    monkeypatch.setenv("PARROT_KEY", SECRET)
    reply, server = answer(says("hello", {"prompt_tokens": 7, "completion_tokens": 2}), key_variable="PARROT_KEY")
    assert (reply.text, reply.prompt_tokens, reply.answer_tokens, reply.trouble) == ("hello", 7, 2, None)
    (body,) = server.asked
    assert (body["model"], body["messages"], body["max_tokens"]) == ("parrot-1", MESSAGES, 2000)
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA
    assert server.headers_seen[0]["authorization"] == f"Bearer {SECRET}"


def test_without_a_key_none_is_sent():
    _, server = answer(says("hello"))
    assert "authorization" not in server.headers_seen[0]


def test_an_endpoint_that_knows_no_schema_is_asked_without_and_from_then_on():
    with chat_server(status(400), says("hello")) as server:
        line = Line(endpoint(server.url))
        assert [asked(line).text, asked(line).text] == ["hello", "hello"]
        assert ["response_format" in body for body in server.asked] == [True, False, False]


BAD = {
    "not JSON": (b"<html>busy</html>", Trouble.NO_ANSWER),
    "another shape": (b'{"choices": []}', Trouble.NO_ANSWER),
    "no text": (b'{"choices": [{"message": {"content": null}}]}', Trouble.NO_ANSWER),
    "deep": (b"[" * 200_000, Trouble.NO_ANSWER),
    "half a character": (b'{"choices": [{"message": {"content": "\xff"}}]}', Trouble.NO_ANSWER),
    "megabytes": (b'{"choices": [{"message": {"content": "' + b"A" * 5_000_000, Trouble.TOO_LONG),
}


@pytest.mark.parametrize(("body", "trouble"), BAD.values(), ids=BAD)
def test_a_reply_that_is_no_completion(body, trouble):
    reply, server = answer(status(200, body))
    assert (reply.text, reply.trouble) == ("", trouble)
    assert len(reply.detail) <= 300
    assert len(server.asked) == 1


def test_what_is_packed_is_not_unpacked():
    bomb = gzip.compress(b" " * 5_000_000)
    reply, _ = answer(status(200, bomb, content_encoding="gzip"))
    assert reply.trouble is Trouble.NO_ANSWER


@pytest.mark.parametrize(
    "usage", [{"prompt_tokens": -5, "completion_tokens": 10**30}, "many", [1], {"prompt_tokens": True}]
)
def test_a_count_that_can_not_be_is_none(usage):
    reply, _ = answer(says("hello", usage))
    assert (reply.text, reply.prompt_tokens, reply.answer_tokens) == ("hello", None, None)


@pytest.mark.parametrize("code", [401, 403, 404])
def test_a_refusal_is_not_tried_again(code):
    reply, server = answer(status(code, b"\x1b[31mno such key\x1b[0m"))
    assert reply.trouble is Trouble.REFUSED
    assert reply.detail == f"status {code} [31mno such key [0m"
    assert len(server.asked) == 1


def test_a_busy_endpoint_is_tried_again_when_it_says():
    reply, server = answer(status(429, retry_after="0"), status(503), says("hello"))
    assert reply.text == "hello"
    assert len(server.asked) == 3


def test_an_endpoint_that_stays_broken_is_left_after_three_tries():
    reply, server = answer(status(500))
    assert (reply.trouble, len(server.asked)) == (Trouble.BROKEN, 3)


def test_an_endpoint_that_wants_us_later_than_the_deadline_is_left_at_once():
    begun = time.monotonic()
    reply, server = answer(status(429, retry_after="3600"))
    assert (reply.trouble, len(server.asked)) == (Trouble.BROKEN, 1)
    assert time.monotonic() - begun < 2


def test_a_redirect_is_not_followed_so_the_key_stays_where_it_belongs(monkeypatch):
    monkeypatch.setenv("PARROT_KEY", SECRET)
    with chat_server(says("mine")) as thief:
        reply, _ = answer(status(307, location=f"{thief.url}/chat/completions"), key_variable="PARROT_KEY")
        assert reply.trouble is Trouble.BROKEN
        assert thief.asked == []


@pytest.mark.parametrize("handler", [silent(1.0), dripping], ids=["silent", "dripping"])
def test_a_slow_endpoint_is_left_at_the_deadline(handler):
    begun = time.monotonic()
    reply, _ = answer(handler, timeout_seconds=0.2)
    assert reply.trouble is Trouble.TIMED_OUT
    assert time.monotonic() - begun < 1.5


def test_asking_and_looking_return_at_once():
    with chat_server(silent(1.0)) as server:
        line = Line(endpoint(server.url, timeout_seconds=0.3))
        begun = time.monotonic()
        line.ask(MESSAGES, SCHEMA)
        assert line.reply() is None
        assert time.monotonic() - begun < 0.1
        assert line.busy


def test_nobody_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    reply = asked(Line(endpoint(f"http://127.0.0.1:{port}")))
    assert reply.trouble is Trouble.UNREACHABLE


def test_a_server_that_hangs_up():
    reply, _ = answer(lambda call: call.connection.close())
    assert reply.trouble is Trouble.UNREACHABLE


GOOD = """
base_url = "https://api.example.com/v1"
model = "parrot-1"
key_variable = "PARROT_KEY"
timeout_seconds = 30
max_dollars = 1.5
dollars_per_million_prompt_tokens = 0.5
dollars_per_million_answer_tokens = 1.5
"""


def test_a_file_gives_an_endpoint(tmp_path, monkeypatch):
    monkeypatch.setenv("PARROT_KEY", SECRET)
    (tmp_path / "llm.toml").write_text(GOOD)
    found = read_endpoint(tmp_path / "llm.toml")
    assert (found.model, found.key(), found.timeout_seconds) == ("parrot-1", SECRET, 30)
    assert found.dollars(1_000_000, 2_000_000) == 3.5
    assert SECRET not in repr(found)


WRONG = {
    "no TOML": ("model = ", "is no TOML"),
    "no model": (GOOD.replace("model = ", "# "), "model: Field required"),
    "the key itself": (GOOD + f'key = "{SECRET}"', "key: Extra inputs are not permitted"),
    "the key as a name": (GOOD.replace("PARROT_KEY", SECRET), "key_variable: String should match pattern"),
    "key not set": (GOOD.replace("PARROT_KEY", "NO_SUCH_KEY"), "the environment variable NO_SUCH_KEY is not set"),
    "two lines of key": (GOOD.replace("PARROT_KEY", "TORN_KEY"), "the environment variable TORN_KEY is not a key"),
    "no address": (GOOD.replace("https://", "ftp://"), "base_url is no address"),
    "a password in it": (GOOD.replace("https://", f"https://me:{SECRET}@"), "base_url has more than a host and a path"),
    "a number in words": (GOOD.replace("30", '"long"'), "timeout_seconds: Input should be a valid number"),
    "no time": (GOOD.replace("30", "0"), "timeout_seconds: Input should be greater than 0"),
    "no price": (GOOD.replace("dollars_per_million_prompt", "# "), "max_dollars needs both prices"),
    "endless": (GOOD.replace("1.5\ndol", "inf\ndol"), "max_dollars: Input should be"),
    "a book": ("#" * 20_000, "has more than 10,000 bytes"),
}


@pytest.mark.parametrize(("text", "problem"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_said_in_a_line_and_without_the_key(text, problem, tmp_path, monkeypatch):
    monkeypatch.setenv("PARROT_KEY", SECRET)
    monkeypatch.setenv("TORN_KEY", "one\ntwo")
    (tmp_path / "llm.toml").write_text(text)
    with pytest.raises(ConfigError) as wrong:
        read_endpoint(tmp_path / "llm.toml")
    assert problem in wrong.value.problem
    assert "\n" not in wrong.value.problem
    assert SECRET not in wrong.value.problem


def test_a_key_that_comes_back_is_struck_out(monkeypatch):
    monkeypatch.setenv("PARROT_KEY", SECRET)
    line = Line(endpoint("http://127.0.0.1:1", key_variable="PARROT_KEY"))
    assert line.redacted(json.dumps({"your key": SECRET})) == '{"your key": "[key]"}'


def test_all_of_a_long_reply_but_a_little_is_left_unread():
    sent = []

    def flood(call):
        call.send_response(200)
        call.end_headers()
        for _ in range(2000):
            call.wfile.write(b"A" * 65_536)
            sent.append(65_536)

    reply, _ = answer(flood)
    assert reply.trouble is Trouble.TOO_LONG
    assert MOST_REPLY_BYTES < sum(sent) < 100_000_000
