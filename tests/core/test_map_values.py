"""What expressions of stream maps make: under a SCHEMA that is true, with keys, or refused in words."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from in_process import call, said, select
from json_api import JsonApi, cut, numbered
from tap_billing.tap import TapBilling
from tap_core.expressions import schema_of
from tap_rewards.tap import TapRewards

ORDERS = [
    {
        "id": "a",
        "created_at": "2026-01-01T00:00:00Z",
        "status": "X",
        "payment": {"total": 1.1, "subtotal": 5, "currency_code": "é"},
    },
    {"id": "b", "created_at": "2026-01-02T00:00:00Z", "status": None, "payment": {"total": 2}},
]
SUBSCRIPTIONS = [
    {
        "id": 7,
        "state": "active",
        "created_at": "2026-01-01T00:00:00Z",
        "balance_in_cents": 150,
        "product": {"id": 3, "name": "p"},
    },
    {"id": 8, "state": None, "created_at": None, "balance_in_cents": None, "product": {"id": 4}},
]


def rewards():
    return JsonApi(
        lambda path, query: (
            {"orders": cut(ORDERS, query), "total_count": 2} if path.endswith("/orders") else (404, {})
        )
    )


def billing():
    return JsonApi(
        lambda path, query: (
            numbered([{"subscription": row} for row in SUBSCRIPTIONS], query)
            if path == "/subscriptions.json"
            else (404, {})
        )
    )


def mapped(folder, tap, rules, **config):
    """What a map of orders, or of subscriptions, makes; every record is valid."""
    stream = "orders" if tap is TapRewards else "subscriptions"
    with rewards() if tap is TapRewards else billing() as api:
        maps = {stream: rules}
        output = call(
            tap, folder, url=api.url, catalog=select(tap, stream), stream_maps=maps, concurrency=1, **config
        )
        output.requests = len(api.paths)
    output.check()
    output.rows_read = output.records.get(stream, [])
    return output


def column(output, name):
    """The types of a column, null aside, and its values."""
    ((schema, *_),) = output.schemas.values()
    field = schema["schema"]["properties"][name]
    return [word for word in field["type"] if word != "null"], [row[name] for row in output.rows_read]


# Types


@pytest.mark.parametrize(
    ("tap", "expression", "types", "values"),
    [
        (TapRewards, "payment['total']", ["number"], [Decimal("1.1"), 2]),
        (TapRewards, "payment.get('total')", ["number"], [Decimal("1.1"), 2]),
        (TapRewards, "payment.total", ["number"], [Decimal("1.1"), 2]),
        (TapRewards, "_['payment'].get('subtotal', 0)", ["number"], [5, 0]),
        (TapRewards, "record['payment']['total']", ["number"], [Decimal("1.1"), 2]),
        (TapRewards, "payment['total'] * 100", ["number"], [110, 200]),
        (TapRewards, "payment['total'] if status else None", ["number"], [Decimal("1.1"), None]),
        (TapRewards, "payment['total'] > 1.5", ["boolean"], [False, True]),
        (TapRewards, "payment.get('currency_code', '')", ["string"], ["é", ""]),
        (TapRewards, "7", ["integer"], [7, 7]),
        (TapRewards, "[payment['total']]", ["string"], ["[1.1]", "[2]"]),
        (TapRewards, "[]", ["string"], ["[]", "[]"]),
        (TapRewards, "(1, 'x')[0]", ["string"], ["1", "1"]),
        (TapRewards, "bool(status) or []", ["string"], ["true", "[]"]),
        (TapRewards, "created_at", ["string"], ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]),
        (TapRewards, "created_at[:10]", ["string"], ["2026-01-01", "2026-01-02"]),
        (TapBilling, "product['id']", ["integer"], [3, 4]),
        (TapBilling, "product['id'] / 2", ["number"], [1.5, 2]),
        (TapBilling, "-product['id']", ["integer"], [-3, -4]),
        (TapBilling, "str(product['id']) + '!'", ["string"], ["3!", "4!"]),
        (TapBilling, "'p-' + str(id)", ["string"], ["p-7", "p-8"]),
        (TapBilling, "int(id) / 2", ["number"], [3.5, 4]),
        (TapBilling, "float(id)", ["number"], [7, 8]),
        (TapBilling, "str(id)", ["string"], ["7", "8"]),
        (TapBilling, "max", ["string"], None),
        (TapBilling, "datetime.date(2026, 1, 31).strftime('%Y')", ["string"], ["2026"] * 2),
        (TapBilling, "datetime.date(2026, 1, 31)", ["string"], ["2026-01-31"] * 2),
        (TapBilling, "datetime.datetime(2026, 1, 31)", ["string"], ["2026-01-31T00:00:00Z"] * 2),
    ],
)
def test_what_an_expression_makes_is_what_schema_says(tmp_path, tap, expression, types, values):
    output = mapped(tmp_path, tap, {"made": expression})
    if values is None:
        assert output.code == 1
        return
    assert output.code == 0, output.log
    assert column(output, "made") == (types, values)


def test_a_nested_object_goes_on_being_one(tmp_path):
    output = mapped(tmp_path, TapBilling, {"made": "product", "product": None})
    assert column(output, "made")[0] == ["object"]
    assert [row["made"]["id"] for row in output.rows_read] == [3, 4]


@pytest.mark.parametrize(
    ("tap", "rules", "types"),
    [
        (TapRewards, {"id": "'o-' + id"}, ["string"]),
        (TapBilling, {"id": "'s-' + str(id)"}, ["string"]),
        (TapBilling, {"id": "id * 10"}, ["integer"]),
    ],
)
def test_a_key_that_is_made_of_the_key(tmp_path, tap, rules, types):
    output = mapped(tmp_path, tap, rules)
    assert output.code == 0, output.log
    assert column(output, "id")[0] == types
    assert len(output.rows_read) == 2


@pytest.mark.parametrize("tap", [TapRewards, TapBilling])
def test_a_day_made_of_a_moment_in_its_own_column_is_a_moment(tmp_path, tap):
    output = mapped(tmp_path, tap, {"created_at": "created_at[:10] if created_at else None"})
    assert output.code == 0, output.log
    assert output.rows_read[0]["created_at"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("tap", "name", "expression"),
    [(TapRewards, "created_at", "self[:7]"), (TapBilling, "balance_in_cents", "['x'][0]")],
)
def test_a_value_that_its_column_has_no_place_for_is_kept(tmp_path, tap, name, expression):
    output = mapped(tmp_path, tap, {name: f"{expression} if {name} else None"})
    assert output.code == 0, output.log
    assert output.rows_read[0][name] is None
    assert output.rows_read[0]["_sdc_unmapped"] == {name: "2026-01" if tap is TapRewards else "x"}
    assert f"Field `{name}` does not fit its type; kept in _sdc_unmapped" in output.log


def test_nested_numbers_under_flattening(tmp_path):
    more = {"flattening_enabled": True, "flattening_max_depth": 2}
    output = mapped(tmp_path, TapRewards, {"made": "payment['total']"}, **more)
    assert output.code == 0, output.log
    assert column(output, "made") == (["number"], [Decimal("1.1"), 2])


def test_an_expression_too_long_to_look_through_has_no_type():
    assert schema_of("+".join(["a"] * 5000), {"a": {"type": "integer"}}) in (None, {"type": ["integer"]})


@pytest.mark.parametrize(
    ("tap", "rules", "types", "values"),
    [
        (TapRewards, {"payment": None, "made": "payment['total']"}, ["number"], [Decimal("1.1"), 2]),
        (TapRewards, {"status": "1", "made": "status"}, ["string"], ["X", None]),
        (TapBilling, {"product": None, "made": "product['id']"}, ["integer"], [3, 4]),
        (TapBilling, {"id": None, "made": "id", "__key_properties__": ["made"]}, ["integer"], [7, 8]),
        (TapBilling, {"id": "str(id)", "made": "id"}, ["integer"], [7, 8]),
    ],
)
def test_J_the_order_of_the_rules_does_not_matter(tmp_path, tap, rules, types, values):
    for given in (rules, dict(reversed(rules.items()))):
        output = mapped(tmp_path, tap, given)
        assert output.code == 0, output.log
        assert column(output, "made") == (types, values)


# Keys


@pytest.mark.parametrize("tap", [TapRewards, TapBilling])
@pytest.mark.parametrize("rules", [{"id": "None"}, {"id": "''"}])
def test_a_row_that_a_map_leaves_without_its_key_is_named(tmp_path, tap, rules):
    output = mapped(tmp_path, tap, rules)
    assert output.code == 2  # the list itself was read, to its end
    assert not output.rows_read
    stream = "orders" if tap is TapRewards else "subscriptions"
    sentence = f"stream_maps: {stream}: the map leaves a record without its key `id`; it can't be loaded"
    *lines, last = said(output)
    assert lines == [f"{stream}: {sentence}"] * 2
    assert last == f"partly read: {stream}"
    (summary,) = (line for line in output.log.splitlines() if "; failed: " in line)
    assert summary.count(sentence) == 1


@pytest.mark.parametrize(("tap", "key"), [(TapRewards, "created_at"), (TapBilling, "updated_at")])
def test_schema_names_no_bookmark_that_a_map_takes_away(tmp_path, tap, key):
    for rules, named in (({key: None}, []), ({"made": "1"}, [key])):
        output = mapped(tmp_path, tap, rules)
        (schemas,) = output.schemas.values()
        assert schemas[0].get("bookmark_properties", []) == named


@pytest.mark.parametrize(("tap", "key"), [(TapRewards, "status"), (TapBilling, "state")])
def test_a_row_without_another_key_is_named_and_others_are_written(tmp_path, tap, key):
    output = mapped(tmp_path, tap, {"__key_properties__": [key]})
    assert output.code == 2
    assert len(output.rows_read) == 1
    assert f"without its key `{key}`" in said(output)[0]


@pytest.mark.parametrize("tap", [TapRewards, TapBilling])
@pytest.mark.parametrize("keys", [None, []])
def test_a_stream_without_keys_says_so(tmp_path, tap, keys):
    """Targets ask for the member `key_properties` of each SCHEMA."""
    output = mapped(tmp_path, tap, {"__key_properties__": keys})
    assert output.code == 0, output.log
    assert [schema["key_properties"] for (schema, *_) in output.schemas.values()] == [[]]
    assert len(output.rows_read) == 2


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ({"__key_properties__": ["id", "id"]}, "`id` is in it twice"),
        ({"__key_properties__": ["_sdc_unmapped"]}, "`_sdc_unmapped` is an object or a list, and no key"),
        ({"id": "_sdc_unmapped"}, "`id` is an object or a list, and no key"),
        (
            {"made": "_sdc_unmapped", "__key_properties__": ["made"]},
            "`made` is an object or a list, and no key",
        ),
    ],
)
@pytest.mark.parametrize(("tap", "stream"), [(TapRewards, "orders"), (TapBilling, "subscriptions")])
def test_a_key_that_the_catalog_can_t_have_is_refused_in_a_map(tmp_path, tap, stream, rules, problem):
    output = mapped(tmp_path, tap, rules)
    assert (output.code, output.requests) == (1, 0)
    assert said(output) == [f"stream_maps: {stream}: `__key_properties__`: {problem}"]


@pytest.mark.parametrize(("tap", "name"), [(TapRewards, "payment"), (TapBilling, "product")])
def test_a_key_that_flattening_takes_apart_is_refused(tmp_path, tap, name):
    more = {"flattening_enabled": True, "flattening_max_depth": 1}
    output = mapped(tmp_path, tap, {"__key_properties__": [name]}, **more)
    assert (output.code, output.requests) == (1, 0)
    assert f"`__key_properties__`: `{name}` is no " in said(output)[0]


@pytest.mark.parametrize("tap", [TapRewards, TapBilling])
def test_a_column_whose_name_begins_like_a_word_is_one_as_any_other(tmp_path, tap):
    output = mapped(tmp_path, tap, {"__made": "[id]"})
    assert column(output, "__made")[0] == ["string"]
    assert [json.loads(value) for value in column(output, "__made")[1]] == [
        [row["id"]] for row in (ORDERS if tap is TapRewards else SUBSCRIPTIONS)
    ]


# What fails


@pytest.mark.parametrize(("tap", "name"), [(TapRewards, "status"), (TapBilling, "state")])
def test_fake_without_faker_is_refused_before_any_request(tmp_path, tap, name):
    output = mapped(tmp_path, tap, {name: "fake.name()"})
    assert output.code == 1
    assert output.requests == 0
    (line,) = said(output)
    assert f"`{name}` uses `fake`" in line
    assert "pip install faker" in line


def test_json_dumps_writes_numbers_digit_by_digit(tmp_path):
    output = mapped(tmp_path, TapRewards, {"a": "json.dumps(payment)", "b": "json.dumps(record, indent=1)"})
    assert output.code == 0, output.log
    assert output.rows_read[0]["a"].startswith('{"subtotal": 5, "total": 1.1, "currency_code": "\\u00e9"')
    whole = json.loads(output.rows_read[0]["b"], parse_float=Decimal)
    assert whole["payment"]["total"] == Decimal("1.1")


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("config['api_url']", "`config` is stream_map_config, which has no `api_url` but x"),
        ("payment['nope']", "(KeyError): let it allow for fields that are null or missing"),
        ("status.lower()", "let it allow for fields that are null or missing"),
        ("status + 'x'", "(TypeError): let it allow for fields that are null or missing"),
        ("id + 1", '(TypeError): can only concatenate str (not "int") to str'),
        ("int(id)", "(ValueError): invalid literal for int() with base"),
        ("id / 2", "(TypeError): unsupported operand type(s) for /: 'str' and 'int'"),
        ("1 / 0", "(ZeroDivisionError): division by zero"),
        ("[1][5]", "(IndexError): list index out of range"),
        ("10 ** 10 ** 10", "(NumberTooHigh): its value would be too large"),
        ("payment['total'] / 0.0", "(TypeError): unsupported operand type(s) for /: 'decimal.Decimal'"),
        ("payment['total'] / 0", "(DivisionByZero): let it allow for all values that come"),
        ("datetime.datetime.strptime(id, '%Y')", "(ValueError): time data"),
        ("'x'.encode(id + '-nowhere')", "(LookupError): let it allow for all values that come"),
    ],
)
def test_the_advice_fits_what_failed(tmp_path, expression, words):
    output = mapped(tmp_path, TapRewards, {"made": expression}, stream_map_config={"x": 1})
    assert output.code == 1
    assert words in said(output)[0]
    assert "'a'" not in output.log
    assert "a-nowhere" not in output.log
