"""The generated page of all streams: what a row is, its key, what it costs, and who else has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pages import again, by_subject, reads_new_only, words
from suite import table
from tap_core import SinglePage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from suite import Tap
    from tap_core.stream import ApiStream

PAGE = """\
# All streams

The five taps have {count} streams, of which {on} are on: the others are read only where a catalog or
`meltano select` selects them, and cost nothing until then. This page is generated from the taps
(`make docs`); their own pages have paths, fields, and a diagram of how the tables join.

- **Cursor**: the field by which a run asks for what is new. A stream without one is read whole in every run.
- **Requests**: what a whole read costs; often one more proves the end. With a cursor, later runs cost less.
- **Also in**: which of Airbyte, Fivetran Lite, PostHog and singer-io has the list, as of November 2026. Of
  the lists that Airbyte has, only `products` of tap-billing was looked for in the others too.

{taps}
"""

ALSO_IN = {
    "tap-billing": {
        "Airbyte": "customers subscriptions invoices coupons transactions products",
        "Fivetran": "products product_families product_price_points components component_price_points offers "
        "subscription_components events invoice_events proforma_invoices allocations",
        "PostHog": "products product_families components payment_profiles events credit_notes reason_codes",
        "singer-io": "products product_families product_price_points components events statements",
        "singer-io (older releases)": "legacy_invoices",
    },
    "tap-events": {"Airbyte": "events categories users attendees tickets transactions"},
    "tap-promotions": {
        "Airbyte": "promotions organizing_brands stages users participations prizes rankings",
        "PostHog": "prize_inventory",
        "PostHog (off, by another path)": "coin_transactions points_of_sale",
    },
    "tap-rewards": {
        "Airbyte": "orders products funding_sources account_members campaigns organizations "
        "balance_transactions rewards members invoices",
    },
    "tap-scheduling": {
        "Airbyte": "event_types my_profile schedules calendars bookings conferencing",
        "PostHog": "teams team_memberships organization_users organization_memberships routing_forms "
        "routing_form_responses webhooks booking_attendees",
    },
}
"""Lists of each API that other connectors have, as their sources and documents say."""


def page(taps: Mapping[str, Tap]) -> str:
    """The page of all streams."""
    streams = [stream for tap in taps.values() for stream in tap.streams]
    return PAGE.format(
        count=len(streams),
        on=sum(stream.selected_by_default for stream in streams),
        taps="\n\n".join(f"## {name}\n\n{_table(name, tap)}" for name, tap in taps.items()),
    )


def _table(name: str, tap: Tap) -> str:
    head = ("About", "Stream", "Rows of", "Key", "Cursor", "Requests", "Default", "Also in")
    return table(head, _rows(name, tap))


def _rows(name: str, tap: Tap) -> Iterator[tuple[str, ...]]:
    for subject, streams in by_subject(tap):
        for stream in streams:
            yield (
                subject if stream is streams[0] else "",
                f"[`{stream.name}`]({name}.md#{stream.name})",
                row_of(stream),
                ", ".join(f"`{key}`" for key in stream.primary_keys),
                f"`{stream.replication_key}`" if stream.replication_key else again(stream),
                cost(stream, tap.streams),
                "on" if stream.selected_by_default else "off",
                ", ".join(others_with(name, stream.name)) or "none",
            )


def others_with(tap: str, stream: str) -> list[str]:
    """The connectors that have a list too."""
    return [other for other, lists in ALSO_IN.get(tap, {}).items() if stream in lists.split()]


def row_of(stream: ApiStream) -> str:
    """What a row is, from the beginning of the stream's docstring."""
    first = re.split(r"[;.](?:\s|$)", words(stream), maxsplit=1)[0]
    return " ".join(re.sub(r"^One row(?: per|, or none:|:) ", "", first).split())


def cost(stream: ApiStream, streams: Sequence[ApiStream]) -> str:
    """The requests that a whole read takes."""
    asked = [(other.path, other.params, other.parent_stream_type) for other in streams]
    first = asked.index((stream.path, stream.params, stream.parent_stream_type))
    paginator, parent = stream.get_new_paginator(), stream.parent_stream_type
    several = f"1 per {paginator.size} rows" if paginator.size else "1 per page"
    if streams[first] is not stream:
        same = streams[first].records_jsonpath == stream.records_jsonpath
        beside = f"none beside `{streams[first].name}`"
        return beside if same else f"{beside} for first pages; {several} for further ones"
    pages = "1" if isinstance(paginator, SinglePage) else several
    return f"{pages}, for {_parents(stream, parent)}" if parent else pages


def _parents(stream: ApiStream, parent: Any) -> str:
    none_where = stream.no_list_where.items()
    which = "".join(f", but of `{name}` {' or '.join(values)}" for name, values in none_where)
    return f"each {'new ' if reads_new_only(stream) else ''}row of `{parent.name}`{which}"
