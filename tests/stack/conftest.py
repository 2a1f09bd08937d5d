import os

import pytest


@pytest.fixture
def open_path(tmp_path):
    """Return `tmp_path`, open to the user that root hands PostgreSQL to; pytest closes its own."""
    # One of several processes has its folders inside the folder of all.
    depth = 3 if "PYTEST_XDIST_WORKER" in os.environ else 2
    for folder in (tmp_path, *tmp_path.parents[:depth]):
        folder.chmod(0o755)
    return tmp_path
