"""The DAGs, for tests."""

from __future__ import annotations

import shutil
from pathlib import Path

DAG = Path(__file__).parents[2] / "orchestrate" / "dags" / "tap_suite.py"


def impatient(folder):
    """The DAGs in a folder, made to try again at once: mapped tasks heed no setting for that."""
    patient = '"retry_delay": timedelta(minutes=5)'
    text = DAG.read_text(encoding="utf-8")
    assert patient in text
    folder.mkdir()
    (folder / DAG.name).write_text(
        text.replace(patient, '"retry_delay": timedelta(seconds=1)'), encoding="utf-8"
    )
    shutil.copy(DAG.with_name("pools.json"), folder)
    return folder
