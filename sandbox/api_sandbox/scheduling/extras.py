"""The rows about teams, the organization, and what else the user of the scheduling API has."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from api_sandbox.fake import slug
from api_sandbox.scheduling.answers import later_event_type
from api_sandbox.scheduling.bookings import stamp

if TYPE_CHECKING:
    from api_sandbox.fake import Fake

Row = dict[str, Any]

_FROM = datetime(2026, 1, 5, tzinfo=timezone.utc)
_FORM = "3b1c7f4e-2a55-4f0e-9f43-0f2f4c1f9b2"
_RESPONSES = (105, 3, 0, 7)
"""Of each form: more than a page has, and none."""


def add_extras(fake: Fake, tables: dict[str, Any]) -> None:
    """Fill these tables of an account, whose teams get the rest of their fields."""
    user = tables["me"][0]
    organization = {"id": user["organizationId"], "name": fake.company(), "slug": "acme"}
    teams = [{**row, **_team(row, organization["id"])} for row in (*tables["teams"], organization)]
    tables["teams"] = teams
    people = [_user(fake, number, organization["id"]) for number in range(24)]
    tables |= {
        "team_memberships": {
            team["id"]: [
                _membership(team["id"], place, person) for place, person in enumerate(people[: 9 * at])
            ]
            for at, team in enumerate(teams)
        },
        "team_event_types": {
            team["id"]: [
                _event_type(row, team) for row in tables["event_types"] if row["teamId"] == team["id"]
            ]
            for team in teams
        },
        "organization_users": people,
        "organization_memberships": [
            {**_membership(organization["id"], 50 + place, person), "attributes": _values(place)}
            for place, person in enumerate(people)
        ],
        "organization_teams": [team for team in teams if not team["isOrganization"]],
        "out_of_office": [_absence(user["id"], number) for number in range(4)],
        "organization_out_of_office": [
            _absence(person["id"], 10 + place) for place, person in enumerate(people[:15])
        ],
        "routing_forms": [_form(fake, number, user, teams[0]["id"]) for number in range(len(_RESPONSES))],
        "routing_form_responses": {
            f"{_FORM}{number}": [_response(number, place) for place in range(count)]
            for number, count in enumerate(_RESPONSES)
        },
        "attributes": [_attribute(number, organization["id"]) for number in range(3)],
        "attribute_options": {
            f"attribute-{number}": [_option(number, place) for place in range(2 * number)]
            for number in range(3)
        },
        "webhooks": [_webhook(number, user["id"]) for number in range(3)],
    }


def _team(team: Row, organization: int) -> Row:
    return {
        "parentId": None if team["id"] == organization else organization,
        "isOrganization": team["id"] == organization,
        "isPrivate": False,
        "hideBranding": False,
        "hideBookATeamMember": False,
        **dict.fromkeys(("logoUrl", "calVideoLogo", "appLogo", "appIconLogo", "bannerUrl", "theme")),
        "bio": "Sells ⛵",
        "brandColor": "#292929",
        "darkBrandColor": None,
        "timeFormat": None,
        "timeZone": "Europe/London",
        "weekStart": "Sunday",
        "metadata": {"requestedSlug": "acme"} if team["id"] == organization else None,
    }


def _user(fake: Fake, number: int, organization: int) -> Row:
    person, id_ = fake.person(), 311_100 + number
    name = slug(f"{person.first_name} {person.last_name}")
    return {
        "id": id_,
        "email": person.email,
        "username": name if number % 3 else None,
        "name": f"{person.first_name} {person.last_name}",
        "emailVerified": stamp(_FROM) if number % 4 else None,
        "bio": "",
        "avatarUrl": None,
        "timeZone": fake.place().zone,
        "weekStart": "Monday",
        "appTheme": None,
        "theme": None,
        "defaultScheduleId": None,
        "locale": "es",
        "timeFormat": 24,
        "hideBranding": False,
        "brandColor": None,
        "darkBrandColor": None,
        "allowDynamicBooking": True,
        "createdDate": stamp(_FROM + timedelta(days=number)),
        "verified": False,
        "invitedTo": None,
        "metadata": {},
        "profile": {"id": 77_110 + number, "organizationId": organization, "userId": id_, "username": name},
    }


def _membership(team: int, place: int, person: Row) -> Row:
    row: Row = {
        "id": team * 100 + place,
        "userId": person["id"],
        "teamId": team,
        "accepted": place % 5 != 0,
        "role": ("OWNER", "ADMIN", "MEMBER")[min(place, 2)],
        "disableImpersonation": False,
        "customRoleId": None,
        "createdAt": stamp(_FROM),
        "updatedAt": None,
        "user": {
            name: person[name] for name in ("email", "name", "username", "avatarUrl", "bio", "metadata")
        },
    }
    if place % 2:  # not all servers send these
        del row["customRoleId"], row["createdAt"], row["updatedAt"]
    return row


def _values(place: int) -> list[Row]:
    """The attributes of a member."""
    known: list[Row] = [
        {"id": "attribute-0", "name": "Desk", "type": "NUMBER", "option": 7.5, "optionId": "o-0"},
        {"id": "attribute-1", "name": "Site", "type": "SINGLE_SELECT", "option": "Köln", "optionId": "o-1"},
        {"id": "attribute-2", "name": "Skills", "type": "MULTI_SELECT", "options": [{"optionId": "o-2"}]},
    ]
    return known[: place % 4]


def _event_type(row: Row, team: Row) -> Row:
    """A team's event type as its own list has it."""
    return {
        **later_event_type(row),
        "teamId": team["id"],
        "ownerId": None,
        "parentEventTypeId": None,
        "schedulingType": "roundRobin" if row["schedulingType"] == "ROUND_ROBIN" else "collective",
        "assignAllTeamMembers": False,
        "hosts": [{"userId": host["userId"], "name": host["user"]["name"]} for host in row["hosts"]],
        "team": {name: team[name] for name in ("id", "name", "slug", "logoUrl", "weekStart", "brandColor")},
        "bookingWindow": {"disabled": True} if row["id"] % 2 else {"type": "range", "value": ["2026-02-01"]},
        "seats": {"disabled": True},
        "emailSettings": {"disableEmailsToHosts": False},
        "bookingLimitsCount": {"day": 4},
    }


