"""A Singer target for DuckDB: exact types, deletes and history, loaded in columns."""
