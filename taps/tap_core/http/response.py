"""What a response says, in words for the user where it is no page of records."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urljoin, urlsplit

from requests import codes
from requests.utils import requote_uri

from tap_core.errors import ApiError, Hopeless, Malformed, NotFound, Refused, Retriable
from tap_core.http import messages
from tap_core.http.retry import is_limit, is_put_off, is_retried, named_wait
from tap_core.records import jsonpath

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from tap_core.paging.page import Page

_UNFINISHED = {codes.accepted, codes.multi_status}

_MESSAGE_PATHS = (
    *("$.message", "$.Message"),  # .NET writes it with a capital
    *("$.error.message", "$.errors.message", "$.errors[0]", "$.errors", "$.error"),
)

_TEXTS = re.compile(
    rb'"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*(?:(?P<control>[\x00-\x1f])|"?)'
    rb"|(?P<number>-?\b(?:NaN|Infinity)\b)",
    re.DOTALL,
)
"""Texts, with the first control character in one, and what stands for a number and is none."""

_ODDITIES = {"control": "a raw control character in a text", "number": "NaN or Infinity for a number"}

_OTHER_PACKINGS = {"br", "zstd", "compress", "x-compress"}

_MOST_BLANKS = 64
"""In front of a page for people."""

_LONGEST_SAID = 1000
"""Bytes of a refusal that are kept."""


@dataclass(frozen=True)
class Refusals:
    """What a tap knows about refusals of its API.

    Args:
        key_setting: Name of the setting that holds the credential.
        hint: What a refusal of this status mostly means with this API; empty if nothing is known.
    """

    key_setting: str
    hint: Callable[[int], str]


def check_retried(response: requests.Response, *, believed: bool = True) -> None:
    """See whether a response is to be asked for again on its status alone.

    Args:
        response: Any response.
        believed: Whether a limit may be told by another status than 429.

    Raises:
        Retriable: It is; with the status 429 where it is a limit that says so.
    """
    status, headers = response.status_code, response.headers
    inferred = believed and status != codes.too_many_requests and is_limit(status, headers, response.content)
    limited = inferred or status == codes.too_many_requests
    put_off = not limited and is_put_off(status, response.content)
    if limited or put_off or is_retried(status):
        reason = f"{status} {messages.sanitize(response.reason)}" + " (try again later)" * put_off
        wait = named_wait(headers, limited=limited)
        status = codes.too_many_requests if limited else status
        said = response.content if inferred or put_off else b""
        raise Retriable(
            reason,
            status=status,
            wait=wait,
            divisible=not (inferred or put_off),
            inferred=inferred,
            said=said,
            is_down=not limited and is_down(response),
        )


def is_down(response: requests.Response) -> bool:
    """Whether a server answers so that is down: with a fault, or a page for people that says OK."""
    if response.ok:
        return response.content[:_MOST_BLANKS].lstrip().startswith(b"<")
    return response.status_code >= int(codes.internal_server_error)


def check_finished(response: requests.Response, page: Page) -> None:
    """See that a page without rows is no answer that is not ready, or has failed in part: 202, 207.

    Raises:
        Retriable: It is.
    """
    if response.status_code in _UNFINISHED and not page.records:
        reason = f"{response.status_code} {messages.sanitize(response.reason)}"
        msg = f"the answer has no rows, and says that it is not all there is ({reason})"
        raise Retriable(msg, divisible=False)


def limit_inside(response: requests.Response, member: str) -> Retriable:
    """What a response that worked is where a member of its body says that too much was asked for: a 429."""
    reason = f"the answer says by `{member}` that too much was asked for"
    wait = named_wait(response.headers, limited=True)
    status, said = codes.too_many_requests, response.content
    return Retriable(reason, status=status, wait=wait, inferred=True, divisible=False, said=said)


def read_answer(
    response: requests.Response,
    is_empty_list: Callable[[int, str], bool],
    refusals: Refusals,
    *,
    may_have_no_content: bool = False,
) -> Any:
    """The parsed body of a response that worked; None for a list that is said to be empty.

    Args:
        response: Any response that is not to be asked for again on its status alone.
        is_empty_list: Whether an error's status and message mean an empty list.
        refusals: What the tap knows about refusals.
        may_have_no_content: Whether an answer without content (204) means one, as of one list of many.

    Raises:
        Retriable: The body is cut, or no JSON.
        Refused: The key may not read this endpoint.
        NotFound: There is nothing here.
        ApiError: Any other refusal.
    """
    has_content = response.status_code != codes.no_content
    if may_have_no_content and not has_content:
        return None
    if response.ok and has_content:
        return _parse(response)
    message = _message(response)
    if is_empty_list(response.status_code, message):
        return None
    refusal = _refusal(response, messages.sanitize(message).rstrip("."), refusals)
    refusal.said = message or _json_text(response)
    raise refusal


def _parse(response: requests.Response) -> Any:
    try:
        return jsonpath.parse(response.content)
    except ValueError:
        kind = messages.sanitize(response.headers.get("Content-Type", "no type").partition(";")[0])
        size = f"({kind}, {len(response.content)} bytes)"
    if fault := _fault(response.content):
        raise Malformed(f"the body {fault} {size}")
    if packing := _packing(response):
        raise Retriable(f"the body is packed as `{packing}`, which was not asked for {size}")
    raise Retriable(f"the body is not whole JSON {size}", is_down=is_down(response))


def _packing(response: requests.Response) -> str:
    """How a body is packed that could not be unpacked; empty if it does not say so."""
    names = {name.strip() for name in response.headers.get("Content-Encoding", "").lower().split(",")}
    return ", ".join(sorted(names & _OTHER_PACKINGS))


def _fault(body: bytes) -> str:
    """What is wrong in a body that can't be read, and where; empty if it is cut short, or no JSON at all."""
    text = body.removeprefix(codecs.BOM_UTF8).strip()
    if text[:1] + text[-1:] not in {b"{}", b"[]"}:
        return ""
    place = jsonpath.place_of_no_utf8(body)
    if place is not None:
        return f"is no UTF-8 at byte {place + 1}"
    for found in _TEXTS.finditer(body):
        if name := found.lastgroup:
            return f"has {_ODDITIES[name]} at byte {found.start(name) + 1}"
    return ""


