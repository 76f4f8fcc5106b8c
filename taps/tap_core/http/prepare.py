"""Requests made ready to send, as `requests` does it but for what is the same each time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import requests
from requests.utils import check_header_validity, requote_uri
from singer_sdk.authenticators import APIAuthenticatorBase

from tap_core.errors import ApiError, Hopeless
from tap_core.http import messages
from tap_core.http.transport import ENCODINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._~@:,;=!$&'()*+-]*")
"""A path that has nothing to quote."""


class Preparer:
    """Makes GET requests.

    Args:
        authenticator: Adds the credential to a request: in its headers, or in its query.
        user_agent: User-Agent header.
    """

    def __init__(
        self,
        authenticator: Callable[[requests.PreparedRequest], requests.PreparedRequest],
        user_agent: str,
    ) -> None:
        self._authenticator = authenticator
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": ENCODINGS, "Accept": "*/*"}
        self._origins: dict[str, str] = {}
        self._checked: set[tuple[str, str]] = set()
        # The SDK's own authenticators take the query apart to add nothing to it.
        self._is_plain = (
            getattr(type(authenticator), "authenticate_request", None)
            is APIAuthenticatorBase.authenticate_request
        )

    def __call__(
        self, url: str, params: Mapping[str, Any], headers: Mapping[str, str]
    ) -> requests.PreparedRequest:
        """A request.

        Args:
            url: Where to, without a query.
            params: Query parameters; a list repeats its parameter, None leaves it out.
            headers: Headers besides the credential and User-Agent.

        Raises:
            Hopeless: The settings make no valid URL or header.
            ApiError: An id or a cursor of the API's makes no query.
        """
        request = requests.PreparedRequest()
        request.method = "GET"
        request.hooks = {}
        request.headers = {**self._headers, **headers}  # type: ignore[assignment]
        try:
            request.url = self._url(url, params)
            if self._is_plain and not self._authenticator.auth_params:  # type: ignore[attr-defined]
                request.headers.update(self._authenticator.auth_headers)  # type: ignore[attr-defined]
            else:
                request = self._authenticator(request)
            if not self._checked.issuperset(request.headers.items()):
                self._check(request.headers)
        except requests.exceptions.InvalidHeader:
            raise Hopeless("a setting makes no valid header; headers are names without colons") from None
        except ValueError:
            raise Hopeless(messages.bad_url(url)) from None
        return request

    def _check(self, headers: Mapping[str, str]) -> None:
        for header in headers.items():
            check_header_validity(header)
            "".join(header).encode("latin-1")
        self._checked = set(headers.items())

    def _url(self, url: str, params: Mapping[str, Any]) -> str:
        slash = url.find("/", len("https://"))
        origin, path = (url[:slash], url[slash:]) if slash > 0 else (url, "/")
        known = self._origins.get(origin)
        if known is None:
            plain = requests.PreparedRequest()
            plain.prepare_url(f"{origin}/", {})
            known = self._origins[origin] = str(plain.url).rstrip("/")
        if not _PLAIN_PATH.fullmatch(path):
            path = requote_uri(path)
        try:
            query = urlencode([item for item in params.items() if item[1] is not None], doseq=True)
        except UnicodeEncodeError:
            raise ApiError("a value of its query has half a character in it, which makes no URL") from None
        return f"{known}{path}?{query}" if query else known + path
