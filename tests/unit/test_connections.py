"""Connections: what is counted of a request before anybody knows who sent it, and how long a client is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any
from unittest.mock import Mock

import pytest
import uvicorn
from tests.waiting import PATIENCE
from uvicorn.server import ServerState

from rolecall.connections import (
    LARGEST_FRAMING,
    LARGEST_HEAD,
    MOST_FIELDS,
    WHOLE_REPLY,
    Bounds,
    HttpProtocol,
)

CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Place:
    """A listening server: its answers hold the headers and the size of the body of what was asked."""

    def __init__(self, port: int, state: ServerState) -> None:
        self.port = port
        self.state = state
        self.scopes: list[dict[str, Any]] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers.append(writer)
        return reader, writer

    async def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def answer(self, *pieces: bytes) -> bytes:
        """All that comes back until the server ends the connection."""
        reader, writer = await self.connect()
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            return await asyncio.wait_for(reader.read(), PATIENCE)
        except ConnectionError:
            return b""

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        self.scopes.append(scope)
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size, more = size + len(message.get("body", b"")), message.get("more_body", False)
        body = str(size).encode()
        headers = [(b"content-length", str(len(body)).encode()), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(bounds: Bounds, kind: type[Place] = Place) -> AsyncIterator[Place]:
    state = ServerState()
    place = kind(0, state)
    config = uvicorn.Config(place, ws="none", lifespan="off", log_config=None)
    config.load()
    make = partial(HttpProtocol, config, state, {}, bounds=bounds)
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    place.port = server.sockets[0].getsockname()[1]
    try:
        yield place
    finally:
        await place.close()
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()  # type: ignore[union-attr]
        while state.connections or state.tasks:
            await asyncio.sleep(0)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with serving(Bounds()) as found:
        yield found


async def test_a_trailer_is_no_header(place: Place) -> None:
    answer = await place.answer(
        CHUNKED, b"2\r\n{}\r\n0\r\nAuthorization: TC3-evil\r\nX-Auth-Token: t\r\n\r\n"
    )
    assert answer.endswith(b"\r\n\r\n2")
    (scope,) = place.scopes
    assert scope["headers"] == ((b"host", b"x"), (b"transfer-encoding", b"chunked"))


@pytest.mark.parametrize(
    "endless",
    [
        b"0\r\nX-Trail: " + b"A" * 40 * 2**20,
        b"0\r\n" + b"X: y\r\n" * 500_000,
        b"1;" + b"a" * 40 * 2**20,
        (b"1;" + b"a" * 40_000 + b"\r\nx\r\n") * 100,
    ],
    ids=["one trailer", "many trailers", "one extension", "many extensions"],
)
async def test_what_stands_between_the_chunks_has_an_end(place: Place, endless: bytes) -> None:
    """Read in pieces, so that what was taken before the refusal can be told."""
    reader, writer = await place.connect()
    writer.write(CHUNKED)
    taken = 0
    try:
        for start in range(0, len(endless), 2**16):
            writer.write(endless[start : start + 2**16])
            await writer.drain()
            taken += 2**16
        assert b" 400 " in await asyncio.wait_for(reader.read(), PATIENCE)
    except ConnectionError:
        pass
    assert taken < 20 * 2**20  # what the two sockets hold by themselves is among it
    (scope,) = place.scopes
    assert len(scope["headers"]) == 2


async def test_chunks_of_one_byte_are_as_good_as_others(place: Place) -> None:
    size = LARGEST_FRAMING // 2
    answer = await place.answer(CHUNKED, b"1\r\nx\r\n" * size, b"0\r\n\r\n")
    assert answer.endswith(f"\r\n\r\n{size}".encode())


async def test_a_head_has_so_many_fields_and_bytes(place: Place) -> None:
    fields = b"".join(b"X-%d: y\r\n" % number for number in range(MOST_FIELDS - 1))
    assert b" 200 " in await place.answer(b"GET / HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n")
    assert b" 400 " in await place.answer(b"GET / HTTP/1.1\r\nHost: x\r\nOne: z\r\n" + fields + b"\r\n")
    long = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * (LARGEST_HEAD + 2**19)
    assert b" 200 " not in await place.answer(long, b"\r\n\r\n")
    assert len(place.scopes) == 1


async def test_a_client_may_ask_only_so_much_before_it_is_answered(place: Place) -> None:
    """Each waiting request is kept with all that belongs to it."""
    assert b" 400 " in await place.answer(GET * 100)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", b""),
        (b"\r\n", b"HTTP/1.1 408 "),
        (b"POST / HTTP/1.1\r\nHost:", b"HTTP/1.1 408 "),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", b"HTTP/1.1 408 "),
        (CHUNKED + b"1\r\nx\r\n0\r\nTrailer:", b"HTTP/1.1 408 "),
    ],
    ids=["nothing", "an empty line", "half a head", "half a body", "half a trailer"],
)
async def test_a_client_that_does_not_finish_its_request_is_not_waited_for(
    sent: bytes, expected: bytes
) -> None:
    async with serving(Bounds(head_seconds=0.05, body_seconds=0.05)) as place:
        answer = await place.answer(sent)
    assert answer.startswith(expected)
    assert bool(answer) is bool(expected)


async def test_a_kept_connection_is_closed_when_nothing_happens_on_it() -> None:
    async with serving(Bounds(idle_seconds=0.05)) as place:
        place_app = place.__call__

        async def kept(scope: Any, receive: Any, send: Any) -> None:
            async def keeping(message: Any) -> None:
                if "headers" in message:
                    message["headers"] = [one for one in message["headers"] if one[0] != b"connection"]
                await send(message)

            await place_app(scope, receive, keeping)

        reader, writer = await place.connect()
        (connection,) = await until(lambda: list(place.state.connections))
        connection.app = kept
        writer.write(GET)
        assert (await asyncio.wait_for(reader.read(), PATIENCE)).endswith(b"\r\n\r\n0")


async def until(look: Callable[[], list[Any]]) -> list[Any]:
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not (found := look()):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.001)
    return found


async def test_where_there_are_too_many_connections_the_one_waited_for_longest_goes() -> None:
    async with serving(Bounds(connections=3)) as place:
        slow = []
        for number in range(3):
            slow.append(await place.connect())
            await until(lambda number=number: [1] * (len(place.state.connections) == number + 1))
        assert (await place.answer(GET)).endswith(b"\r\n\r\n0")
        assert await asyncio.wait_for(slow[0][0].read(), PATIENCE) == b""
        for reader, writer in slow[1:]:
            writer.write(GET)
            assert b" 200 " in await asyncio.wait_for(reader.read(), PATIENCE)


async def test_an_answer_that_is_being_made_is_not_cut_off_for_another_connection() -> None:
    async with serving(Bounds(connections=1)) as place:
        reader, writer = await place.connect()
        (connection,) = await until(lambda: list(place.state.connections))
        schedule = asyncio.Event()

        async def slow(scope: Any, receive: Any, send: Any) -> None:
            await schedule.wait()
            await place(scope, receive, send)

        connection.app = slow
        writer.write(GET)
        await until(lambda: list(place.state.tasks))
        assert b" 503 " in await place.answer(GET)
        schedule.set()
        assert b" 200 " in await asyncio.wait_for(reader.read(), PATIENCE)


async def test_a_client_that_does_not_read_its_answer_is_cut_off() -> None:
    async with serving(Bounds(body_seconds=0.05)) as place:
        _, writer = await place.connect()
        (connection,) = await until(lambda: list(place.state.connections))

        async def large(scope: Any, receive: Any, send: Any) -> None:
            size = 64 * 2**20
            await send(
                {
                    "type": "http.response.start",
                    "status": 200,
                    "headers": [(b"content-length", str(size).encode())],
                }
            )
            await send({"type": "http.response.body", "body": bytes(size)})

        connection.app = large
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(GET)
        await until(lambda: [1] * (not place.state.connections))


class Whole(Place):
    """It answers at once, in one write, as the application does."""

    def __init__(self, port: int, state: ServerState) -> None:
        super().__init__(port, state)
        self.headers: tuple[tuple[str, str], ...] = ()
        self.failed: list[str] = []

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        try:
            await scope[WHOLE_REPLY](200, self.headers, scope["path"].encode())
        except RuntimeError as error:
            self.failed.append(str(error))
            raise


@pytest.fixture
async def whole() -> AsyncIterator[Whole]:
    async with serving(Bounds(), Whole) as found:
        assert isinstance(found, Whole)
        yield found


async def test_a_whole_reply_is_what_two_messages_make_in_one_write(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[bytes] = []
    reply = HttpProtocol._reply

    async def watched(self: HttpProtocol, *given: Any) -> None:
        transport = self.transport
        monkeypatch.setattr(self, "transport", Mock(wraps=transport))
        await reply(self, *given)
        writes.extend(call.args[0] for call in self.transport.write.call_args_list)  # type: ignore[attr-defined]
        monkeypatch.setattr(self, "transport", transport)

    monkeypatch.setattr(HttpProtocol, "_reply", watched)
    whole.headers = (("x-one", "1"), ("x-two", "\xe9"))
    answer = await whole.answer(GET + b"GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    first, second = writes
    assert answer == first + second
    assert first == b"HTTP/1.1 200 OK\r\nx-one: 1\r\nx-two: \xe9\r\ncontent-length: 1\r\n\r\n/"
    assert second.endswith(b"content-length: 2\r\nconnection: close\r\n\r\n/2")


async def test_a_whole_reply_to_head_has_the_length_and_no_body(whole: Whole) -> None:
    answer = await whole.answer(b"HEAD /abc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"content-length: 4\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


async def test_a_client_of_http_1_0_is_answered_and_the_connection_ends(whole: Whole) -> None:
    assert b"connection: close\r\n" in await whole.answer(b"GET / HTTP/1.0\r\n\r\n")


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "\0", "\x7f"])
async def test_no_header_can_add_another(whole: Whole, value: str, caplog: pytest.LogCaptureFixture) -> None:
    whole.headers = (("location", value),)
    answer = await whole.answer(GET)
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"Cookie" not in answer
    assert whole.failed
    assert "control characters" in caplog.text
