"""The endpoints of what the key's user has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_core import SinglePage
from tap_core.records import jsonpath
from tap_core.records.keys import is_missing
from tap_scheduling.client import PAGE_SIZE, WHOLE_PAGE, SchedulingStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from tap_core import Page

_ACCOUNTS = "$.data.connectedCalendars[*]"


def _as_later(disabled: Any) -> Any:
    """True or false as later versions have it, which tell when, too: `{"disabled": true}`."""
    return {"disabled": disabled} if isinstance(disabled, bool) else disabled


class EventTypes(SchedulingStream):
    """One row per kind of meeting that can be booked with the user or with one of the user's teams."""

    name = "event_types"
    path = "/event-types"
    records_jsonpath = "$.data.eventTypeGroups[*].eventTypes[*]"
    # Only this version has the event types of teams too, and the settings that the later ones leave out.
    cal_api_version = "2024-04-15"
    page_size = PAGE_SIZE  # the vendor sends it whole, as other servers may not
    # True or false in this version; loaders take no column of both shapes.
    repairs = dict.fromkeys(("disableCancelling", "disableRescheduling"), _as_later)

    @override
    def records_path(self, document: Any) -> str:
        """In groups as asked for, or in the plain list of later versions."""
        plain = "$.data[*]"
        is_plain = isinstance(jsonpath.place(document, plain)[1], list)
        return plain if is_plain else self.records_jsonpath


class MyProfile(SchedulingStream):
    """One row: the user that the key belongs to."""

    name = "my_profile"
    path = "/me"
    child_keys = {"orgId": "organizationId"}
    is_single = True

    @override
    def is_empty_list(self, status: int, message: str) -> bool:
        """Never: a key is a user's, who has a profile."""
        return False


class Schedules(SchedulingStream):
    """One row per schedule: the hours of a week when the user can be booked, and the exceptions."""

    name = "schedules"
    path = "/schedules"
    cal_api_version = "2024-06-11"
    page_size = PAGE_SIZE  # the vendor sends it whole, as other servers may not


class Calendars(SchedulingStream):
    """One row per calendar of each connected calendar account.

    A calendar that is connected through two accounts has two rows. `primary` is true or null.
    """

    name = "calendars"
    path = "/calendars"
    primary_keys = ("credentialId", "externalId")
    records_jsonpath = "$.data.connectedCalendars[*].calendars[*]"

    @override
    def get_new_paginator(self) -> SinglePage:
        """One request: its answer is no list, but a list for each account."""
        return SinglePage()

    @override
    def check_envelope(self, page: Page) -> None:
        """See that each account has a list of calendars, or an `error` in its place."""
        accounts = jsonpath.place(page.document, _ACCOUNTS)[1]
        if not isinstance(accounts, list) or not all(_is_whole(account) for account in accounts):
            super().check_envelope(page)

    @override
    def read_page(self, response: requests.Response) -> Page:
        """The calendars; those of an account that can't be reached are missing.

        A calendar without `credentialId` has that of its account, one level above.
        """
        page = super().read_page(response)
        accounts = jsonpath.find(page.document, _ACCOUNTS)
        page.replace_records([calendar for account in accounts for calendar in _calendars(account)])
        if broken := sum(map(_is_broken, accounts)):
            page.why_incomplete = (
                f"{broken} connected accounts can't be reached, and their calendars are missing: "
                "connect them again in the account's settings"
            )
        return page


class Conferencing(SchedulingStream):
    """One row per video app that the user has connected; the built-in one is not among them."""

    name = "conferencing"
    path = "/conferencing"
    secrets = ("key",)
    """Older servers send the app's credentials in it."""


class OutOfOffice(SchedulingStream):
    """One row per time that the user is away; only hosted servers have the list."""

    name = "out_of_office"
    path = "/me/ooo"
    params = {"sortStart": "asc"}
    may_be_missing = True
    missing_hint = "servers of one's own do not have it"
    page_size = WHOLE_PAGE
    order = "start"


class Webhooks(SchedulingStream):
    """One row per webhook of the user; its secret is dropped."""

    name = "webhooks"
    path = "/webhooks"
    page_size = WHOLE_PAGE


def _is_broken(account: Any) -> bool:
    return jsonpath.first(account, "$.error") is not None


def _is_whole(account: Any) -> bool:
    return _is_broken(account) or isinstance(jsonpath.place(account, "$.calendars[*]")[1], list)


def _calendars(account: Any) -> Iterator[Any]:
    credential = jsonpath.first(account, "$.credentialId")
    for calendar in jsonpath.find(account, "$.calendars[*]"):
        if credential is None or not is_missing(jsonpath.first(calendar, "$.credentialId")):
            yield calendar
        else:
            row = jsonpath.decode(calendar)
            yield {**row, "credentialId": credential} if isinstance(row, dict) else row
