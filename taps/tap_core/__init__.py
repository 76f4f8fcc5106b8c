"""What the taps share: requests to records to Singer messages. Knows no vendor.

This is the door for authors of taps: everything that a tap is made of can be imported from here, and is
loaded when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tap_core.errors import ApiError
    from tap_core.paging.cursor import Cursor
    from tap_core.paging.offset import Offset
    from tap_core.paging.page import Page
    from tap_core.paging.pagenumber import PageNumber
    from tap_core.paging.paginator import Paginator, SinglePage
    from tap_core.paging.whole import WholeList
    from tap_core.records.jsonpath import decode, parse
    from tap_core.records.keys import key_reader
    from tap_core.schema import ApiSchema
    from tap_core.settings import api_version_setting, common_settings
    from tap_core.stream import ApiStream
    from tap_core.tap import ApiTap

__all__ = [
    "ApiError",
    "ApiSchema",
    "ApiStream",
    "ApiTap",
    "Cursor",
    "Offset",
    "Page",
    "PageNumber",
    "Paginator",
    "SinglePage",
    "WholeList",
    "api_version_setting",
    "common_settings",
    "decode",
    "key_reader",
    "parse",
]

_ROOMS = {
    "ApiError": "errors",
    "ApiSchema": "schema",
    "ApiStream": "stream",
    "ApiTap": "tap",
    "Cursor": "paging.cursor",
    "Offset": "paging.offset",
    "Page": "paging.page",
    "PageNumber": "paging.pagenumber",
    "Paginator": "paging.paginator",
    "SinglePage": "paging.paginator",
    "WholeList": "paging.whole",
    "api_version_setting": "settings",
    "common_settings": "settings",
    "decode": "records.jsonpath",
    "key_reader": "records.keys",
    "parse": "records.jsonpath",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
