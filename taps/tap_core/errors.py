"""The failures that a user of a tap can meet, each with one line that says what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# What is limited, the limit of a span of time, what is counted, and that it was too much.
_LIMITED = r"(rate|\b(request|call|concurren\w+|api|api.?usage))s?.?limit"
_A_SPANS_LIMIT = r"\b(ten_)?(secondly|minutely|hourly|daily|per.(second|minute|hour|day))(_rolling)?.?limit"
_COUNTED = r"(requests|calls|(rate|request|call|api|usage).?limit|quota|concurrency)"
_PASSED = r"\b(reached|exceeded|exhausted|hit)\b"
PLAINLY_TOO_MUCH = (
    r"too.?many.{0,20}(requests|calls|connections)|too.?many.attempts|rate.?limited|\brate.?exceeded|slow.?down"
    rf"|{_LIMITED}.{{0,12}}(reached|exceeded|hit\b)|\b(reached|exceeded|hit|over)\b.{{0,20}}{_LIMITED}"
    r"|rate.?limit.?error|err.?rate.?limit|request.?rate.{0,10}(high|large|exceeded)|requests.{0,9}too.(often|freq|quick|fast)"
    r"|maximum.number.of.(requests|calls).per|error.code:.1015\b|spike.arrest|due.to.{0,9}throttling"
    r"|out.of.call.volume|over.?query.?limit|enhance.your.calm"
    r"|(is|are|was|were|been|being|request).?throttled|throttl(e|ing).?(exce|error)"
    r"|demasiad[ao]s.(peticiones|solicitudes|llamadas|intentos)"
    r"|(l.{1,6}mite|n.{1,6}mero.m.{1,6}ximo).de.(peticiones|solicitudes|llamadas)"
)
"""The part of `TOO_MUCH` that means nothing else, as `the time for a request was exceeded` does."""

TOO_MUCH = (
    rf"{PLAINLY_TOO_MUCH}|\b{_COUNTED}\b.{{0,30}}{_PASSED}|({_PASSED}|\bused.(up|all)\b).{{0,30}}{_COUNTED}"
    rf"|{_A_SPANS_LIMIT}.{{0,9}}{_PASSED}|{_PASSED}.{{0,12}}{_A_SPANS_LIMIT}|\bover.?(quota|qps)\b"
    r'|"limit.exceeded[.!]?"'  # all that some gateways say
)
"""A pattern, in lower case, of what an API says that was asked for too much, whatever the status.

It is none of what only speaks of a limit, as `Unknown parameter rate_limit` does.
"""

_LATER = r".{0,9}\b(later|soon|shortly|in a)\b"
PUT_OFF = rf"\b(re)?try\b{_LATER}"
"""A pattern, in lower case, of what an API says that is to be asked for once more, later."""

_PASSING = re.compile(rf"try{_LATER}|temporar|maintenance|overload")


class ApiError(Exception):
    """A list can't be read, or not to its end; the message is one line for the user and holds no secret.

    Args:
        message: What happened and what to do.
        status: HTTP status of the answer that says so, where there was one.
    """

    at_start = False
    """Whether it came in place of the first page of a list, of which nothing was read then."""

    had_begun = False
    """Whether rows of the list had come before, as it is read a second time."""

    said = ""
    """The API's own words, where the answer had any."""

    @property
    def passes(self) -> bool:
        """Whether these say that it refuses for the moment, and not for good."""
        return _PASSING.search(self.said.lower()) is not None

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def raise_first(lines: Iterable[str], prefix: str = "") -> None:
    """Fail with the first of some mistakes, if there is one.

    Raises:
        ApiError: There is.
    """
    for line in lines:
        raise ApiError(prefix + line)


class Refused(ApiError):
    """This list can't be read with this key (403); others still may."""


class NotFound(ApiError):
    """There is nothing at this path (404, 410), as when a parent was deleted while it was read."""


class TotalMissed(ApiError):
    """A list was read to its end, and has far fewer records than the API says."""


class NoSuchList(ApiError):
    """The answer is that of an account that does not have this list; the message says of which kind it is."""


class PageFailed(ApiError):
    """The server fails (5xx), takes too long or sends broken bodies for this page, retries included.

    Fewer rows at a time may work.
    """


class Unanswered(PageFailed):
    """There was no whole answer for this page, or none in time, retries included."""


class RunEnds(ApiError):
    """No further request can succeed: the run ends here."""


class Hopeless(RunEnds):
    """Only a change by the user helps: of the key, the host, its certificate, or where and how batches go."""


class Unreachable(RunEnds):
    """The server no longer answers at all."""


class RateLimited(RunEnds):
    """The server asks for a longer wait than the settings allow, or refuses after every wait."""


class OutputLost(Exception):
    """Nothing can be written to standard output any more.

    Args:
        error: What writing failed with.
    """

    def __init__(self, error: OSError) -> None:
        if isinstance(error, BrokenPipeError):
            super().__init__("The target closed its input before the end; see its own log")
        else:
            super().__init__(f"Standard output can't be written: {error.strerror}")


class PartlyRead(ApiError):
    """Some streams, or lists of them, could not be read; all others were.

    Args:
        streams: Names of those that were not, or not wholly, read.
        failures: What could not be read, each in a line: the first few of each stream.
    """

    def __init__(self, streams: list[str], failures: list[str]) -> None:
        self.summary = f"partly read: {', '.join(streams)}"
        super().__init__(f"{self.summary}: {'; '.join(failures)}")


class Retriable(Exception):
    """An answer worth asking for again.

    Args:
        reason: What was wrong, for the log: `503 Service Unavailable`, `malformed JSON`.
        status: HTTP status of the answer, if that is what was wrong.
        wait: Seconds that the server asks to wait, or None when it names none.
        unanswered: Whether there was no answer at all.
        divisible: Whether fewer rows at a time may be answered better.
        inferred: Whether the status 429 is not the answer's own, but what its words or headers come to.
        said: The answer's body, where its words tell that, or to come back later.
        is_down: Whether a server answers so that is down, whatever it is asked.
    """

    advice = "Check api_url and the network, or raise max_retries"

    def __init__(  # noqa: PLR0913
        self,
        reason: str,
        *,
        status: int | None = None,
        wait: float | None = None,
        unanswered: bool = False,
        divisible: bool = True,
        inferred: bool = False,
        said: bytes = b"",
        is_down: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.wait = wait
        self.unanswered = unanswered
        self.divisible = divisible
        self.inferred = inferred
        self.said = said
        self.is_down = is_down


class Unconnected(Retriable):
    """There was not even a connection."""


class Malformed(Retriable):
    """A whole body that is written wrongly: most likely the next one is as well."""

    advice = "Report it to the API's vendor"


class Stopped(BaseException):
    """The run was asked to end; raised at the next point where STATE is whole."""
