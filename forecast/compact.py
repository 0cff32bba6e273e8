"""The tables that a run keeps: copies, or above 20 MB distinct rows, ids and hashes."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from forecast.arrays import Evidence
from forecast.evidence import KEPT_HASHES, LONG, Tables
from forecast.folder import copy_evidence, write_json
from models.structure import COLUMNS, FIRST_YEAR

MOST_BYTES = 20_000_000
"""Size of all tables together above which the long ones are not copied."""


def table_files(folder: Path) -> list[Path]:
    """Return the files of a folder of tables."""
    return sorted((*folder.glob("*.csv"), *folder.glob("*.parquet")))


def keep_evidence(tables: Tables, evidence: Evidence, *, target: Path) -> None:
    """Copy the tables used into the run.

    Above :data:`MOST_BYTES` the long ones are left out: ``rating_rows.parquet`` holds the distinct
    rows with their counts, ``work_ids.parquet`` each work's row, and ``hashes.json`` size and
    SHA-256 of every file that was read.
    """
    files = table_files(tables.folder)
    if sum(file.stat().st_size for file in files) <= MOST_BYTES:
        copy_evidence(tables.folder, target)
        return
    target.mkdir()
    for file in files:
        if file.stem not in LONG:
            shutil.copyfile(file, target / file.name)
    pq.write_table(distinct_rows(evidence), target / "rating_rows.parquet")
    ids = {"work": pa.array(evidence.works, pa.large_string())}
    ids |= {"row": pa.array(evidence.row_of_work, pa.int32())}
    pq.write_table(pa.table(ids), target / "work_ids.parquet")
    write_json(target / KEPT_HASHES, {file.name: _told(file) for file in files})


def _told(file: Path) -> dict[str, Any]:
    with file.open("rb") as source:
        return {
            "bytes": file.stat().st_size,
            "sha256": hashlib.file_digest(source, "sha256").hexdigest(),
        }


def distinct_rows(evidence: Evidence) -> pa.Table:
    """Return the distinct rows: agenda, year, selection, count, and the code of each answer."""
    rows, cells, labels = evidence.arrays["ratings"], evidence.arrays["cells"], evidence.labels
    n = len(evidence.ids["ratings"])
    at = rows["cell"][:n]
    out: dict[str, Any] = {
        "agenda": pa.array(labels["agenda"]).take(pa.array(cells["agenda"][at])),
        "year": pa.array(cells["year"][at] + FIRST_YEAR, pa.int32()),
        "selection": pa.array(["sampled", "purposive"]).take(pa.array(cells["purposive"][at])),
        "works": pa.array(rows["weight"][:n].astype(int), pa.int32()),
    }
    columns = ("level", *COLUMNS, "capabilities_whose", "alignment_whose")
    names = [f"{column}/{rater}" for column in columns for rater in labels["rater"]]
    codes = zip(names, rows["value"][:n].T, strict=True)
    return pa.table(out | {name: pa.array(x, pa.int8()) for name, x in codes})
