"""Accounts of parents that end, each with lists of its own, as two taps have them."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta, timezone

from json_api import cut
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions

NOW = datetime.now(timezone.utc)


def ago(**span):
    return NOW - timedelta(**span)


class Account:
    """Parents with a list of two rows each, of one child stream or more; they can be changed, and fail."""

    def __init__(self, ends):
        self.parents = {number: {"id": number, **self.end(end)} for number, end in ends.items()}
        self.rows = {number: [{"id": 10 * number}, {"id": 10 * number + 1}] for number in ends}
        self.asked = Counter()
        self.failing, self.until, self.requests = set(), 10**6, 0

    def __call__(self, path, query):
        self.requests += 1
        if self.requests > self.until:
            return 401, {}
        found = self.parent_of(path)
        if found is None:
            return self.page(path, [*self.parents.values()], query)
        self.asked[found] += 1
        return (500, {}) if found in self.failing else self.page(path, self.rows[found], query)


class Events(Account):
    """Events, whose end is a day and a time on their own clock."""

    tap, parent, children = TapEvents, "events", ("attendees", "tickets")

    def end(self, end):
        if end is None:
            return {}
        local = end.astimezone(timezone(timedelta(hours=-5)))
        return {
            "end_date": f"{local:%Y-%m-%dT00:00:00}",
            "end_time": f"{local:%H:%M}",
            "utc_offset": "-05:00",
        }

    def parent_of(self, path):
        return None if path == "/v1/events" else int(path.split("/")[-2])

    def page(self, path, rows, query):
        name = path.rsplit("/", 1)[1]
        return {"pagination": [{"total": len(rows)}], name: cut(rows, query)}


class Promotions(Account):
    """Promotions, whose end is a moment."""

    tap, parent, children = TapPromotions, "promotions", ("users", "stages")

    def end(self, end):
        made = {"created": "2025-01-01T00:00:00Z"}
        return made if end is None else {**made, "end_date": f"{end:%Y-%m-%d %H:%M:%S}"}

    def parent_of(self, path):
        return None if path == "/promotions" else int(path.split("/")[-1])

    def page(self, path, rows, query):
        first = int(query.get("next_cursor", 0))
        more = first + 100 if first + 100 < len(rows) else None
        return {"items": rows[first : first + 100], "paging": {"next_cursor": more}}


ACCOUNTS = [Events, Promotions]
