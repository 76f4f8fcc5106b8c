"""The settings that every tap has; a tap adds its own to these."""

from __future__ import annotations

import contextlib
import json
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

from singer_sdk import typing as th

from tap_core.account import account_setting
from tap_core.http.retry import Limits
from tap_core.redaction import url_secrets
from tap_core.replication_settings import replication_settings

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping

PACKAGE = "tap-suite"
RECEIPT = "_sdc_reads"
"""The stream that says what became of all others."""

_DEFAULT = Limits()
MOST_CONCURRENT = 64
_LONGEST = 86_400
"""Seconds; a day."""

_LARGEST = 2_000
"""MB."""

_MOST_RETRIES = 1000
_MOST_PER_MINUTE = _MOST_ROWS = 10**9

_NEW_NAMES = {"allow_skipped_streams": "allow_partial"}


def rename_old_settings(settings: dict[str, Any], logger: logging.Logger) -> None:
    """Take settings under names that they had before for the ones of today, each with a line."""
    for old, new in _NEW_NAMES.items():
        if old in settings:
            settings.setdefault(new, settings.pop(old))
            logger.warning("%s is now called %s; the old name still works", old, new)


def parse_numbers(settings: dict[str, Any], schema: Mapping[str, Any]) -> None:
    """Take values for what they are.

    Meltano passes on a decimal, or a number that can be an object, as a text; JSON and YAML may write a whole
    number as `50.0`, which an API would be asked for like that.
    """
    for name, field in schema["properties"].items():
        value = settings.get(name)
        types = {*field.get("type", ())}
        if isinstance(value, str) and "number" in types:
            with contextlib.suppress(ValueError):
                settings[name] = float(value)
        elif isinstance(value, str) and {"integer", "object"} <= types:
            with contextlib.suppress(ValueError):
                settings[name] = json.loads(value)
        elif isinstance(value, float) and value.is_integer() and "integer" in types:
            settings[name] = int(value)


def default_user_agent() -> str:
    """Name and version of this package, as the User-Agent of its requests."""
    try:
        return f"{PACKAGE}/{version(PACKAGE)}"
    except PackageNotFoundError:
        return PACKAGE


