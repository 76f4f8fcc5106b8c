"""The schemas of streams: from their files, with the columns that the tap adds."""

from __future__ import annotations

from typing import Any

from singer_sdk.schema.source import StreamSchema
from typing_extensions import override

from tap_core.account import account_columns, with_account
from tap_core.records.codec import UNMAPPED, UNMAPPED_SCHEMA

_UNMAPPED_IS = "Fields that the schema does not know, and values that do not fit it, by their place."


class ApiSchema(StreamSchema):
    """A stream's JSON schema from its file, with the columns of the tap's own."""

    @override
    def get_stream_schema(self, stream: Any, stream_class: Any) -> dict[str, Any]:
        """The schema of a stream of a configured tap."""
        schema: dict[str, Any] = super().get_stream_schema(stream, stream_class)
        if stream.config.get("unmapped_column", True):
            unmapped = {**UNMAPPED_SCHEMA, "description": _UNMAPPED_IS}
            schema = {**schema, "properties": {**schema["properties"], UNMAPPED: unmapped}}
        return with_account(schema, account_columns(stream.config))
