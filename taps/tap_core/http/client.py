"""The HTTP client that all streams of a tap share: one connection pool, one budget, one way to retry."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import requests
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from tap_core.errors import ApiError, PageFailed, RateLimited, Retriable, Unanswered, Unconnected, Unreachable
from tap_core.http import messages
from tap_core.http.believed import Believed
from tap_core.http.connection import Dropped, TooLarge
from tap_core.http.limiter import Limiter
from tap_core.http.outage import Outage
from tap_core.http.prepare import Preparer
from tap_core.http.response import check_retried, is_down, redirect_target
from tap_core.http.retry import Limits, Silence, backoff, failure_of, first_date, refusal_wait
from tap_core.http.traffic import Traffic
from tap_core.http.transport import Transport

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from tap_core.http.limiter import Ticket
    from tap_core.http.transport import Answer

__all__ = ["ApiClient", "Limits", "Traffic"]

T = TypeVar("T")
_Prepared = requests.PreparedRequest

_MOST_REDIRECTS = 5
_NEVER_SENT = (NewConnectionError, ConnectTimeoutError)


@dataclass
class ApiClient:
    """Sends requests, and tries again what is worth it.

    Args:
        limits: Time-outs, retries, budget.
        authenticator: Adds the credential to a request.
        user_agent: User-Agent header.
        logger: Where retries are logged.
        rate_limit_factor: How many times as long to wait after a 429 that names no time as after a fault.
        counts_at_once: Whether such a 429 means that too many requests were under way at once.
    """

    limits: Limits
    authenticator: Callable[[requests.PreparedRequest], requests.PreparedRequest]
    user_agent: str
    logger: logging.Logger
    rate_limit_factor: float = 1
    counts_at_once: bool = False
    on_wait: Callable[[float], None] | None = field(default=None, init=False)
    """Is told how many seconds each answer was waited for."""
    answered: int = field(default=0, init=False)
    """Requests that have succeeded; any shows that the key is good."""
    first_date: datetime | None = field(default=None, init=False)
    """When the first answer was made, by the server's clock; None if it didn't say."""

    def __post_init__(self) -> None:
        self.session = requests.Session()
        self._limiter = Limiter(self.limits.requests_per_minute)
        self._prepare = Preparer(self.authenticator, self.user_agent)
        self._transport = Transport(
            self.session,
            concurrency=self.limits.concurrency,
            request_timeout=self.limits.request_timeout,
            max_body=self.limits.max_body,
        )
        for scheme in ("https://", "http://"):
            self.session.mount(scheme, self._transport)
        self._answers = 0
        self._silence = Silence()
        self._believed = Believed()
        self._outage = Outage(self.limits)
        self._passed_last: _Prepared | None = None

    def stop(self) -> None:
        """End all waiting, now and from now on, with `Stopped`."""
        self._limiter.stop()

    def get(  # noqa: PLR0913  what makes a request, and what it is for
        self,
        url: str,
        params: Mapping[str, Any],
        headers: Mapping[str, str],
        read: Callable[[requests.Response], T],
        traffic: Traffic,
        *,
        retries: int | None = None,
    ) -> T:
        """GET a URL until `read` makes sense of the response.

        Args:
            url: Where to.
            params: Query parameters; a list repeats its parameter, None leaves it out.
            headers: Headers besides the credential and User-Agent.
            read: Turns the response into the result, or raises `Retriable`.
            traffic: Counts requests and waits.
            retries: Retries after a fault; those of the limits if None. Refusals (429) are not among them.

        Raises:
            PageFailed: The server fails, is too slow or sends broken bodies, retries included.
            Unreachable: There was no answer at all, retries included.
            RateLimited: The server asks for too long a wait, or refuses after every wait.
            ApiError: Any other failure for good, as `read` says.
        """
        request = self._prepare(url, params, headers)
        if retries is None:
            retries = 0 if self._silence.is_lasting(self._answers) else self.limits.max_retries
        faults = refusals = 0
        again = False
        answers, passed = self._answers, self._outage.passed
        while True:
            ticket = self._limiter.enter(again=again)
            began = time.monotonic()
            try:
                return self._attempt(request, read, traffic, ticket)
            except Retriable as failure:
                last = 0 < retries <= faults
                again = self._believed.is_limit(failure, self.answered, alone=ticket.alone, last=last)
                before, passed = passed, self._outage.passed
                if again:
                    refusals += ticket.alone
                    if self._refused(request, failure, ticket, refusals, traffic):
                        continue
                else:
                    self._limiter.lost(ticket)
                self._outage.failed(began)
                faults += 1
                if again or faults > retries:
                    if not self._was_outage(request, failure, before, retries, traffic):
                        raise self._gave_up(request, failure, faults + refusals, answers) from None
                    faults = refusals = 0
                    continue
                self._back_off(request, failure, faults, traffic)
                if faults == 1:
                    answers = self._answers

    def _attempt(
        self, request: _Prepared, read: Callable[[requests.Response], T], traffic: Traffic, ticket: Ticket
    ) -> T:
        try:
            response = self._send(request, traffic)
            if traffic.on_answer:
                traffic.on_answer(response)
            check_retried(response, believed=self._believed.words(self.answered, response.content))
            result = read(response)
            self.answered += 1
            self._passed_last = request
            self._believed.passed()
        except Retriable:
            raise
        except BaseException:
            self._limiter.passed(ticket)
            raise
        self._limiter.passed(ticket)
        return result

    def _send(self, request: _Prepared, traffic: Traffic) -> Answer:
        """Send a request, and follow redirects on the same host: no other host gets the key."""
        for _ in range(_MOST_REDIRECTS):
            response = self._fetch(request, traffic)
            if not response.is_redirect:
                return response
            request = request.copy()
            request.url = redirect_target(response)
        msg = f"{messages.place(request.url)} redirects in a circle: check api_url"
        raise ApiError(msg)

    def _fetch(self, request: _Prepared, traffic: Traffic) -> Answer:
        """Send a request; again at once where a kept connection turns out to be closed, as all may be."""
        kept = self.limits.concurrency
        while True:
            traffic.requests += 1
            worked = time.thread_time()
            try:
                response = self._transport.fetch(request)
            except TooLarge:
                msg = (
                    f"{messages.place(request.url)} sent more than {self.limits.max_body} MB at once: "
                    "raise max_body if this machine has the memory"
                )
                raise PageFailed(msg) from None
            except (HTTPError, requests.RequestException, ValueError, OSError) as error:
                traffic.requests -= isinstance(error, _NEVER_SENT)
                if not kept or not any(isinstance(cause, Dropped) for cause in messages.causes(error)):
                    seconds, answered = self.limits.request_timeout, self._answers > 0
                    raise failure_of(request.url, error, seconds, answered=answered) from None
                kept -= 1
                traffic.retries += 1
            else:
                break
        if self.on_wait:
            self.on_wait(response.elapsed.total_seconds() - (time.thread_time() - worked))
        if not self._answers:
            self.first_date = first_date(response.headers)
        self._answers += 1
        if not is_down(response):
            self._outage.answered()
        return response

    def _refused(
        self, request: _Prepared, failure: Retriable, ticket: Ticket, refusals: int, traffic: Traffic
    ) -> bool:
        """Wait as a refusal asks to, with all other requests; False if that was in vain for this one."""
        is_named = failure.status == HTTPStatus.TOO_MANY_REQUESTS
        counts = self.counts_at_once and is_named and failure.wait is None
        is_doubted = failure.inferred and self._believed.is_doubted(self.answered)

        def wait(before: int) -> float:
            before = max(before, refusals - 1)
            factor = self.rate_limit_factor if is_named else 1
            too_long = messages.too_long_a_wait(request.url, failure, self.limits.max_wait)
            first = not self._limiter.has_recovered
            seconds = refusal_wait(
                self.limits, before, failure.wait, factor=factor, first=first, blocks=is_named
            )
            if seconds is not None and not too_long and not is_doubted:
                return seconds
            if is_doubted or ((is_named or too_long) and not failure.inferred):
                why = too_long or messages.still_refused(request.url, failure)
                raise RateLimited(why, status=failure.status)
            self._believed.in_vain(failure, self.answered)
            if too_long:
                raise ApiError(too_long, status=failure.status)
            raise failure

        try:
            seconds = self._limiter.refused(ticket, wait, counts=counts)
        except Retriable:
            return False
        traffic.retries += 1
        if seconds is not None:
            self._log_retry(request, failure, seconds)
            traffic.waited += seconds
        return True

    def _was_outage(
        self, request: _Prepared, failure: Retriable, passed: int, retries: int, traffic: Traffic
    ) -> bool:
        """Whether a request may go again, as an outage was the reason of its failure, and is over."""
        known = self._passed_last
        if known is None or not (retries or isinstance(failure, Unconnected)):
            return False  # a piece of a page says for itself whether it can be had

        def passes() -> bool:
            ticket = self._limiter.enter()
            try:
                return not is_down(self._fetch(known, traffic))
            except (Retriable, ApiError):
                return False
            finally:
                self._limiter.lost(ticket)

        def sleep(seconds: float) -> None:
            self._sleep(request, failure, seconds, traffic)

        return self._outage.is_over(failure, passed, passes, sleep)

    def _back_off(self, request: _Prepared, failure: Retriable, retry: int, traffic: Traffic) -> None:
        """Wait after a fault; if the server names a time, all requests do."""
        if too_long := messages.too_long_a_wait(request.url, failure, self.limits.max_wait):
            raise RateLimited(too_long, status=failure.status)
        if failure.wait:
            self._limiter.pause(failure.wait)
        self._sleep(request, failure, max(backoff(self.limits, retry), failure.wait or 0.0), traffic)

    def _sleep(self, request: _Prepared, failure: Retriable, seconds: float, traffic: Traffic) -> None:
        self._log_retry(request, failure, seconds)
        traffic.retries += 1
        traffic.waited += seconds
        self._limiter.sleep(seconds)

    def _log_retry(self, request: _Prepared, failure: Retriable, seconds: float) -> None:
        self.logger.warning(
            "%s: %s; trying again in %.1f s", messages.place(request.url), failure.reason, seconds
        )

    def _gave_up(self, request: _Prepared, failure: Retriable, tries: int, answers: int) -> ApiError:
        """The failure of a request that was tried so often; by its first retry, so many answers had come."""
        msg = messages.gave_up(request.url, failure, tries)
        if failure.unanswered and self._answers == answers:
            if isinstance(failure, Unconnected):
                return Unreachable(msg)
            self._silence.note(messages.place(request.url), answers)
        if not failure.divisible:
            error = ApiError(msg, status=failure.status)
            error.said = failure.said.decode(errors="replace")
            return error
        return (Unanswered if failure.unanswered else PageFailed)(msg, status=failure.status)