def secret_values(schema: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    """The values of the settings that are secrets.

    Args:
        schema: JSON schema of the settings.
        config: The settings, which may not have been checked.
    """
    for name, field in schema["properties"].items():
        if field.get("secret") and config.get(name) is not None:
            yield str(config[name])


def secrets_in_urls(config: Mapping[str, Any]) -> Iterator[str]:
    """The secrets in the URLs of proxies and of batches' storage."""
    batches = config.get("batch_config")
    storage = batches.get("storage") if isinstance(batches, dict) else batches
    root = storage.get("root") if isinstance(storage, dict) else storage
    for url in (*getproxies().values(), root):
        yield from url_secrets(str(url))


def common_settings(  # noqa: PLR0913  each tap has its own of these
    key: str = "api_key",
    *,
    key_help: str,
    url_example: str,
    requests_per_minute: int | None = None,
    concurrency: int = _DEFAULT.concurrency,
    most_concurrent: int = MOST_CONCURRENT,
    incremental: bool = False,
    ending: bool = False,
) -> list[th.Property[Any]]:
    """The settings that all taps share.

    Args:
        key: Name of the setting that holds the credential.
        key_help: One sentence that says where the credential comes from.
        url_example: A base URL to show as an example.
        requests_per_minute: Default ceiling for all requests of the tap, or None for none.
        concurrency: Default number of requests in flight at once.
        most_concurrent: As many as the API allows; a higher setting is taken for this one.
        incremental: Whether any stream is incremental, so that there is a look-back to set.
        ending: Whether any stream has rows that end, so that their lists can be passed over.
    """
    return [
        *_account(key, key_help=key_help, url_example=url_example),
        account_setting(),
        *replication_settings(incremental=incremental, ending=ending),
        *_requests(),
        *_volume(requests_per_minute, concurrency, most_concurrent),
        *_care(),
    ]


def _account(key: str, *, key_help: str, url_example: str) -> list[th.Property[Any]]:
    """What is read, and with which credential."""
    return [
        th.Property(
            "api_url",
            th.StringType(min_length=1),
            required=True,
            nullable=False,
            title="API URL",
            description="Base URL of the API, without a trailing path of an endpoint.",
            examples=[url_example],
        ),
        th.Property(
            key,
            th.StringType(min_length=1),
            required=True,
            nullable=False,
            secret=True,
            title=key.replace("_", " ").capitalize().replace("Api", "API"),
            description=key_help,
        ),
    ]


def _requests() -> list[th.Property[Any]]:
    """How a request is sent, and sent again."""
    return [
        th.Property(
            "user_agent",
            th.StringType(min_length=1),
            title="User agent",
            description="User-Agent header of every request; by default this package's name and version.",
        ),
        th.Property(
            "request_timeout",
            th.NumberType(exclusive_minimum=0, maximum=_LONGEST),
            default=_DEFAULT.request_timeout,
            title="Request timeout",
            description="Seconds that a request may take, from connecting to the last byte of the answer, "
            "before it counts as failed.",
        ),
        th.Property(
            "max_retries",
            th.IntegerType(minimum=0, maximum=_MOST_RETRIES),
            default=_DEFAULT.max_retries,
            title="Retries",
            description="How often a request is tried again after a rate limit, a fault or a broken answer, "
            f"at most {_MOST_RETRIES} times.",
        ),
        th.Property(
            "backoff_factor",
            th.NumberType(minimum=0, maximum=_LONGEST),
            default=_DEFAULT.backoff_factor,
            title="Back-off factor",
            description="Seconds before the first retry, doubled for each one after it, "
            "and no less than a Retry-After of the server's.",
        ),
        th.Property(
            "max_wait",
            th.NumberType(minimum=0, maximum=_LONGEST),
            default=_DEFAULT.max_wait,
            title="Longest wait",
            description="Seconds to wait at most before a request is sent again; "
            "if the server asks for more, the run ends and says when to come back.",
        ),
        th.Property(
            "max_body",
            th.IntegerType(minimum=1, maximum=_LARGEST),
            default=_DEFAULT.max_body,
            title="Largest answer",
            description=f"MB of one answer, unpacked, at most {_LARGEST}; a larger one counts as a fault.",
        ),
    ]


def _volume(
    requests_per_minute: int | None, concurrency: int, most_concurrent: int
) -> list[th.Property[Any]]:
    """How much is asked for, and how much at once."""
    return [
        th.Property(
            "requests_per_minute",
            th.IntegerType(minimum=1, maximum=_MOST_PER_MINUTE),
            default=requests_per_minute,
            title="Requests per minute",
            description="Ceiling for all requests of the tap together; none if not set.",
        ),
        th.Property(
            "page_size",
            th.IntegerType(minimum=10, maximum=_MOST_ROWS),
            title="Page size",
            description="Records to ask for in a page, at least 10, for servers that can't manage as many as "
            "the API allows; it only lowers a stream's own number.",
        ),
        th.Property(
            "concurrency",
            th.IntegerType(minimum=1, maximum=MOST_CONCURRENT),
            default=concurrency,
            title="Concurrency",
            description=f"Requests in flight at once, at most {most_concurrent} of them; the output is the "
            "same whatever the number.",
        ),
    ]


def _care() -> list[th.Property[Any]]:
    """What to do about that which should not be."""
    return [
        th.Property(
            "allow_insecure_http",
            th.BooleanType,
            default=False,
            title="Allow insecure HTTP",
            description="Send the key over plain http:// to a host other than this machine.",
        ),
        th.Property(
            "unmapped_column",
            th.BooleanType,
            default=True,
            title="Unmapped column",
            description="Keep fields that the schema does not know, and values that do not fit it, "
            "in `_sdc_unmapped`.",
        ),
        th.Property(
            "receipt",
            th.BooleanType,
            default=False,
            title="Receipt",
            description="Write what became of each stream of a run into a stream of its own, `_sdc_reads`: "
            "rows, requests, bookmarks, and whether all was read.",
        ),
        th.Property(
            "timestamps",
            th.StringType(allowed_values=["as_sent", "utc"]),
            default="as_sent",
            title="Timestamps",
            description="How times that name their zone are written: `as_sent`, or in `utc`, for targets "
            "that drop the offset, as target-duckdb 0.8 of the package index does. Local times and dates "
            "stay as they are.",
        ),
        th.Property(
            "allow_partial",
            th.BooleanType,
            default=False,
            title="Allow partial",
            description="Exit with code 0 even if some streams, or lists of them, could not be read.",
        ),
        th.Property(
            "emit_activate_version_messages",
            th.BooleanType,
            default=False,
            title="Emit activate version messages",
            description="Tell the target, after each full read of a stream, that rows which did not come "
            "were deleted. Without it, rows deleted at the source stay in the target.",
        ),
    ]


def api_version_setting(default: str, note: str = "") -> th.Property[Any]:
    """The setting of APIs that have their version in the path, after the API URL.

    Args:
        default: The version that the tap was written for.
        note: What is to be known of the versions, as a sentence.
    """
    return th.Property(
        "api_version",
        th.StringType(min_length=1),
        default=default,
        title="API version",
        description=f"Version of the API, which follows the API URL in every path. {note}".rstrip(),
    )
