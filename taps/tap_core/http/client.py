"""The HTTP client that all streams of a tap share: one connection pool, one budget, one way to retry."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ReadTimeoutError

from tap_core.errors import ApiError, Hopeless, PageFailed, RateLimited, Retriable, Unreachable
from tap_core.http.retry import Gate, backoff, is_retried, retry_after

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

T = TypeVar("T")

_CONNECT_TIMEOUT = 4.0
"""Seconds at most to wait for a connection; an address where nobody listens should be known soon."""

_MOST_REDIRECTS = 5


@dataclass
class Traffic:
    """What a stream's reading cost."""

    requests: int = 0
    retries: int = 0
    waited: float = 0.0


@dataclass(frozen=True)
class Limits:
    """How patient a client is; see the settings of the same names."""

    request_timeout: float
    max_retries: int
    backoff_factor: float
    requests_per_minute: int | None
    concurrency: int


@dataclass
class ApiClient:
    """Sends requests, and tries again what is worth it.

    Args:
        limits: Time-outs, retries, budget.
        authenticator: Adds the credential to a request.
        user_agent: User-Agent header.
        logger: Where retries are logged.
        wait_header: Header that names the seconds to wait after a 429, besides Retry-After.
        patience: How many times as long to wait after a 429 that names no time as after a fault.
    """

    limits: Limits
    authenticator: Callable[[requests.PreparedRequest], requests.PreparedRequest]
    user_agent: str
    logger: logging.Logger
    wait_header: str | None = None
    patience: float = 1
    first_date: datetime | None = None
    answered: bool = field(default=False, init=False)
    """Whether any request has succeeded, which shows that the key is good."""

    def __post_init__(self) -> None:
        self.gate = Gate(self.limits.requests_per_minute)
        self.session = requests.Session()
        adapter = HTTPAdapter(pool_connections=2, pool_maxsize=self.limits.concurrency)
        self.session.mount("https://", adapter)
        self.session.mount("http://", adapter)
        self._environment: dict[str, Any] = {}

    def get(
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

        Raises:
            ApiError: The request failed for good.
        """
        request = requests.PreparedRequest()
        request.prepare(
            method="GET",
            url=url,
            params=dict(params),
            headers={**self.session.headers, "User-Agent": self.user_agent, **headers},
            auth=self.authenticator,
        )
        retry = 0
        while True:
            self.gate.enter()
            traffic.requests += 1
            try:
                return self._attempt(request, read)
            except Retriable as failure:
                retry += 1
                if retry > (self.limits.max_retries if retries is None else retries):
                    kind = (
                        RateLimited
                        if failure.rate_limited
                        else Unreachable
                        if failure.unanswered
                        else PageFailed
                    )
                    raise kind(self._gave_up(request, failure, retry)) from None
                traffic.retries += 1
                self._wait(request, failure, retry, traffic)

    def _attempt(self, request: requests.PreparedRequest, read: Callable[[requests.Response], T]) -> T:
        try:
            response = self._send(request)
        except requests.exceptions.InvalidURL:
            msg = f"api_url makes no valid URL ({_place(request)}): write it as https://host/path"
            raise Hopeless(msg) from None
        except requests.exceptions.SSLError as error:
            raise Hopeless(_tls_failure(_host(request.url), _innermost(error))) from None
        except requests.exceptions.Timeout:
            raise Retriable(self._no_answer, unanswered=True) from None
        except ReadTimeoutError:
            raise Retriable(self._no_answer) from None
        except (requests.exceptions.RequestException, HTTPError) as error:
            raise Retriable(_reason(error), unanswered=True) from None
        if is_retried(response.status_code):
            raise self._refused_for_now(response)
        result = read(response)
        self.answered = True
        return result

    def stop(self) -> None:
        """End."""
        self.gate.stop()

    @property
    def _no_answer(self) -> str:
        return f"no answer within {self.limits.request_timeout:g} s"

    def _send(self, request: requests.PreparedRequest) -> requests.Response:
        """Send a request, and follow redirects on the same host: no other host gets the key."""
        if not self._environment:  # proxies and certificates, which do not change, and `stream`
            self._environment = dict(
                self.session.merge_environment_settings(str(request.url), {}, True, None, None)
            )
        for _ in range(_MOST_REDIRECTS):
            response = self.session.send(
                request,
                timeout=(min(_CONNECT_TIMEOUT, self.limits.request_timeout), self.limits.request_timeout),
                allow_redirects=False,
                **self._environment,
            )
            # Read at once, not in small pieces that are joined: faster, and half the memory of a huge body.
            response._content = response.raw.read(decode_content=True)  # noqa: SLF001
            target = self.session.get_redirect_target(response)
            if target is None:
                return response
            target = urljoin(str(request.url), target)
            if _origin(target) != _origin(str(request.url)):
                msg = f"api_url redirects to {_host(target)}: set it to the right address"
                raise ApiError(msg)
            request = request.copy()
            request.url = target
        msg = f"{_place(request)} redirects in a circle: check api_url"
        raise ApiError(msg)

    def _refused_for_now(self, response: requests.Response) -> Retriable:
        limited = response.status_code == requests.codes.too_many_requests
        wait = retry_after(response.headers.get("Retry-After"))
        if wait is None and limited and self.wait_header:
            wait = retry_after(response.headers.get(self.wait_header))
        reason = f"{response.status_code} {response.reason}"
        return Retriable(reason, wait=wait, rate_limited=limited or wait is not None)

    def _wait(
        self, request: requests.PreparedRequest, failure: Retriable, retry: int, traffic: Traffic
    ) -> None:
        factor = self.limits.backoff_factor * (self.patience if failure.rate_limited else 1)
        wait = backoff(factor, retry) if failure.wait is None else failure.wait
        self.logger.warning(
            "%s: %s; trying again in %.1f s (%d)", _place(request), failure.reason, wait, retry
        )
        traffic.waited += wait
        if failure.rate_limited:
            self.gate.close(wait)  # the next attempt waits there with all the others
        else:
            self.gate.sleep(wait)

    def _gave_up(self, request: requests.PreparedRequest, failure: Retriable, tries: int) -> str:
        what = f"{_place(request)} failed {tries} time{'s' * (tries > 1)}, at last with: {failure.reason}."
        if failure.rate_limited:
            advice = "Ask for less at a time with requests_per_minute or concurrency"
        else:
            advice = "Check api_url and the network, or raise max_retries"
        return f"{what} {advice}, and run again with the last STATE"


def _place(request: requests.PreparedRequest) -> str:
    """A request's URL without its query, which can hold personal data."""
    parts = urlsplit(str(request.url))
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _host(url: str | None) -> str:
    return urlsplit(str(url)).netloc


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _innermost(error: BaseException) -> BaseException:
    """What a failure of the connection goes back to."""
    while True:
        inner = getattr(error, "reason", None) or error.__cause__ or error.__context__
        if not isinstance(inner, BaseException) or inner is error:
            return error
        error = inner


def _reason(error: Exception) -> str:
    """The cause of a connection failure, in a few words."""
    cause = _innermost(error)
    words = getattr(cause, "strerror", None) or type(cause).__name__
    return f"connection failed ({words})"


def _tls_failure(host: str, cause: BaseException) -> str:
    """Why a server was not believed, and what to do."""
    reason = getattr(cause, "verify_message", None) or getattr(cause, "reason", None) or "no TLS"
    if "expired" in reason or "not yet valid" in reason:
        advice = f"check this machine's clock, which says {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC"
    elif "self-signed" in reason or "issuer" in reason:
        advice = "behind a company's proxy, set REQUESTS_CA_BUNDLE to the file with its certificate"
    else:
        advice = "check the host and the port in api_url"
    return f"{host} did not prove who it is (TLS: {reason}): {advice}"
