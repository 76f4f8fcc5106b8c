"""How the rewards API authenticates and pages, and what of its answers is never passed on."""

from __future__ import annotations

import re
from datetime import timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.schema.source import SchemaDirectory
from typing_extensions import override

from tap_core import ApiSchema, ApiStream, Offset
from tap_rewards import schemas

if TYPE_CHECKING:
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record

    from tap_core import Paginator

DAY = 86_400
TOTAL = "$.total_count"

_SECRET = re.compile(r"token|secret|passw|credential|(private|api|access|signing)_?key", re.IGNORECASE)


class RewardsStream(ApiStream):
    """The rewards API: JSON under the resource's name, `{"orders": […], "total_count": 243}`."""

    schema = ApiSchema(SchemaDirectory(schemas))

    page_size: ClassVar[int] = 100
    """Records to ask for in a page: of two lists up to 500 by the newest document, but 100 goes with every
    version. Some lists have neither offset nor limit and come whole, which the paginator notices."""

    @cached_property
    def _told(self) -> set[str]:
        """Fields that were dropped with a word."""
        return set()

    @property
    @override
    def records_jsonpath(self) -> str:
        """Records are under the name of the stream."""
        return f"$.{self.name}[*]"

    @override
    def get_new_paginator(self) -> Paginator:
        """Offset paging; a page's size is capped without a word."""
        return Offset(size=self.page_size, total=TOTAL)

    @override
    def since(self, start: datetime) -> dict[str, Any]:
        """The lower bound in whole seconds: what the API shows of a time may be rounded."""
        second = start.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {self.since_param: second} if self.since_param else {}

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        """Drop secrets: no schema has one, so every record with one comes by here.

        The API has sent `access_token` in organizations and sends `private_key` in webhooks.
        """
        self._drop_secrets(row)
        return row

    def _drop_secrets(self, node: Any) -> None:
        if isinstance(node, dict):
            for name in [name for name in node if _SECRET.search(name)]:
                del node[name]
                self._tell_secret(name)
        for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            self._drop_secrets(item)

    def _tell_secret(self, name: str) -> None:
        if name not in self._told:
            self._told.add(name)
            self.logger.warning("%s: field `%s` holds a secret and is dropped", self.name, name)
