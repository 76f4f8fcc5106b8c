"""What loaders other than the project's own make of rows that are gone: the table in docs/targets.md."""

from __future__ import annotations

import pytest

from in_process import call, select
from json_api import JsonApi, cut
from tap_rewards.tap import TapRewards

CLAIMS = {"emit_activate_version_messages": True, "concurrency": 1}


class Campaigns:
    """A list that is read whole; from some request on the server refuses the key."""

    def __init__(self, *numbers, until=10**6):
        self.rows, self.until = [{"id": f"c{number:03}"} for number in numbers], until

    def __call__(self, path, query):
        self.until -= 1
        return {"campaigns": cut(self.rows, query)} if self.until >= 0 else (401, {})


def load(loader, folder, handle, state=None):
    """Read and load; gives STATE."""
    with JsonApi(handle) as api:
        chosen = select(TapRewards, "campaigns")
        output = call(TapRewards, folder, url=api.url, catalog=chosen, state=state, page_size=10, **CLAIMS)
    process = loader.load(output.text)
    assert process.returncode == 0, process.stderr
    return output.state


def alive(loader):
    """The numbers of the rows that are there, and of those that are marked."""
    there, gone = set(), set()
    for row in loader.read("campaigns"):
        (gone if row.get("_sdc_deleted_at") else there).add(int(row["id"][1:]))
    return there, gone


@pytest.mark.long
@pytest.mark.parametrize("hard", [False, True])
def test_target_postgres(target, tmp_path, hard):
    """Marked or removed after a whole read, one that was interrupted too, and alive when they come back."""
    loader = target("target-postgres")
    loader.more = {"hard_delete": hard}
    state = load(loader, tmp_path, Campaigns(*range(30)))
    state = load(loader, tmp_path, Campaigns(*range(1, 30), until=2), state)
    assert alive(loader) == ({*range(30)}, set())
    state = load(loader, tmp_path, Campaigns(*range(1, 30)), state)
    assert alive(loader) == ({*range(1, 30)}, set() if hard else {0})
    if not hard:
        load(loader, tmp_path, Campaigns(*range(29)), state)
        assert alive(loader) == ({*range(29)}, {29})


@pytest.mark.parametrize("name", ["target-jsonl", "target-csv"])
def test_others_pass_over_it(target, tmp_path, name):
    loader = target(name)
    load(loader, tmp_path, Campaigns(1, 2, 3))
    assert {row["id"] for row in loader.read("campaigns")} == {"c001", "c002", "c003"}
