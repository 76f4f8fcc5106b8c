"""What is said about requests and their failures; no credential, query or terminal escape is in it."""

from __future__ import annotations

import os
import ssl
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from requests.exceptions import InvalidSchema, InvalidURL
from urllib3.exceptions import (
    IncompleteRead,
    InvalidChunkLength,
    LocationValueError,
    ProtocolError,
    ProxyError,
)

from tap_core.redaction import printable, redacted

if TYPE_CHECKING:
    from tap_core.errors import Retriable

_PORTS = {"http": 80, "https": 443}
_BROKEN_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
_PROXY = "the proxy that HTTP_PROXY or HTTPS_PROXY names"
_NO_CERTIFICATE = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE")  # TLS 1.3, and what older ones say


def sanitize(text: str | None, most: int = 120) -> str:
    """A text from outside, without secrets and control characters, and not too long."""
    return printable(redacted(text or ""))[:most]


def place(url: str | None) -> str:
    """A URL without its query and user, which can hold personal data."""
    parts = urlsplit(str(url))
    return sanitize(f"{parts.scheme}://{host(url)}{parts.path}", 500)


def host(url: str | None) -> str:
    """A URL's host and port."""
    return sanitize(urlsplit(str(url)).netloc.rpartition("@")[2])


def origin(url: str) -> tuple[str, str]:
    """What the key is for: scheme, host and port, in one of the ways to write them.

    Raises:
        ValueError: The URL makes no sense.
    """
    parts = urlsplit(url)
    name = parts.netloc.rpartition("@")[2].lower().removesuffix(f":{parts.port}").removesuffix(":")
    port = "" if parts.port in {None, _PORTS.get(parts.scheme)} else f":{parts.port}"
    return parts.scheme, name.removesuffix(".") + port


def causes(error: BaseException) -> list[BaseException]:
    """A failure of the connection and what it goes back to, the first cause last."""
    found = [error]
    while True:
        last = found[-1]
        inner = getattr(last, "reason", None) or last.__cause__ or last.__context__
        inner = inner or next(iter(last.args), None)  # urllib3 wraps a failure of TLS with a proxy so
        if not isinstance(inner, BaseException) or inner in found:
            return found
        found.append(inner)


def reason(error: Exception) -> str:
    """The cause of a connection failure, in a few words."""
    cause = causes(error)[-1]
    why = sanitize(getattr(cause, "strerror", None) or _tunnel(cause)) or type(cause).__name__
    what = f" to {_PROXY}" if _is_of_proxy(error) else ""
    return f"connection{what} failed ({why})"


def _is_of_proxy(error: Exception) -> bool:
    return any(isinstance(found, ProxyError) for found in causes(error))


def _tunnel(cause: BaseException) -> str:
    """Why a proxy makes no tunnel: `http.client` says so in a text."""
    text = str(cause)
    return text if text.startswith("Tunnel connection failed") else ""


PROXY_ASKS_WHO = (
    "the proxy asks who you are (407): put a name and password into HTTP_PROXY and HTTPS_PROXY, as "
    "http://name:password@host:port, or name the API's host in NO_PROXY"
)
"""What to do where a proxy wants a name and a password."""


def bad_proxy(scheme: str, proxy: str, error: Exception) -> str:
    """That a variable of the environment names no proxy that can be used; what it names may hold a password.

    Args:
        scheme: That of the URL that goes over the proxy.
        proxy: What the variable holds.
        error: Why it can't be used.
    """
    names = [found for name in (f"{scheme}_proxy", "all_proxy") for found in (name, name.upper())]
    variable = next((name for name in names if os.environ.get(name) == proxy), names[1])
    if isinstance(error, InvalidSchema):
        return f"{variable} names a SOCKS proxy, which a tap can't use: name an HTTP proxy"
    return f"{variable} names no proxy: write it as http://host:port, or unset it"


