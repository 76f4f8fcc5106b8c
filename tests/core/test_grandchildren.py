"""`children_since` over three levels: the lists below a list that is passed over are passed over too."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import ClassVar

import pytest
from singer_sdk import typing as th
from singer_sdk.authenticators import APIKeyAuthenticator

from claims import versions
from in_process import call, select
from json_api import JsonApi
from tap_core import ApiStream, ApiTap, common_settings

NOW = datetime.now(timezone.utc)
ID = {"type": "integer"}


class Below(ApiStream):
    """What the lists of this API share."""

    records_jsonpath = "$.items[*]"
    schema: ClassVar = {"type": "object", "properties": {"id": ID, "end": {"type": ["string", "null"]}}}


class Fairs(Below):
    """Fairs, which end."""

    name, path = "fairs", "/fairs"
    child_keys: ClassVar = {"fair": "id"}
    ends_at = ("end",)


class Stands(Below):
    """Stands of a fair."""

    name, path = "stands", "/fairs/{fair}/stands"
    parent_stream_type = Fairs
    child_keys: ClassVar = {"stand": "id"}


class Sales(Below):
    """Sales of a stand."""

    name, path = "sales", "/fairs/{fair}/stands/{stand}/sales"
    parent_stream_type = Stands


class TapFairs(ApiTap):
    """A tap of three levels."""

    name = "tap-fairs"
    stream_types = (Fairs, Stands, Sales)
    config_jsonschema = th.PropertiesList(
        *common_settings(key_help="Ask.", url_example="https://fairs.example", ending=True)
    ).to_dict()

    @property
    def authenticator(self):
        return APIKeyAuthenticator(key="X-Key", value=self.config["api_key"])


@pytest.mark.parametrize("streams", [("stands", "sales"), ("sales",)])
def test_grandchildren_follow(tmp_path, streams):
    """Also where the stream between is not selected, and where they are new, or fail."""
    ends, asked, failing = {1: NOW - timedelta(days=30), 2: NOW}, [], set()

    def answer(path, query):
        asked.append(path)
        if path in failing:
            return 500, {}
        rows = [{"id": n, "end": end.isoformat()} for n, end in ends.items()]
        return {"items": rows if path == "/fairs" else [{"id": 10 * int(path.split("/")[2])}]}

    def read(state, *streams, code=0):
        asked.clear()
        more = {"children_since": 7, "full_read_every": 30, "max_retries": 0}
        more |= {"emit_activate_version_messages": True, "receipt": True}
        with JsonApi(answer) as api:
            chosen = select(TapFairs, *streams)
            output = call(TapFairs, tmp_path, url=api.url, catalog=chosen, state=state, **more)
        assert output.code == code, output.log
        return output, {path for path in asked if path != "/fairs"}

    lists = {n: {f"/fairs/{n}/stands", f"/fairs/{n}/stands/{10 * n}/sales"} for n in ends}
    failing |= {"/fairs/2/stands/20/sales"}
    failed, _ = read(None, *streams, code=2)
    failing.clear()
    first, paths = read(failed.state, *streams)
    assert paths == lists[1] | lists[2], "no pass is whole in which a list of theirs fails"
    second, paths = read(first.state, *streams)
    assert paths == lists[2]
    assert not {*streams} & set(versions(second)[0])
    new, _ = read(None, "stands")
    assert read(new.state, "stands", "sales")[1] == lists[1] | lists[2]
