"""First pages behind which nothing comes, as of most lists of children: their keys are not looked at."""

import pytest

from core.test_paginators import List, by_offset, items, offset
from tap_core.errors import ApiError
from tap_core.paging.evidence import ALIKE, Evidence
from tap_core.paging.guard import Guard
from tap_core.records import jsonpath

ROWS = list(range(10))


class Counting(List):
    """A list that counts how many keys were looked at."""

    def __init__(self, answer):
        super().__init__(answer)
        self.looked_at = 0
        self.key_of = self._key_of

    def _key_of(self, record):
        self.looked_at += 1
        return jsonpath.decode(record)["id"]


def ended(evidence, times=ALIKE):
    """The evidence of so many lists of one full page, behind which its last row came alone."""
    for _ in range(times):
        paginator = offset()
        paginator.evidence = evidence
        assert List(by_offset(ROWS)).read(paginator) == ROWS
    return evidence


def behind_the_first(*pages):
    """Answers with a full page, and then with these."""
    answers = iter([items(ROWS), *pages])
    return lambda _: next(answers)


def read(answer, evidence, **options):
    found, paginator = Counting(answer), offset(**options)
    paginator.evidence = evidence
    return found, found.read(paginator)


def test_keys_of_a_page_are_not_looked_at_where_its_last_row_comes_alone_behind_it():
    found, rows = read(by_offset(ROWS), ended(Evidence()))
    assert (rows, found.requests, found.looked_at) == (ROWS, 2, 0)


def test_keys_are_looked_at_until_lists_were_seen_to_end_so():
    found, rows = read(by_offset(ROWS), ended(Evidence(), ALIKE - 1))
    assert rows == ROWS
    assert found.looked_at


@pytest.mark.parametrize("lone", [True, False])
def test_each_page_is_held_against_others_once(monkeypatch, lone):
    """A page that counted twice would make others too many that come again."""
    seen = []

    def has_seen(guard, page):
        seen.append(page.keys[0])
        return False

    monkeypatch.setattr(Guard, "has_seen", has_seen)
    paginator = offset()
    paginator.lone = lone
    assert List(by_offset(list(range(25)))).read(paginator) == list(range(25))
    assert seen == [0, 9, 18]


def test_of_a_list_that_is_the_only_one_keys_are_looked_at():
    paginator, found = offset(), Counting(by_offset(ROWS))
    paginator.evidence, paginator.lone = ended(Evidence()), True
    assert found.read(paginator) == ROWS
    assert found.looked_at


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([items([9, 10, 11]), items([11])], id="more rows"),
        pytest.param([items([10]), items(ROWS), items([9, 10, 11]), items([11])], id="another row"),
        pytest.param(
            [{"items": [{"id": 9, "changed": True}]}, items(ROWS), items([9, 10, 11]), items([11])],
            id="its last row, changed",
        ),
    ],
)
def test_a_list_that_goes_on_is_read_on_whatever_others_have_shown(pages):
    answers = behind_the_first(*pages)
    found, paginator = List(answers), offset()
    paginator.evidence = ended(Evidence())
    try:
        rows = found.read(paginator)
    except StopIteration:
        pytest.fail(f"a request more than there are answers, after {found.requests}")
    assert sorted(set(rows)) == [*ROWS, 10, 11]


def test_a_list_that_says_there_is_more_and_sends_it_not_is_a_failure_whatever_others_have_shown():
    with pytest.raises(ApiError, match="has_more"):
        read(behind_the_first(items([9], has_more=True)), ended(Evidence()))
