"""The lines of docs/large_data.md run."""

import re
from pathlib import Path
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest

distributed = pytest.importorskip("distributed", reason="needs the extra 'dask'")
pytest.importorskip("dask.dataframe", reason="needs the extra 'dask'")

PAGE = Path(__file__).parents[2] / "docs" / "large_data.md"


def test_lines_of_the_page_run(client, tmp_path):
    text = PAGE.read_text(encoding="utf-8")
    lines = dedent(re.search(r"\n\n((?:    .*\n|\n)+)", text)[1])
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"size": rng.normal(size=200), "color": rng.choice(["red", "blue"], 200)})
    rows.assign(label=rows["size"] > 0).to_parquet(tmp_path / "rows.parquet")
    lines = lines.replace("s3://bucket/rows/", str(tmp_path))
    assert 'Client("tcp://scheduler:8786")' in lines
    names = {"Client": lambda address: client}
    with client.as_current():
        exec(lines.replace("from distributed import Client\n", ""), names)
    assert type(names["net"]).__name__ == "DistanceNetClassifier"
    assert names["net"].score(rows, rows["size"] > 0) > 0.9
