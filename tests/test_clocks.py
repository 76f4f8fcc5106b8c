"""No test asserts how long something took: it would fail on a busy machine."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ASSERTED = re.compile(
    r"^ *assert\b.*\b(monotonic|perf_counter|process_time|time\.time)(_ns)?\(", re.MULTILINE
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("    assert time.monotonic() - began < 5\n", True),
        ("    assert 0 < perf_counter() - began\n", True),
        ("    while time.monotonic() < end:\n", False),
        ("    assert limiter.time == 3\n", False),
    ],
)
def test_K04_an_asserted_clock_is_found(text, found):
    assert bool(ASSERTED.search(text)) is found


def test_K04_no_test_asserts_a_clock():
    paths = [path for path in TESTS.rglob("*.py") if path.name != Path(__file__).name]
    assert paths
    assert [path.name for path in paths if ASSERTED.search(path.read_text(encoding="utf-8"))] == []
