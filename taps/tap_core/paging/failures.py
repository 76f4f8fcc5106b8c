"""Answers with status 200 that say in words of their own that something failed."""

from __future__ import annotations

import re
from typing import Any

from tap_core.errors import PLAINLY_TOO_MUCH, TOO_MUCH

_WORDS = re.compile(r"fail(ed|ure)?|error")
_PLAIN = (
    rf"{TOO_MUCH}|(not|n't).have.(access|permission)|timed out"
    r"|(trial|plan|subscription).{0,20}(\bended|is over)"
)
_SERVER_ERROR = "(internal|server|unexpected|gateway) error|incomplete"
_REFUSALS = (
    rf"{_PLAIN}|too.?many|(rate|request|call|usage).?limit|quota|throttl|overload|unauth|forbidden|denied"
    r"|not.(allowed|permitted|authori)|maintenance|unavailable|time.?out|timed.?out|temporarily|\bbusy\b"
    r"|insufficient|upgrade.your"
)
_STATES = r"invalid|expired|suspended|blocked|exception"
"""What a text can say of rows that are left out, too."""

_HINTS = re.compile(rf"fail|error|unsuccess|abort|^err|^n?ko$|^nok$|{_REFUSALS}|{_STATES}")
_PLAIN_EXCUSES = re.compile(
    rf"{_PLAIN}|{_SERVER_ERROR}|service.{{0,20}}(busy|unavailable)|temporarily (busy|unavailable)"
    r"|access.(is |was )?denied"
)
"""What no remark beside an empty list says, whatever its name."""

_UNABLE = (
    r"went wrong|\b(we|server|service|request)\b.{0,20}(unable|could ?n.t|could not|can.?not|can't)"
    r".{0,10}(process|complet|load|retriev|connect)"
)
_SHARE = re.compile(r"\d ?%|\d (of|/) ?\d")
"""How much of a limit is used, which is none that was passed."""
_APOLOGIES = re.compile(rf"{_SERVER_ERROR}|{_UNABLE}|try again|failure|failed to|{_REFUSALS}|{_STATES}")
_LIMIT = re.compile(PLAINLY_TOO_MUCH)
_UNREADY = {"pending", "processing", "queued", "in progress", "in_progress"}
_HTTP_FAILURES = {code for number in range(400, 600) for code in (number, str(number))}
_NOTHING: tuple[Any, ...] = (None, False, "", 0, "0", -1, "-1", "false", "null", "no", "none", [], {})
_BLANK = {"", "0", "-1", "false", "null", "no", "none", "n/a", "ok", "no error", "success"}
"""What an error can be that is none, as a text in lower case."""

_ERRORS = {"error", "errors", "errormessage", "fault"}
_ERROR_LIKE = re.compile(r"error|exception|^faults?$|^err(no|code|s)?$")
_SUCCESS = {"success", "ok"}
_SUCCESS_LIKE = {*_SUCCESS, "succeeded", "successful", "issuccess", "issuccessful", "isok"}
_STATUS = {"status", "code", "statuscode", "httpstatus", "httpcode", "httpstatuscode", "result"}
_CODES = {*_STATUS, "error", "errorcode"}
_STATUS_LIKE = {*_STATUS, "state", "type", "outcome"}
_UNFINISHED = {"timedout", "partial", "ispartial", "incomplete", "isincomplete", "truncated", "istruncated"}
_FLAGS = {**dict.fromkeys(_UNFINISHED, True), "complete": False, "iscomplete": False}
"""What is said of an answer that has not all of its rows."""

_MESSAGES = {
    *("message", "messages", "statusmessage", "msg", "detail", "details", "reason"),
    *("title", "description", "warning", "warnings"),
}

_ECHO = re.compile(r"name|query|search|filter|term|account|organi|company|limit|quota|docs?$|help|^q$")
"""Names of what repeats the question or the account, or tells of limits that are kept."""


def is_nothing(value: Any) -> bool:
    """Whether a cursor or a flag says that there is no more: null, false, 0, -1, or empty."""
    return value in _NOTHING


def says_failed(name: str, value: Any) -> bool:
    """Whether a member beside a list says plainly that the answer is a failure, though rows come with it."""
    name = _folded(name)
    if name in _ERRORS:
        return not _is_blank(value)
    if name in _SUCCESS:
        return value is False or _text(value) == "false"
    return name in _STATUS and _WORDS.fullmatch(_text(value)) is not None


def hints_at_failure(name: str, value: Any) -> bool:
    """Whether a member says that something may have failed: where there are no rows, that is enough."""
    name, text = _folded(name), _text(value)
    if _ERROR_LIKE.search(name):
        return not _is_blank(value)
    if name in _SUCCESS_LIKE:
        return value in (False, 0) or text in {"false", "0", "no", "n"}
    if name in _FLAGS:
        return value is _FLAGS[name] or text == str(_FLAGS[name]).lower()
    if name in _MESSAGES:
        texts = map(_text, value if isinstance(value, list) else [value])
        return any(_APOLOGIES.search(text) and not _SHARE.search(text) for text in texts)
    if name not in _STATUS_LIKE:
        return False
    is_code = name in _STATUS and not isinstance(value, bool) and isinstance(value, (int, str))
    return (
        value is False
        or _HINTS.search(text) is not None
        or (is_code and (value in _HTTP_FAILURES or text in _UNREADY))
    )


def explains_no_rows(name: str, value: Any) -> bool:
    """Whether a member beside an empty list hints at a failure, or refuses in a sentence of any name."""
    folded = _folded(name)
    if folded.startswith("retryafter"):
        return not is_nothing(value)
    if folded == "shards":  # Elasticsearch: `"_shards": {"total": 5, "failed": 2}`
        return isinstance(value, dict) and not _is_blank(value.get("failed"))
    texts = map(_text, value if isinstance(value, list) else [value])
    refuses = not _ECHO.search(folded) and any(" " in text and _PLAIN_EXCUSES.search(text) for text in texts)
    return refuses or hints_at_failure(name, value)


def tells_limit(name: str, value: Any) -> bool:
    """Whether a member of an answer that failed says what a 429 does, in plain words or by that number."""
    if not explains_no_rows(name, value):
        return False
    if isinstance(value, (dict, list)):
        inside = value.items() if isinstance(value, dict) else ((name, item) for item in value)
        return any(tells_limit(key, item) for key, item in inside)
    is_code = _folded(name) in _CODES and value in (429, "429")
    return is_code or _LIMIT.search(_text(value)) is not None


def _folded(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _text(value: Any) -> str:
    return value.strip().lower() if isinstance(value, str) else ""


def _is_blank(error: Any) -> bool:
    """Whether an error is none, however deep it says so."""
    if isinstance(error, (dict, list)):
        return all(map(_is_blank, error.values() if isinstance(error, dict) else error))
    if isinstance(error, str):
        return error.strip().lower() in _BLANK
    return error in _NOTHING or error in range(200, 300)
