"""METRIC lines: what the SDK writes of its own streams, the core writes of its, once for each stream."""

from __future__ import annotations

import pytest
from singer_sdk import RESTStream, Tap
from singer_sdk.authenticators import BasicAuthenticator
from singer_sdk.metrics import Metric

from in_process import call, points, select
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from two_taps import CUSTOMERS, billing, events


class PlainCustomers(RESTStream):
    """Customers, as a tap of the plain SDK reads them."""

    name = "customers"
    path = "/customers.json"
    records_jsonpath = "$[*].customer"
    schema = {"properties": {"id": {"type": "integer"}}}  # noqa: RUF012
    url_base = property(lambda self: self.config["api_url"])
    authenticator = property(lambda self: BasicAuthenticator(username="x", password="x"))


class PlainTap(Tap):
    name = "tap-plain"
    config_jsonschema = {"properties": {"api_url": {"type": "string"}}}  # noqa: RUF012

    def discover_streams(self):
        return [PlainCustomers(self)]


def shapes(output):
    """What the lines are like: type, and the names of the tags, by metric."""
    return {point["metric"]: (point["type"], sorted(point["tags"])) for point in points(output)}


def test_they_are_like_those_of_a_tap_of_the_plain_sdk(tmp_path, monkeypatch):
    monkeypatch.setenv("TAP_BILLING_LOGLEVEL", "DEBUG")
    with billing() as api:
        plain = shapes(call(PlainTap, tmp_path, url=api.url))
        ours = shapes(call(TapBilling, tmp_path, url=api.url, catalog=select(TapBilling, "customers")))
    assert ours == plain
    assert set(ours) == {"record_count", "http_request_count", "http_request_duration", "sync_duration"}


@pytest.mark.parametrize(
    ("tap", "server", "rows"),
    [
        (TapBilling, billing, {"customers": len(CUSTOMERS), "coupons": 1}),
        (TapEvents, events, {"events": 3, "attendees": 3}),
    ],
)
def test_each_stream_has_one_of_each(tmp_path, tap, server, rows):
    with server() as api:
        output = call(tap, tmp_path, url=api.url, catalog=select(tap, *rows))
        requests = len(api.paths)
    found = points(output)
    assert {point["metric"] for point in found} <= {metric.value for metric in Metric}
    counts = {
        name: [p for p in found if p["metric"] == name] for name in ("record_count", "http_request_count")
    }
    assert {point["tags"]["stream"]: point["value"] for point in counts["record_count"]} == rows
    assert len(found) == 3 * len(rows)
    assert sum(point["value"] for point in counts["http_request_count"]) == requests
    assert all(p["tags"]["status"] == "succeeded" for p in found if p["metric"] == "sync_duration")


@pytest.mark.parametrize(
    ("tap", "server", "stream"), [(TapBilling, billing, "invoices"), (TapEvents, events, "users")]
)
def test_a_stream_that_failed_is_said_to_have(tmp_path, tap, server, stream):
    with server() as api:
        found = points(call(tap, tmp_path, url=api.url, catalog=select(tap, stream)))
    statuses = [point["tags"]["status"] for point in found if point["metric"] == "sync_duration"]
    assert statuses == ["failed"]
