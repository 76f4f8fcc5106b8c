"""The same work with dlt's `rest_api` source; with a concurrency above 1, children are fetched in parallel.

    python dlt_pipeline.py extract|merge|parquet URL KEY CONCURRENCY FOLDER

`extract` ends before dlt normalizes and loads. `merge` and `parquet` load into DuckDB with the write
disposition that keeps one row per id, as a Singer target does: from dlt's own choice of files, and
from parquet files.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlt
from dlt.sources.rest_api import rest_api_source

if TYPE_CHECKING:
    from dlt.extract import DltSource

PAGE = 100
NO_MORE = {"status_code": 404, "action": "ignore"}
"""What the API answers behind the end of a list; attendees have no total that would tell."""


def source(url: str, key: str, *, parallelized: bool) -> DltSource:
    """Events and their attendees."""

    def resource(name: str, path: str, **more: Any) -> dict[str, Any]:
        return {
            "name": name,
            "endpoint": {"path": path, "data_selector": name, "response_actions": [NO_MORE]},
            "primary_key": "id",
            "write_disposition": "merge",
            "parallelized": parallelized,
            **more,
        }

    return rest_api_source(
        {
            "client": {
                "base_url": f"{url}/v1/",
                "auth": {"type": "api_key", "name": "x-api-key", "api_key": key, "location": "header"},
                "paginator": {"type": "offset", "limit": PAGE, "total_path": None},
            },
            "resources": [
                resource("events", "events"),
                resource("attendees", "events/{resources.events.id}/attendees"),
            ],
        }
    )


def main(work: str, url: str, key: str, concurrency: str, folder: str) -> None:
    """Run the pipeline in a folder of its own."""
    os.environ |= {
        "EXTRACT__WORKERS": concurrency,
        "EXTRACT__MAX_PARALLEL_ITEMS": str(4 * int(concurrency)),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "CRITICAL",
    }
    database = Path(folder, "warehouse.duckdb")
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=folder,
        destination=dlt.destinations.duckdb(str(database)),
        dataset_name="bench",
    )
    events = source(url, key, parallelized=int(concurrency) > 1)
    if work == "extract":
        pipeline.extract(events)
    else:
        pipeline.run(events, loader_file_format="parquet" if work == "parquet" else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
