"""What the typed way puts right a column at a time is what the careful way makes of each record."""

from __future__ import annotations

import json
import logging
from random import Random

import pytest
from msgspec import Raw

from tap_core.records.codec import UNMAPPED, UNMAPPED_SCHEMA, Codec
from tap_core.records.conform import Conformer
from tap_core.records.secrets import Secrets
from tap_core.records.values import as_moment
from ways import written

TEXT, MOMENT = {"type": ["string", "null"]}, {"type": ["string", "null"], "format": "date-time"}
INNER = {"type": ["object", "null"], "properties": {"at": MOMENT, "n": {"type": ["integer", "null"]}}}
SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "at": MOMENT,
        "count": {"type": ["integer", "null"]},
        "price": {"type": ["number", "null"]},
        "name": TEXT,
        "free": {"type": ["object", "null"]},
        "inner": INNER,
        "list": {"type": ["array", "null"], "items": INNER},
        "sizes": {"type": ["array", "null"], "items": {"type": "number"}},
        "open": {"type": ["array", "null"], "items": {**INNER, "additionalProperties": True}},
        "opened": {**INNER, "additionalProperties": True},
        UNMAPPED: UNMAPPED_SCHEMA,
    },
}
OBJECTS = [{"at": "2026-01-31", "n": 1}, {"at": "2026-01-31T00:00:00Z"}, {"n": "7"}, {"new": [1], "n": None}]
SECRET = [{"api_key": "canary"}, {"deep": [{"APIKey": "canary", "kept": 1}]}, {"invite_url": "canary"}]
VALUES = {
    "at": ["2026-01-31", "2026-01-31T01:02:03.5Z", "2026-02-30", "soon", None, 5],
    "count": [1, "2", "x", None, 1.5, [], True],
    "price": [1, "2.50", "1_000", None, 3.25, "NaN"],
    "name": ["a", 5, 1.50, None, True, {"first": "a"}],
    "free": [{}, [], {"a": 1}, "x", None, [1], *SECRET, {"Key": "\u212a", "API_KEY": "canary"}],
    "inner": [*OBJECTS, [], "x", None, [1], {"more": {"a": 1}}, {"api_key": "canary"}],
    "list": [OBJECTS, [{"n": 1}, "x"], None, [[]], [{"secret": "canary", "n": 2}], {}],
    "sizes": [[1, 2], [1.5], [], None, ["3"], [None]],
    "open": [
        [{"z": 1, "n": 1, "extra": True}],
        [{"other": {"a": 1}}],
        [{"client_secret": "canary", "n": 1}],
        None,
    ],
    "opened": [{"n": 1}, {"z": 1, "n": "2", "b": 2}, {"api_key": "canary", "z": {"password": "canary"}}, []],
    "added": ["x", {"a": [1]}, [1, 2], None, 5, *SECRET],
    "refresh_token": ["canary", True, None],
}


def codec(*, fields=()):
    log = logging.getLogger("quiet")
    conformer = Conformer(
        SCHEMA,
        unmapped=UNMAPPED,
        secrets=Secrets((), log),
        logger=log,
        deselected=fields,
        repairs={("at",): as_moment, ("inner", "at"): as_moment, ("list", "at"): as_moment},
    )
    return Codec("things", SCHEMA, ("id",), typed=True, conformer=conformer, reject=pytest.fail)


def pages(random, size):
    """Pages of which each field is odd in some more than in others."""
    for _ in range(4):
        often = {name: random.choice([0.02, 0.3, 1]) for name in VALUES}
        yield [
            {
                "id": number,
                **{
                    name: random.choice(values if random.random() < often[name] else values[:1])
                    for name, values in VALUES.items()
                    if random.random() < 0.8
                },
            }
            for number in range(size)
        ]


@pytest.mark.parametrize("seed", range(20))
def test_both_ways_put_a_page_right_alike(seed):
    random = Random(seed)
    fields = random.choice([(), [("name",)], [("inner", "n"), ("free",)]])
    quick, careful = codec(fields=fields), codec(fields=fields)
    for page in pages(random, random.choice([1, 7, 120])):
        raws = [Raw(json.dumps(row).encode()) for row in page]
        ours = written(quick.decode(raws, None, {}))
        theirs = written(careful.decode(raws, None, {}, typed=False))
        assert [[*row.items()] for row in ours] == [[*row.items()] for row in theirs]
        assert "canary" not in json.dumps(ours, default=str)


def test_what_a_page_of_odd_rows_costs_is_no_second_decoding(monkeypatch):
    """Once its oddities are known, no row goes the careful way."""
    quick = codec()
    page = [
        {
            "id": at,
            "at": "2026-01-31",
            "count": "2",
            "name": 5,
            "inner": [],
            "open": [{"extra": 1}],
            "added": {},
        }
        for at in range(200)
    ]
    raws = [Raw(json.dumps(row).encode()) for row in page]
    quick.decode(raws, None, {})
    monkeypatch.setattr(Codec, "_careful", lambda *_, **__: pytest.fail("a row went the careful way"))
    rows = written(quick.decode(raws, None, {}))
    assert [row["at"] for row in rows] == ["2026-01-31T00:00:00Z"] * 200
    assert rows[0]["inner"] == {}
    assert rows[0]["open"] == [{"extra": 1}]
    assert rows[0][UNMAPPED] == {"added": {}}
