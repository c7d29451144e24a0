"""A fixture that writes files to a folder of their own."""

import pytest


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes a file to a folder of its own and returns its name."""
    monkeypatch.chdir(tmp_path)

    def write_file(content, name="a.csv", encoding="utf-8"):
        if isinstance(content, str):
            content = content.encode(encoding)
        (tmp_path / name).write_bytes(content)
        return name

    return write_file
