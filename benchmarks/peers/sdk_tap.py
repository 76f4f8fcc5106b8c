"""The tap that the Singer SDK's documentation leads to: two streams, an offset paginator, a parent."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import StreamSchema, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import APIKeyAuthenticator
from singer_sdk.pagination import OffsetPaginator
from singer_sdk.schema.source import SchemaDirectory
from singer_sdk.streams import RESTStream

if TYPE_CHECKING:
    import requests
    from singer_sdk.helpers.types import Context, Record

PAGE = 100
ROWS = ("events", "attendees")
SCHEMAS = Path(__file__).parents[2] / "taps" / "tap_events" / "schemas"


class FullPaginator(OffsetPaginator):
    """Goes on as long as pages are full; attendees have no total."""

    def has_more(self, response: requests.Response) -> bool:
        """Whether there may be anything behind this page."""
        return any(len(rows) == PAGE for name, rows in response.json().items() if name in ROWS)


class PlainStream(RESTStream[int]):
    """What both streams share."""

    primary_keys = ("id",)
    schema = StreamSchema(SchemaDirectory(SCHEMAS))

    @property
    def url_base(self) -> str:
        """The API's address."""
        return f"{self.config['api_url']}/v1"

    @property
    def authenticator(self) -> APIKeyAuthenticator:
        """The key, in a header."""
        return APIKeyAuthenticator(key="x-api-key", value=self.config["api_key"], location="header")

    def get_new_paginator(self) -> FullPaginator:
        """Pages of 100."""
        return FullPaginator(start_value=0, page_size=PAGE)

    def validate_response(self, response: requests.Response) -> None:
        """404 is what the API answers behind the end of a list."""
        if response.status_code != HTTPStatus.NOT_FOUND:
            super().validate_response(response)

    def get_url_params(self, context: Context | None, next_page_token: int | None) -> dict[str, Any]:
        """Offset and limit."""
        return {"offset": next_page_token or 0, "limit": PAGE}


class Events(PlainStream):
    """Events."""

    name = "events"
    path = "/events"
    records_jsonpath = "$.events[*]"

    def get_child_context(self, record: Record, context: Context | None) -> dict[str, Any]:
        """The event's id, for its attendees."""
        return {"event_id": record["id"]}


class Attendees(PlainStream):
    """Attendees of each event."""

    name = "attendees"
    path = "/events/{event_id}/attendees"
    records_jsonpath = "$.attendees[*]"
    parent_stream_type = Events


class TapPlain(Tap):
    """The tap."""

    name = "tap-plain"
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("api_key", th.StringType, required=True, secret=True),
    ).to_dict()

    def discover_streams(self) -> list[PlainStream]:
        """Both streams."""
        return [Events(self), Attendees(self)]


if __name__ == "__main__":
    TapPlain.cli()