def _json_text(response: requests.Response) -> str:
    """The beginning of an error body that is JSON, whose message stands in no usual place."""
    body = response.content[:_LONGEST_SAID].lstrip()
    return body.decode(errors="replace") if body[:1] in {b"{", b"["} else ""


def _refusal(response: requests.Response, message: str, refusals: Refusals) -> ApiError:
    path = messages.sanitize(urlsplit(str(response.url)).path, 500)
    key, status = refusals.key_setting, response.status_code
    hint = refusals.hint(status)
    said = f" The API says: {message}." if message else ""
    if status == codes.unauthorized:
        advice = hint or "it may be of another account or environment; create a new one in the API settings"
        where = messages.host(response.url)
        msg = f"{key} was refused (401) by {where}: check that it is whole; {advice}"
        return Hopeless(msg, status=status)
    if status == codes.proxy_authentication_required:
        return Hopeless(messages.PROXY_ASKS_WHO, status=status)
    if status == codes.forbidden:
        advice = hint or "check the key's rights, and that the account's plan has API access"
        return Refused(f"{key} may not read {path} (403): {advice}.{said}", status=status)
    if status in {codes.not_found, codes.gone}:
        advice = hint or "check api_url, and api_version if the tap has it"
        return NotFound(f"api_url has nothing at {path} ({status}): {advice}.{said}", status=status)
    reason = messages.sanitize(response.reason)
    did = "sent nothing for" if response.ok else "refused"
    return ApiError(
        f"The API {did} {path} ({status} {reason}).{said} Check the settings of this tap", status=status
    )


def _message(response: requests.Response) -> str:
    """The API's own short message in an error body, if it has one."""
    try:
        body = jsonpath.parse(response.content)
    except ValueError:
        return ""
    for path in _MESSAGE_PATHS:
        message = jsonpath.first(body, path)
        if isinstance(message, str):
            return message
    return ""


def redirect_target(response: requests.Response) -> str:
    """Where an answer redirects to, on the same host: no other host gets the key.

    Raises:
        ApiError: Nowhere, to another host, or where another list would be read: the first page, or rows of
            any time.
    """
    asked, status = str(response.url), response.status_code
    try:
        location = response.headers["Location"].encode("latin-1").decode("utf-8")
        target = requote_uri(urljoin(asked, location))
        origin = messages.origin(target)
    except ValueError:
        msg = f"{messages.place(asked)} redirects to what is no URL: check api_url"
        raise ApiError(msg, status=status) from None
    before, after = urlsplit(asked), urlsplit(target)
    left = parse_qs(after.query, keep_blank_values=True)
    if lost := [name for name in parse_qs(before.query, keep_blank_values=True) if name not in left]:
        msg = (
            f"{messages.place(asked)} redirects to {messages.place(target)} without the parameter "
            f"`{messages.sanitize(lost[0])}`: check api_url, and the key if one is to log in there"
        )
        raise ApiError(msg, status=status)
    if origin != messages.origin(asked):
        where = f"{origin[0]}://{messages.host(target)}"
        raise ApiError(f"api_url redirects to {where}: set it to the right address", status=status)
    same = {"scheme": before.scheme, "netloc": before.netloc, "path": after.path or "/", "fragment": ""}
    return after._replace(**same).geturl()
