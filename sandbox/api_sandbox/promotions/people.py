"""Those who take part in a promotion: users, their participations and prizes, and who is ahead."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from api_sandbox.promotions.data import Account, Wire

_QUESTIONS = ("Which city do you like best?", "How old is the harbour?", "Your slogan, please ✍️")
_ANSWERS = ("Lisbon", "大阪", "Kraków & Łódź", "1884", "", '"Play" \\o/')
_AGENTS = ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0)")
_KEEN = 3


class People:
    """The tables below one promotion."""

    def __init__(
        self, account: Account, wire: Wire, promotion_id: int | str, stages: Sequence[int | str]
    ) -> None:
        self.account, self.fake, self.wire = account, account.fake, wire
        self.promotion_id, self.stages = promotion_id, stages
        self.tables: dict[str, Any] = {
            "users": [],
            "participations": [],
            "prizes": [],
            "rankings": [],
            "requirements": {},
        }
        self._prize_types = [self._prize_type() for _ in range(2)]

    def join(self, count: int, start: datetime, end: datetime, *, keen: bool, game: bool) -> None:
        """Users who register one after the other, and take part at once, some of them often."""
        step = (end - start) / (count + 1)
        for number in range(count):
            registered = start + step * number
            user = self._user(registered)
            self.tables["users"].append(user)
            for turn in range(_KEEN if keen else self.fake.rng.choice((0, 1, 1, 2))):
                self._take_part(user, registered + timedelta(seconds=7 * turn + 1))
        if game:
            self.tables["rankings"] = [
                self._entry(position, user) for position, user in enumerate(self.tables["users"], 1)
            ]

    def _user(self, registered: datetime) -> dict[str, Any]:
        fake, code, person = self.fake, self.wire.code, self.fake.person()
        row = {
            "id": code(self.account.new_id("users")),
            "promotion_id": self.promotion_id,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "nickname": f"{person.first_name.lower()}{fake.digits(2)}",
            "login_type": fake.pick(("email", "email", "facebook")),
            "social_id": fake.rng.choice((None, code(fake.digits(15)))),
            "external_id": fake.pick(("", f"crm-{fake.digits(4)}")),
            "status": code(fake.pick("1110")),
            "email": person.email,
            "phone": fake.phone(),
            "birthday": f"19{fake.rng.randint(50, 99)}-04-{fake.rng.randint(10, 28)}",
            "created": self.wire.moment(registered),
            "avatar_img": None,
            "language": fake.pick(("deu", "eng", "es")),
            "country": fake.place().country_code,
            "custom_properties": self._properties(),
            "meta_data": fake.rng.choice((self._meta_data(), self._meta_data(), [], None)),
        }
        return fake.some_null(row, keep=("id", "created"))

    def _properties(self) -> list[dict[str, Any]]:
        """Answers to the registration form's extra fields."""
        fake, new_id = self.fake, self.account.new_id
        row = {"id": self.wire.code(new_id("properties")), "title": "Postal code", "ref": "postalcode"}
        return [{**row, "value": fake.place().zip_code}] if fake.chance(0.6) else []

    def _meta_data(self) -> dict[str, Any]:
        fake = self.fake
        legals = {
            "terms_url": f"https://promo.example/terms/{self.promotion_id}",
            "privacy_url": "https://promo.example/privacy",
            "accepted_cookies": fake.rng.choice((None, self.wire.code("1"))),
        }
        return {
            "utm_source": fake.pick(("newsletter", "poster")),
            "utm_medium": "mail",
            "utm_campaign": None,
            "referral_url": "https://shop.example/?q=été",
            "ip": f"203.0.113.{fake.rng.randrange(256)}",
            "user_agent": fake.pick(_AGENTS),
            "legals": fake.rng.choice((legals, legals, {}, [], None)),
        }

    def _take_part(self, user: dict[str, Any], moment: datetime) -> None:
        """A participation; some win a prize by it, some had to meet a requirement."""
        fake, code = self.fake, self.wire.code
        points = f"{fake.rng.randrange(2000)}.5" if fake.chance(0.3) else "0"
        row = {
            "id": code(self.account.new_id("participations")),
            "promotion_id": self.promotion_id,
            "stage_id": fake.rng.choice(self.stages) if self.stages else None,
            "user_id": user["id"],
            "created": self.wire.moment(moment),
            "ip": f"198.51.100.{fake.rng.randrange(256)}",
            "user_agent": fake.pick(_AGENTS),
            "points": Decimal(points) if self.wire.numbers else points,
            "completed": fake.rng.choice((None, None, code("1"))),
            "data": self._answers(),
        }
        if fake.chance(0.1):
            del row["points"], row["completed"]
        self.tables["participations"].append(fake.some_null(row, keep=("id", "user_id", "created")))
        if fake.chance(0.25):
            self.tables["prizes"].append(self._prize(row, user, moment))
        if fake.chance(0.1):
            asked = {"ref": "code", "title": "Code on the label", "value": fake.digits(6)}
            requirement = {"type": code("2"), "code": f"LBL-{fake.digits(4)}", "data": [asked]}
            self.tables["requirements"][str(row["id"])] = requirement

    def _answers(self) -> list[dict[str, Any]]:
        fake = self.fake
        asked = fake.rng.sample(_QUESTIONS, fake.rng.choice((0, 1, 2)))
        return [
            {"ref": f"Question{number}", "title": title, "values": fake.rng.sample(_ANSWERS, 1 + number % 2)}
            for number, title in enumerate(asked)
        ]

    def _prize_type(self) -> dict[str, Any]:
        fake, code = self.fake, self.wire.code
        row = {
            "id": code(fake.digits(4)),
            "name": f"Voucher of the {fake.word('adjective')} {fake.word('noun')}",
            "ref": f"V{fake.digits(2)}",
            "description": fake.sentence(),
            "assignation_type": "instant_win",
            "qty": code("500"),
            "given": code("131"),
            "image": "https://cdn.example/v10.png",
            "instructions": None,
        }
        if fake.chance(0.2):
            del row["given"]
        return row

    def _prize(self, played: dict[str, Any], user: dict[str, Any], moment: datetime) -> dict[str, Any]:
        fake, prize_id = self.fake, self.account.new_id("prizes")
        row = {
            "id": self.wire.code(prize_id),
            "prize_type": fake.rng.choice(self._prize_types),
            "user_id": user["id"],
            "stage_id": played["stage_id"],
            "participation_id": played["id"],
            "created": self.wire.moment(moment + timedelta(seconds=1)),
            "code": f"SPRING-{fake.digits(6)}",
            "download_url": f"https://promo.example/prize/{prize_id}/pdf",
            "redeem_url": f"https://promo.example/prize/{prize_id}/redeem",
            "user": {name: value for name, value in user.items() if name != "email"},
        }
        return fake.some_null(row, keep=("id", "participation_id", "created"))

    def _entry(self, position: int, user: dict[str, Any]) -> dict[str, Any]:
        """An entry of the ranking, in one of the three shapes that are told of."""
        points, time = f"{3000 - position}.5", f"{40 + position}.2"
        if self.wire.variant == 0:
            return {
                "user_id": user["id"],
                "stage_id": self.stages[0] if self.stages else None,
                "position": position,
                "points": points,
                "time": time,
                "user": {
                    name: user[name] for name in ("id", "promotion_id", "nickname", "country", "created")
                },
            }
        if self.wire.variant == 1:
            player = {"id": user["id"], "nickname": user["nickname"]}
            return {"user": player, "position": str(position), "score": Decimal(points)}
        return {"id": user["id"], "position": position, "points": 3000 - position}