def bad_bundle() -> str:
    """That the file of certificates that a variable names has none."""
    variable = "REQUESTS_CA_BUNDLE" if os.environ.get("REQUESTS_CA_BUNDLE") else "CURL_CA_BUNDLE"
    return f"{variable} names a file that holds no certificate: it must be one in PEM format"


def is_unanswered(error: Exception) -> bool:
    """Whether a failure came before any of the answer did."""
    cause = causes(error)[-1]
    if isinstance(error, (IncompleteRead, InvalidChunkLength)):
        return False
    return isinstance(cause, OSError) or not isinstance(error, ProtocolError)


def bad_url(url: str | None) -> str:
    """That the settings make no URL; of which it has no `place`."""
    return (
        f"api_url makes no valid URL ({sanitize(str(url).partition('?')[0])}): write it as https://host/path"
    )


def why_hopeless(url: str | None, error: Exception, *, answered: bool) -> str:
    """Why another attempt can't help, and what to do; empty if it can.

    Args:
        url: Where the request went.
        error: What came in place of an answer.
        answered: Whether any request was answered before.
    """
    cause = causes(error)[-1]
    if isinstance(error, (InvalidURL, LocationValueError)):
        return bad_url(url)
    if _is_distrust(cause, answered=answered):
        return _tls_failure(host(url), cause, of_proxy=_is_of_proxy(error))
    return PROXY_ASKS_WHO if " 407 " in f"{_tunnel(cause)} " else ""


def _is_distrust(cause: BaseException, *, answered: bool) -> bool:
    """Whether a failure of TLS is one of trust or of the address, and not a connection that broke.

    Any but a certificate's is a passing one where there was an answer before: a gateway in trouble sends an
    alert, or plain HTTP.
    """
    if isinstance(cause, ssl.SSLCertVerificationError):
        return True
    return isinstance(cause, ssl.SSLError) and not answered and not isinstance(cause, _BROKEN_OFF)


def _tls_failure(where: str, cause: BaseException, *, of_proxy: bool) -> str:
    """Why a server or a proxy was not believed, or did not believe the tap, and what to do."""
    why = getattr(cause, "verify_message", None) or getattr(cause, "reason", None) or "no TLS"
    where, setting = (_PROXY, "HTTP_PROXY and HTTPS_PROXY") if of_proxy else (where, "api_url")
    advice = f"check the host and the port in {setting}"
    if any(alert in why for alert in _NO_CERTIFICATE):
        return (
            f"{where} ended the connection (TLS: {why}), mostly as it wants a client's certificate, which a "
            f"tap does not have: {advice}"
        )
    if "expired" in why or "not yet valid" in why:
        advice = f"check this machine's clock, which says {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC"
    elif "self-signed" in why or "issuer" in why:
        advice = "set REQUESTS_CA_BUNDLE to the file with its certificate"
        advice = advice if of_proxy else f"behind a company's proxy, {advice}"
    return f"{where} did not prove who it is (TLS: {why}): {advice}"


def gave_up(url: str | None, failure: Retriable, tries: int) -> str:
    """That a request was tried so often."""
    return (
        f"{place(url)} failed {tries} time{'s' * (tries > 1)}, at last with: {failure.reason}. "
        f"{failure.advice}, and run again with the last STATE"
    )


def still_refused(url: str | None, failure: Retriable) -> str:
    """That waiting did not help."""
    return (
        f"{place(url)} refuses after every wait, at last with: {failure.reason}. Ask for less at a time with "
        "requests_per_minute or concurrency, and run again with the last STATE"
    )


def too_long_a_wait(url: str | None, failure: Retriable, max_wait: float) -> str:
    """When to come back to a server that asks for a wait longer than any; empty if it doesn't."""
    wait = failure.wait or 0.0
    if wait <= max_wait:
        return ""
    back = datetime.now().astimezone() + timedelta(seconds=wait)
    return (
        f"{place(url)} asks to wait {wait:.0f} s ({failure.reason}), longer than max_wait ({max_wait:g} s): "
        f"run again with the last STATE after {back:%Y-%m-%d %H:%M:%S %Z}"
    )
