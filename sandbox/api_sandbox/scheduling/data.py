"""The rows of the scheduling API: a user's account with its event types, hours, calendars and bookings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api_sandbox.fake import Fake, slug, unique_ids
from api_sandbox.scheduling.bookings import Bookings
from api_sandbox.scheduling.extras import add_extras

if TYPE_CHECKING:
    from random import Random

Row = dict[str, Any]

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_INTEGRATIONS = ("google_calendar", "office365_calendar", "apple_calendar", "ics-feed_calendar")
_VIDEO = {"zoom_video": "zoom", "google_video": "google-meet", "office365_video": "msteams"}
_QUESTIONS = (
    {"name": "name", "type": "name", "required": True, "editable": "system", "defaultLabel": "your_name"},
    {
        "name": "email",
        "type": "email",
        "required": True,
        "editable": "system",
        "sources": [{"id": "default"}],
    },
    {"name": "t-shirt", "type": "select", "options": [{"label": "M", "value": "m"}], "hidden": False},
)


def generate(
    rng: Random, event_types: int = 160, schedules: int = 130, bookings: int = 520
) -> dict[str, Any]:
    """All tables of one account.

    ``deleted`` holds the ids of bookings that are found by the server's first query and gone at its second:
    they count, and have a place in their page, and are not sent.
    """
    account = _Account(Fake(rng))
    account.add_schedules(schedules)
    account.add_event_types(event_types)
    account.add_calendars(credentials=9)
    account.add_conferencing()
    account.tables["bookings"] = Bookings(account.fake, account.user, account.tables["event_types"]).make(
        bookings
    )
    add_extras(account.fake, account.tables)
    return account.tables


class _Account:
    """Tables that are being filled."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake
        person, place = fake.person(), fake.place()
        self.user: Row = {
            "id": 311_002,
            "username": slug(f"{person.first_name} {person.last_name}"),
            "email": person.email,
            "name": f"{person.first_name} {person.last_name}",
            "avatarUrl": None,
            "bio": "",
            "locale": "es",
            "timeFormat": 24,
            "defaultScheduleId": None,
            "weekStart": "Monday",
            "timeZone": place.zone,
            "organizationId": 42_210,
            "organization": {"id": 42_210, "isPlatform": False},
        }
        self.teams: list[Row] = [
            {"id": 42_310 + number, "name": fake.company(), "slug": f"team-{number}"} for number in range(3)
        ]
        self.tables: dict[str, Any] = {"me": [self.user], "teams": self.teams, "deleted": []}

    def add_schedules(self, count: int) -> None:
        """Hours of a week, and days with other hours."""
        fake, ids = self.fake, unique_ids(self.fake.rng, count, 902_300, 30)
        self.user["defaultScheduleId"] = ids[0]
        self.tables["schedules"] = [
            {
                "id": schedule_id,
                "ownerId": self.user["id"],
                "name": fake.title() if number else "Working hours",
                "timeZone": fake.place().zone,
                "isDefault": number == 0,
                "availability": [
                    {"days": sorted(fake.rng.sample(_DAYS, 2), key=_DAYS.index), **self._hours()}
                    for _ in range(fake.rng.randrange(3))
                ],
                "overrides": [
                    {"date": f"2026-{month:02}-24", **self._hours()}
                    for month in range(1, fake.rng.choice((1, 2, 4)))
                ],
            }
            for number, schedule_id in enumerate(ids)
        ]

    def _hours(self) -> Row:
        return {
            "startTime": f"{self.fake.rng.randint(7, 11):02}:30",
            "endTime": f"{self.fake.rng.randint(12, 20)}:00",
        }

    def add_event_types(self, count: int) -> None:
        """Three of four belong to the user, the others to the teams but for the last, which has none."""
        fake, ids = self.fake, unique_ids(self.fake.rng, count, 4_810_900, 40)
        teams: list[int | None] = [None, None, None, *(team["id"] for team in self.teams[:-1])]
        self.tables["event_types"] = [self._event_type(id_, fake.rng.choice(teams)) for id_ in ids]

    def _event_type(self, id_: int, team_id: int | None) -> Row:
        fake = self.fake
        title, text = fake.title(), fake.pick(("", fake.paragraph()))
        row: Row = {
            "id": id_,
            "teamId": team_id,
            "userId": None if team_id else self.user["id"],
            "profileId": None,
            "parentId": None,
            "schedulingType": fake.rng.choice(("ROUND_ROBIN", "COLLECTIVE")) if team_id else None,
            "title": title,
            "slug": f"{slug(title)}-{id_}",
            "eventName": fake.rng.choice((None, "{Event type title} with {Organiser}")),
            "description": text or None,
            "interfaceLanguage": fake.rng.choice((None, "", "pt-BR")),
            "position": fake.rng.randrange(4),
            "length": fake.rng.choice((15, 30, 45, 60)),
            "offsetStart": 0,
            "hidden": fake.chance(0.1),
            "locations": fake.rng.choice(
                (None, [], [{"type": "integrations:daily"}], [{"type": "inPerson", "address": fake.street()}])
            ),
            "bookingFields": None if fake.chance(0.1) else [dict(field) for field in _QUESTIONS],
            "timeZone": fake.rng.choice((None, fake.place().zone)),
            "metadata": fake.rng.choice(
                (None, {}, {"multipleDuration": [15, 30], "apps": {"a": {"x": 1.5}}})
            ),
            **self._rules(),
            "hosts": [self._host(id_)] if team_id else [],
            "children": [],
            "team": {"id": team_id, "members": [{"user": {"name": self.user["name"]}}]} if team_id else None,
            "userIds": [] if team_id else [self.user["id"]],
        }
        if text:
            row["safeDescription"] = f"<p>{text}</p>"
        return row

    def _rules(self) -> Row:
        """When and how it can be booked."""
        fake, ranged, seats = self.fake, self.fake.chance(0.2), self.fake.rng.choice((None, None, 12))
        return {
            "periodType": "RANGE" if ranged else "UNLIMITED",
            "periodStartDate": "2026-01-10T00:00:00.000Z" if ranged else None,
            "periodEndDate": "2026-06-30T00:00:00.000Z" if ranged else None,
            "periodDays": None,
            "periodCountCalendarDays": fake.rng.choice((None, True)),
            "lockTimeZoneToggleOnBookingPage": fake.chance(0.2),
            "requiresConfirmation": fake.chance(0.2),
            "requiresBookerEmailVerification": False,
            "disableGuests": fake.chance(0.3),
            "disableCancelling": fake.rng.choice((None, False, True)),
            "hideCalendarNotes": False,
            "minimumBookingNotice": 120,
            "beforeEventBuffer": 0,
            "afterEventBuffer": fake.rng.choice((0, 10)),
            "slotInterval": fake.rng.choice((None, 15)),
            "seatsPerTimeSlot": seats,
            "seatsShowAttendees": fake.rng.choice((None, False)),
            "seatsShowAvailabilityCount": True,
            "onlyShowFirstAvailableSlot": False,
            "scheduleId": fake.rng.choice((None, self.user["defaultScheduleId"])),
            "isInstantEvent": False,
            "price": fake.rng.choice((0, 0, 4900)),
            "currency": "usd",
            "successRedirectUrl": fake.rng.choice((None, "https://thanks.example/?a=1&b=2")),
            "assignAllTeamMembers": False,
            "useEventTypeDestinationCalendarEmail": fake.chance(0.5),
            "recurringEvent": fake.rng.choice((None, None, {"freq": 2, "count": 12, "interval": 1})),
            "bookingLimits": fake.rng.choice((None, {"PER_DAY": 4})),
            "durationLimits": None,
            "eventTypeColor": fake.rng.choice(
                (None, {"lightEventTypeColor": "#fafafa", "darkEventTypeColor": "#101010"})
            ),
            "hashedLink": [],
        }

    def _host(self, event_type_id: int) -> Row:
        return {
            "userId": self.user["id"],
            "eventTypeId": event_type_id,
            "isFixed": self.fake.chance(0.5),
            "priority": self.fake.rng.choice((None, 2)),
            "weight": None,
            "scheduleId": None,
            "createdAt": "2025-11-02T09:05:31.200Z",
            "user": {"name": self.user["name"], "timeZone": self.user["timeZone"]},
        }

    def add_calendars(self, credentials: int) -> None:
        """Connected accounts and their calendars; some accounts are broken, some share a calendar."""
        fake = self.fake
        self.tables["connections"], self.tables["calendars"] = [], []
        for number in range(credentials):
            credential, integration = 150_311 + 7 * number, fake.pick(_INTEGRATIONS)
            connection: Row = {"integration": {"type": integration}, "credentialId": credential}
            if number % 4 == 3:  # noqa: PLR2004  the fourth and the eighth
                connection["error"] = {"message": "invalid_grant"}
            self.tables["connections"].append(connection)
            mails = [self.user["email"], *(fake.person().email for _ in range(fake.rng.randrange(4)))]
            for place, mail in enumerate([] if "error" in connection else mails):
                row = {
                    "externalId": mail,
                    "credentialId": credential,
                    "integration": integration,
                    "name": fake.pick((mail, fake.title())),
                    "primary": True if place == 0 else None,
                    "readOnly": fake.chance(0.2),
                    "isSelected": fake.chance(0.5),
                    "email": mail,
                    "delegationCredentialId": None,
                }
                self.tables["calendars"].append(row)

    def add_conferencing(self) -> None:
        """Video apps; an old server shows their credentials."""
        self.tables["conferencing"] = [
            {
                "id": 150_377 + number,
                "type": kind,
                "userId": self.user["id"],
                "teamId": None,
                "appId": app,
                "subscriptionId": None,
                "paymentStatus": None,
                "billingCycleStart": None,
                "invalid": number == 1,
                "delegationCredentialId": None,
                **({"key": {"access_token": "zoom-secret"}} if number == 0 else {}),
            }
            for number, (kind, app) in enumerate(_VIDEO.items())
        ]
