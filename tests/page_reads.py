"""Lists behind a function from place and size to an answer, and what reading them costs."""

from __future__ import annotations

import json
from itertools import count, islice

from tap_core.errors import ApiError
from tap_core.paging.evidence import Evidence
from tap_core.paging.offset import Offset
from tap_core.paging.page import Page
from tap_core.records import jsonpath
from tap_core.records.keys import key_reader

FAR = 2**31 - 1
"""A place behind the end, where is looked only to see whether the server heeds places."""


def page_of(body):
    return Page(jsonpath.parse(json.dumps(body).encode()), "$.items[*]", key_reader(["id"]))


class Read:
    """A list that was read to its end, or until it was called broken.

    Attributes:
        rows: Those that came, in their order.
        asked: Place or number, and size, of each request.
        ahead: After each answer, up to three requests that may be sent before their turn.
        looks: Requests whose answer is no page of the list.
        failure: Why the list can't be read.
    """

    def __init__(self, paginator, answer):
        self.rows, self.asked, self.ahead, self.looks, self.failure = [], [], [], [], ""
        try:
            while not paginator.finished:
                self._turn(paginator, answer)
        except ApiError as failure:
            self.failure = str(failure)
        self.proofs = paginator.proofs

    def _turn(self, paginator, answer):
        assert len(self.asked) < 150, "a loop"
        self.asked.append(tuple(paginator.current_value.values()))
        if paginator.probing:
            self.looks.append(self.asked[-1])
        try:
            body = answer(*self.asked[-1])
        except ApiError as error:
            paginator.fail(error)
            return
        page = page_of(body)
        self.rows += [jsonpath.decode(raw)["id"] for raw in paginator.take(page)]
        self.ahead.append([tuple(query.values()) for query in islice(paginator.upcoming(), 3)])
        page.release()


def items(ids, **envelope):
    return {"items": [{"id": number} for number in ids], **envelope}


def offset(*, careful=False, bounded=False, evidence=None, order=None):
    paginator = Offset(size=10, total="$.total", order=order)
    paginator.careful, paginator.bounded = careful, bounded
    paginator.evidence = evidence or Evidence()
    return paginator


def by_offset(rows, *, cap=10**6, **envelope):
    return lambda start, size: items(rows[start : start + min(size, cap)], **envelope)


def by_number(rows, *, own=None, cap=10**6, **envelope):
    def answer(page, size):
        size = own or min(size, cap)
        return items(rows[(page - 1) * size :][:size], **envelope)

    return answer


def changing(rows, answers, changes):
    """The same list, which changes in place before some of the requests."""
    number = count(1)

    def answer(*query):
        changes.get(next(number), lambda rows: None)(rows)
        return answers(rows)(*query)

    return answer