def _absence(user_id: int, number: int) -> Row:
    day = _FROM + timedelta(days=(number * 37) % 200)
    return {
        "id": 94_011 + number,
        "uuid": f"0c3c7b1e-8a1d-4d52-9d6e-3f1f5a7b2c{number:02}",
        "userId": user_id,
        "toUserId": None if number % 2 else 311_101,
        "start": stamp(day),
        "end": stamp(day + timedelta(days=3) - timedelta(milliseconds=1)),
        "notes": None if number % 3 else "Winter break",
        "reason": ("vacation", "sick", "travel", None)[number % 4],
    }


def _form(fake: Fake, number: int, user: Row, team: int) -> Row:
    route: Row = {"id": "1", "action": {"type": "customPageMessage", "value": "Thanks"}}
    return {
        "id": f"{_FORM}{number}",
        "name": fake.title(),
        "description": None,
        "position": number,
        "userId": user["id"],
        "teamId": team,
        "disabled": number == 1,
        "createdAt": stamp(_FROM + timedelta(days=number)),
        "updatedAt": stamp(_FROM + timedelta(days=number, hours=3)),
        "routes": ([route], [route, {**route, "id": "r-2"}], None, [])[number],
        "fields": [{"id": "f-1", "type": "text", "label": "Company", "required": True}] if number else None,
        "settings": {"emailOwnerOnSubmission": True},
    }


def _response(form: int, place: int) -> Row:
    return {
        "id": 5_512 + 1_000 * form + place,
        "formId": f"{_FORM}{form}",
        "formFillerId": f"cm1x9k2p{place:04}",
        "routedToBookingUid": None if place % 3 else f"uid-{place}",
        "response": {"f-1": {"label": "Company", "value": f"Acme {place}"}, "f-2": {"value": ["a", "b"]}},
        "createdAt": stamp(_FROM + timedelta(hours=4 * (place - place % 2))),
    }


def _attribute(number: int, organization: int) -> Row:
    name = ("Desk", "Site", "Skills")[number]
    return {
        "id": f"attribute-{number}",
        "teamId": organization,
        "type": ("NUMBER", "SINGLE_SELECT", "MULTI_SELECT")[number],
        "name": name,
        "slug": slug(name),
        "enabled": number != 0,
        "usersCanEditRelation": False,
    }


def _option(attribute: int, place: int) -> Row:
    return {
        "id": f"option-{attribute}-{place}",
        "attributeId": f"attribute-{attribute}",
        "value": f"Köln {place}",
        "slug": f"koln-{place}",
    }


def _webhook(number: int, user_id: int) -> Row:
    row: Row = {
        "id": f"5f2b6a0e-1f0c-4f7d-8f57-2a9c1c7d3e1{number}" if number else 77,
        "userId": user_id,
        "subscriberUrl": "https://hooks.example/cal",
        "active": number != 2,  # noqa: PLR2004
        "triggers": ["BOOKING_CREATED", "MEETING_ENDED"][: number + 1],
        "payloadTemplate": None,
        "secret": "secret-of-the-webhook",
    }
    return row | ({"time": 5, "timeUnit": "MINUTE"} if number else {})
