"""One client's conversation with registries: attempts around proof around redirects, and what is learnt on the way."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.conversation.acts import Pause, Send, Talk, Tell
from dreg_client.conversation.proof import Proof
from dreg_client.conversation.redirects import travel
from dreg_client.conversation.tokens import Tokens
from dreg_client.protocol.error_responses import refuse_long_wait
from dreg_client.protocol.events import Counted, Retrying, Warned
from dreg_client.protocol.messages import Hop, Request, Response
from dreg_client.protocol.options import Options
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.protocol.retry import Attempts, retry_after
from dreg_client.protocol.tls_mismatch import refuse_asked_without_tls, with_advice
from dreg_client.protocol.warning_header import quota_of, warnings_of
from dreg_client.values.origin import Origin

_LETS_NOT: Final = frozenset({401, 403})
_READS: Final = frozenset({"GET", "HEAD"})
_JUST_NOW: Final = 10.0
_MOST_WRITTEN: Final = 1000


@dataclass(slots=True)
class Conversation:
    """What one client knows of registries, shared by its threads or tasks.

    Attributes:
        options: How registries are talked to.
        base: The registry.
        mirrors: Who is asked first for manifests and blobs.
        clock: Monotonic seconds.
    """

    options: Options
    base: RegistryURL
    mirrors: tuple[RegistryURL, ...] = ()
    clock: Callable[[], float] = time.monotonic
    _proof: Proof = field(init=False, repr=False)
    _fixed: tuple[tuple[str, str], ...] = field(init=False, repr=False)
    _not_before: dict[Origin, float] = field(default_factory=dict[Origin, float], repr=False)
    _written: dict[str, float] = field(default_factory=dict[str, float], repr=False)
    _warned: set[str] = field(default_factory=set[str], repr=False)

    def __post_init__(self) -> None:
        self._fixed = (("User-Agent", self.options.user_agent), ("Accept-Encoding", "identity"))
        tokens = Tokens(self.clock, self.options.trusted_token_hosts, self._fixed)
        self._proof = Proof(self.options, self.base, tokens)

    def ask(self, request: Request) -> Talk[Response]:
        """Ask the registry, or one of its mirrors where one may answer.

        Raises:
            TransportError: The way there failed, also after all attempts.
            RateLimitedError: The registry asks for a longer wait than we take.
            UnsafeURLError: An answer leads where we do not go.
            AuthError: What the registry asks for as proof cannot be given.
        """
        for mirror in self.mirrors if request.mirrored else ():
            try:
                response = yield from self._attempted(mirror, request)
            except errors.DregError as failure:
                log.warning("mirror %s: %s; asking on", mirror.url, failure)
            else:
                if response.ok:
                    return response
                log.debug("mirror %s: %s; asking on", mirror.url, response.status)
        return (yield from self._attempted(self.base, request))

    def _attempted(self, base: RegistryURL, request: Request) -> Talk[Response]:
        attempts, lost = self._attempts(), False
        while True:
            yield from self._wait_with_others(base.origin)
            try:
                response = yield from self._proven(base, request)
                refuse_asked_without_tls(response)
            except errors.TransportError as failure:
                advised = with_advice(failure, base, self.options)
                yield from self._pause(request.method, base.url_of(request.target), attempts, advised)
                lost = True
                continue
            delay = attempts.after_answer(request.method, response, is_written=self._is_written(request))
            if delay is None:
                self._note(request, response)
                yield from self._heard(base, response)
                refuse_long_wait(response, self.options.max_retry_after)
                return _gone(response) if lost and request.method == "DELETE" else response
            if retry_after(response) is not None:
                self._not_before[base.origin] = self.clock() + delay
            yield from self._told_pause(request.method, response.where, attempts, f"status {response.status}", delay)

    def _attempts(self) -> Attempts:
        return Attempts(self.options.retries + 1, self.clock, self.options.max_retry_after)

    def _wait_with_others(self, origin: Origin) -> Talk[None]:
        """While one request waits because the registry asked for it, the others wait too."""
        left = self._not_before.get(origin, 0.0) - self.clock()
        if left > 0:
            yield Pause(left)

    def _pause(self, method: str, url: str, attempts: Attempts, failure: errors.TransportError) -> Talk[None]:
        delay = attempts.after_failure(failure)
        yield from self._told_pause(method, url.partition("?")[0], attempts, failure.reason, delay)

    def _told_pause(self, method: str, url: str, attempts: Attempts, reason: str, delay: float) -> Talk[None]:
        log.info("%s %s: attempt %d failed: %s; next in %.1f s", method, url, attempts.made, reason, delay)
        yield Tell(Retrying(method, url, attempts.made, reason, delay))
        yield Pause(delay)

    def _proven(self, base: RegistryURL, request: Request) -> Talk[Response]:
        """A request with the proof that is known to be wanted; else with what its challenge asks for, once."""
        proof = yield from self._proof.beforehand(base, request, self._token_hop)
        response = yield from travel(base, request, self._fixed, proof)
        if response.status == 401 and Origin.of(response.url) == base.origin:
            fresh = yield from self._proof.answered(base, request, response, proof, self._token_hop)
            if fresh is not None:
                proof = fresh
                response = yield from travel(base, request, self._fixed, fresh)
        return self._advised(base, request, response, proof)

    def _advised(self, base: RegistryURL, request: Request, response: Response, proof: str | None) -> Response:
        """A refusal to let us, with what to do about it."""
        if response.status not in _LETS_NOT:
            return response
        if Origin.of(response.url) != base.origin:
            where = f"{response.where} says so, where the registry sent us; no credential goes there"
            return replace(response, advice=where)
        hint = self._proof.advice(base, request, response.status, proof)
        return replace(response, advice=hint.text, anonymous=hint.anonymous)

    def _token_hop(self, hop: Hop) -> Talk[Response]:
        """A request to a token server: attempts of its own, and no redirect is followed with a secret."""
        attempts = self._attempts()
        while True:
            try:
                response: Response = yield Send(hop)
            except errors.TransportError as failure:
                if isinstance(failure, errors.TransferTimeoutError):
                    # Others wait for the token, too: once more will do.
                    attempts.most = min(attempts.most, attempts.made + 2)
                yield from self._pause(hop.method, hop.url, attempts, failure)
                continue
            delay = attempts.after_answer("POST", response)
            if delay is None:
                return response
            yield from self._told_pause(hop.method, hop.where, attempts, f"status {response.status}", delay)

    def _note(self, request: Request, response: Response) -> None:
        """What is written may be asked for soon; what is deleted is to be gone."""
        if request.method == "DELETE" or len(self._written) >= _MOST_WRITTEN:
            self._written.clear()
        if request.method == "PUT" and response.ok:
            self._written[request.target] = self.clock()

    def _is_written(self, request: Request) -> bool:
        when = self._written.get(request.target) if request.method in _READS else None
        return when is not None and self.clock() - when < _JUST_NOW

    def _heard(self, base: RegistryURL, response: Response) -> Talk[None]:
        for text in warnings_of(response):
            if text not in self._warned and len(self._warned) < 1000:
                self._warned.add(text)
                log.warning("%s warns: %s", base.name, text)
                yield Tell(Warned(base.name, text))
        if quota := quota_of(response):
            log.info("%s: %d of %d pulls are left", base.name, quota[1], quota[0])
            yield Tell(Counted(base.name, *quota))


def conversation_with(base: RegistryURL, options: Options) -> Conversation:
    """What is to be known of a registry and its mirrors."""
    return Conversation(options, base, tuple(RegistryURL.parse(mirror) for mirror in options.mirrors))


def _gone(response: Response) -> Response:
    """What there is no more of was deleted by an attempt whose answer was lost."""
    return replace(response, status=202) if response.status == 404 else response
