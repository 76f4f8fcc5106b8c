"""`python -m target_duckdb_exact`, the same as the command `target-duckdb-exact`."""

from __future__ import annotations

from target_duckdb_exact.target import TargetDuckDB

TargetDuckDB.cli()
