"""The SDK's own tests of a target, those included that it leaves out by default."""

from __future__ import annotations

import pytest
from singer_sdk.testing import get_target_test_class
from singer_sdk.testing.suites import SingerTestSuite
from singer_sdk.testing.target_tests import TargetRecordMissingKeyProperty

from target_duckdb_exact.target import TargetDuckDB

CONFIG = {"filepath": ""}


@pytest.fixture(autouse=True)
def a_file_of_its_own(tmp_path):
    CONFIG["filepath"] = str(tmp_path / "suite.duckdb")


TestTarget = get_target_test_class(
    target_class=TargetDuckDB,
    config=CONFIG,
    custom_suites=[SingerTestSuite(kind="target", tests=[TargetRecordMissingKeyProperty])],
)
