"""Plays a conversation about one plain HTTP request against a gateway: the suite is the client and the runners."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tunnelconform import conversation as talk
from tunnelconform.around_gateway import CLIENT
from tunnelconform.around_request import MARK, AroundRequest, Shown, left
from tunnelconform.peers import Runner
from tunnelconform.peers_http import Requester
from tunnelconform.play_gateway import GatewayPlay, tables_of
from tunnelconform.played import Impossible
from tunnelspec.endpoint import Endpoint
from tunnelspec.events import RequestBegun, RequestBody
from tunnelspec.frames import (
    Headers,
    ToClientRequestStart,
    ToServerResponseAbort,
    ToServerResponseChunk,
    ToServerResponseStart,
)

PATH = "/conform?x=1"
LINE = "r\n"
"""The body of a response that comes whole."""


class RequestPlay(GatewayPlay):
    """One conversation with one gateway, about one request."""

    begins = ToClientRequestStart

    def surroundings(self, tables: Endpoint) -> AroundRequest:
        nature, profile = self.nature, self.profile
        return AroundRequest(
            tables, nature.limits, self.links, self.grace_ms, profile.acks, profile.own_words, profile.route_patience_ms
        )

    def tables(self) -> Endpoint:
        return tables_of(self.profile).http_gateway

    async def closes_sockets(self, runner: Runner) -> None:
        """Before an actor stops, its response is aborted."""
        if self.request:
            await self.say_tunnel(runner, ToServerResponseAbort(), None)

    # -- the client --------------------------------------------------------------------------------------------------

    def _requester(self) -> Requester:
        if self.requester is None or self.requester.left:
            raise Impossible("there is no client")
        return self.requester

    async def do_request(self, step: talk.Request) -> None:
        if self.requester is not None:
            raise Impossible("the client has begun its request before")
        door = await self._door()
        if not door.request_url:
            raise Impossible(
                "its adapter names no request_url: if it has no HTTP, it is to say that REQ-G-* is unsupported"
            )
        path = f"{PATH}&{door.request_query}" if door.request_query else PATH
        url, method = door.request_url.rstrip("/") + path, "POST" if step.body else "GET"
        headers = [*door.request_headers, (MARK, self.key)]
        self.tell(CLIENT, RequestBegun(ToClientRequestStart("", method, path, ((MARK, self.key),), None, step.body)))
        self.note("client", "gateway", f"{method} {urlsplit(url).path}")
        try:
            self.requester = await Requester.connect(url, self._sees, self.grace_ms / 1000)
        except (OSError, TimeoutError) as error:
            raise Impossible(f"the client cannot connect: {error!r}") from error
        self.requester.begin(url, method, headers, step.body)

    async def do_upload(self, step: talk.Upload) -> None:
        requester = self._requester()
        data = f"{step.text}\n".encode() if step.text else b""
        self.tell(CLIENT, RequestBody(data, not data, self.now()))
        self.note("client", "gateway", talk.words(step))
        requester.upload(data)

    async def do_vanish(self, step: talk.Vanish) -> None:
        requester = self._requester()
        self.links.gone.add(CLIENT)
        self.side.hypotheses = left(self.side.hypotheses, self.now())
        self.note("client", "gateway", talk.words(step))
        requester.vanish()

    def _sees(self, what: Shown) -> None:
        self._links_may_be_lost()
        self.see(CLIENT, what, b"", "client")

    # -- runners -----------------------------------------------------------------------------------------------------

    async def do_respond(self, step: talk.Respond) -> None:
        body = None if step.stream else LINE.encode()
        await self._says(step, ToServerResponseStart(step.status, self._headers(), body, step.stream))

    async def do_respond_more(self, step: talk.RespondMore) -> None:
        await self._says(step, ToServerResponseChunk(f"{step.text}\n".encode(), step.last))

    async def do_respond_abort(self, step: talk.RespondAbort) -> None:
        await self._says(step, ToServerResponseAbort())

    def _headers(self) -> Headers:
        return ((MARK, self.key),)

    async def _says(self, step: Any, frame: Any) -> None:
        await self.say_tunnel(self._runner(step.who), frame, step)
