"""What is gone, and what the token may not read."""

from __future__ import annotations

import pytest

from promotions.truth import CHILDREN, PARENTS, V2, assert_all, expected, settings
from support import command, run
from tap_core.errors import ApiError
from tap_promotions.tap import TapPromotions


def test_promotions_deleted_while_their_children_are_read(small):
    gone = {str(row["id"]) for row in small.data["promotions"]["promotions"][2:5]}
    for parent in gone:
        small.fault("status", path=rf"{V2}/[\w/]+/{parent}$", status=404)
    output = run(TapPromotions, settings(small))
    output.check()
    assert_all(output, small, PARENTS)
    for stream in CHILDREN:
        truth = {key: row for key, row in expected(small, stream).items() if row["promotion_id"] not in gone}
        assert output.rows(stream) == truth


def test_no_promotion_has_a_ranking(small, caplog):
    small.fault("status", path=f"{V2}/ranking", status=404)
    output = run(TapPromotions, settings(small))
    assert_all(output, small, [name for name in (*PARENTS, *CHILDREN) if name != "rankings"])
    assert caplog.text.count("rankings: this account or server has no such list (404)") == 1


def test_a_path_that_no_promotion_has_is_a_failure(small):
    small.fault("status", path=f"{V2}/stages", status=404)
    with pytest.raises(ApiError, match=r"stages: 20 of 20 parents were gone.*check api_url"):
        run(TapPromotions, settings(small))


def test_lists_that_the_token_may_not_read(small, caplog):
    """A refusal under the first promotions says nothing of the others."""
    refused = [str(row["id"]) for row in small.data["promotions"]["promotions"][:4]]
    for parent in refused:
        small.fault("status", path=f"{V2}/(ranking|users)/{parent}$", status=403)
    with pytest.raises(ApiError, match="partly read: users"):
        run(TapPromotions, settings(small))
    output = run(TapPromotions, settings(small, allow_skipped_streams=True))
    assert "allow_skipped_streams is now called allow_partial" in caplog.text
    output.check()
    for stream in CHILDREN:
        truth = expected(small, stream)
        if stream in {"rankings", "users"}:
            truth = {key: row for key, row in truth.items() if row["promotion_id"] not in refused}
        assert output.rows(stream) == truth
    for parent in refused:
        assert f"bearer_token may not read {V2}/users/{parent} (403)" in caplog.text
    assert "partly read: users" in caplog.text


@pytest.mark.parametrize("status", [401, 403])
def test_a_bad_token_is_fatal_and_not_shown(small, tmp_path, status):
    small.fault("status", status=status)
    token = "eyJ.canary-token"
    config = {**settings(small), "bearer_token": token}
    result = command("tap_promotions", config=config, folder=tmp_path)
    assert result.returncode == 1
    assert "bearer_token" in result.stderr
    assert token not in result.stdout + result.stderr
    assert len(small.requests) <= 2  # none is tried again


def test_how_many_promotions_have_no_ranking_is_told(small, caplog):
    for row in small.data["promotions"]["promotions"][:3]:
        small.fault("status", path=f"{V2}/ranking/{row['id']}$", status=404)
    run(TapPromotions, settings(small))
    assert "rankings: 3 of 20 parents have no list of them" in caplog.text
