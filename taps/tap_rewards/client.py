"""How the rewards API authenticates and pages, and what of its answers is never passed on."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.schema.source import SchemaDirectory
from typing_extensions import override

from tap_core import ApiSchema, ApiStream, Offset, WholeList
from tap_core.paging.places import Ask, ByOffset
from tap_rewards import schemas

if TYPE_CHECKING:
    from datetime import datetime

    from tap_core import Paginator
    from tap_core.paging.paginator import Query

DAY = 86_400
TOTAL = "$.total_count"
UNSTATED_SIZE = 10
"""Records in a page where nothing says how many; the lists that say it have so many by default."""


class RewardsStream(ApiStream):
    """The rewards API: JSON under the resource's name, `{"orders": […], "total_count": 243}`."""

    schema = ApiSchema(SchemaDirectory(schemas))
    # Who opens an `invite_url` joins the organization, who opens a delivery's link has the money. The API has
    # sent `access_token` in organizations and sends `private_key` in webhooks.
    secrets = (
        "invite_url",
        *("delivery.link", "delivery.links", "delivery.url"),
        *("*token*", "*secret*", "*passw*", "*credential*"),
        *("*private*key*", "*api*key*", "*access*key*", "*signing*key*"),
    )

    page_size: ClassVar[int] = 100
    """Records to ask for in a page: of two lists up to 500 by the newest document, but 100 goes with every
    version. Some lists have neither offset nor limit and come whole, which the paginator notices."""

    @property
    @override
    def records_jsonpath(self) -> str:
        """Records are under the name of the stream."""
        return f"$.{self.name}[*]"

    @override
    def get_new_paginator(self) -> Paginator:
        """Offset paging; a page's size is capped without a word, and rows of one moment can trade places."""
        return Offset(size=self.page_size, total=TOTAL, order=self.replication_key)

    @override
    def since(self, start: datetime) -> dict[str, Any]:
        """The lower bound in whole seconds: what the API shows of a time may be rounded."""
        return {self.since_param: _second(start)} if self.since_param else {}

    @override
    def until(self, end: datetime) -> dict[str, Any]:
        """The upper bound, which is inclusive, in whole seconds: none that is too early."""
        return {self.until_param: _second(end + timedelta(seconds=1))} if self.until_param else {}


def _second(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class WholeStream(RewardsStream):
    """A list that comes whole: no offset and no limit are documented."""

    @override
    def get_new_paginator(self) -> Paginator:
        """One request, and a look at what is behind."""
        return WholeList(ByOffset(), TOTAL)


class OffsetAlone(ByOffset):
    """Offsets in a list whose pages have a size of the server's own, which is stated nowhere."""

    is_divisible = False

    @override
    def ask(self, start: int, size: int, *, beyond: int = 0) -> Ask:
        """The page that begins at a row."""
        return Ask({self.param: start}, start, size)

    @override
    def read(self, query: Query) -> Ask:
        """What a query asks for."""
        return super().read({self.size_param: 0, **query})._replace(query=query, size=UNSTATED_SIZE)
