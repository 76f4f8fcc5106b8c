"""Codecs over one schema, and all the ways that must agree."""

from __future__ import annotations

import json
import logging
from decimal import Decimal

import msgspec
import pytest

from tap_core.records import jsonpath
from tap_core.records.codec import UNMAPPED, UNMAPPED_SCHEMA, Codec
from tap_core.records.conform import Conformer
from tap_core.records.secrets import Secrets

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "text": {"type": ["string", "null"]},
        "count": {"type": ["integer", "null"]},
        "amount": {"type": ["number", "null"]},
        "flag": {"type": ["boolean", "null"]},
        "day": {"type": ["string", "null"], "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "code": {"type": ["string", "integer", "null"]},
        "free": {"type": ["object", "null"]},
        "tags": {"type": ["array", "null"], "items": {"type": "string"}},
        "nested": {
            "type": ["object", "null"],
            "properties": {
                "id": {"type": "string"},
                "parts": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"n": {"type": ["number", "null"]}}},
                },
            },
        },
        UNMAPPED: UNMAPPED_SCHEMA,
    },
}


logger = logging.getLogger("test")
quiet = logging.getLogger("quiet")
quiet.disabled = True


encoder = msgspec.json.Encoder(decimal_format="number")


def codec(schema=SCHEMA, *, typed=True, rejected=None, logger=logger, utc=False):
    conformer = Conformer(schema, unmapped=UNMAPPED, utc=utc, secrets=Secrets((), logger), logger=logger)
    reject = pytest.fail if rejected is None else rejected.append
    return Codec("things", schema, ("id",), typed=typed, conformer=conformer, reject=reject)


def post_process(record):
    return record


def written(records):
    """Records as they are written, with exact numbers and their fields in order."""
    return [json.loads(encoder.encode(record), parse_float=Decimal) for record in records]


def ways(schema, **more):
    """Decoders of a list of JSON texts: the careful one, and all that must agree with it."""
    careful, first, second = (codec(schema, logger=quiet, **more) for _ in range(3))
    dicts = codec(schema, typed=False, logger=quiet, **more)

    def way(codec, process, **kwargs):
        return lambda texts: written(
            codec.decode([msgspec.Raw(text.encode()) for text in texts], process, {}, **kwargs)
        )

    def decoded(texts):
        return written(
            codec(schema, logger=quiet, **more).decode(
                [jsonpath.decode(msgspec.Raw(t.encode())) for t in texts], None, {}
            )
        )

    return way(careful, None, typed=False), [
        way(first, None),
        way(second, post_process),
        way(dicts, None),
        decoded,
    ]


def through(text, **kwargs):
    """A record's JSON as it comes out of a new codec."""
    (record,) = codec(**kwargs).decode([msgspec.Raw(text.encode())], None, {})
    return written([record])[0]
