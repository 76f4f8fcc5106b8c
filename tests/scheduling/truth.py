"""What tap-scheduling should emit of the sandbox's rows."""

from __future__ import annotations

from api_sandbox.scheduling.api import attendees

STREAMS = (
    *("event_types", "my_profile", "schedules", "calendars", "bookings", "conferencing"),
    *("out_of_office", "webhooks", "teams", "team_memberships", "team_event_types"),
)
ORGANIZATION = (
    *("organization_users", "organization_memberships", "organization_teams", "organization_bookings"),
    *("organization_out_of_office", "routing_forms", "routing_form_responses", "attributes"),
    "attribute_options",
)
OFF = (*ORGANIZATION, "team_bookings", "booking_attendees")
"""Lists that are read only where they are selected."""

TABLES = {"my_profile": "me", "organization_bookings": "bookings", "team_bookings": "bookings"}
SECRETS = {"conferencing": "key", "webhooks": "secret"}


def expected(api, stream):
    """The sandbox's rows by key, as the tap should emit them."""
    tables = api.data["scheduling"]
    rows = _rows(tables, stream)
    if stream in ORGANIZATION:
        rows = [{"organizationId": tables["me"][0]["organizationId"], **row} for row in rows]
    if stream == "webhooks":
        rows = [{**row, "id": str(row["id"])} for row in rows]
    if stream == "calendars":
        return {(row["credentialId"], row["externalId"]): row for row in rows}
    secret = SECRETS.get(stream)
    rows = [_in_one_shape(row) for row in rows]
    plain = [{name: value for name, value in row.items() if name != secret} for row in rows]
    return {(row["teamId"], row["id"]) if stream == "team_bookings" else (row["id"],): row for row in plain}


def _in_one_shape(row):
    """The row with each column in the one shape that it has."""
    for name in {"disableCancelling", "disableRescheduling"} & row.keys():
        if isinstance(row[name], bool):
            row = {**row, name: {"disabled": row[name]}}
    return row


def _rows(tables, stream):
    if stream == "booking_attendees":
        return [
            {"bookingUid": booking["uid"], **row}
            for booking in tables["bookings"]
            for row in attendees(booking)
        ]
    if stream == "team_bookings":
        teams = {row["id"]: row["teamId"] for row in tables["event_types"] if row["teamId"] is not None}
        of_teams = [row for row in tables["bookings"] if row["eventTypeId"] in teams]
        return [{"teamId": teams[row["eventTypeId"]], **row} for row in of_teams]
    rows = tables[TABLES.get(stream, stream)]
    return [row for below in rows.values() for row in below] if isinstance(rows, dict) else rows


def assert_all(output, api, streams=STREAMS):
    output.check()
    for stream in streams:
        assert output.rows(stream) == expected(api, stream), stream
        assert len(output.records[stream]) == len(output.rows(stream)), stream
