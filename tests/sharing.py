"""What more than one process needs to share the tests: `pytest -n 2`, with pytest-xdist.

Each process has a database and a database of the broker to itself. All go through the tests in
the order in which one process would: a test with real commits leaves the database emptied, and
may come before no test without.
"""

from itertools import groupby
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings

# So many tests of a file at most are one piece of work: at the end nobody waits long for another.
MOST = 40


def part_brokers(specs):
    parts = urlsplit(settings.BROKER_URL)
    first = int(parts.path.strip("/") or 0)
    for number, spec in enumerate(specs, first):
        spec.env["BROKER_URL"] = urlunsplit(parts._replace(path=f"/{number}"))


def scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 needed by many processes only

    class InOrder(LoadScopeScheduling):
        """Hands out piece after piece, each tests of one file that follow one another."""

        def schedule(self):
            if self.collection is None:
                self.pieces = pieces_of(next(iter(self.registered_collections.values())))
            super().schedule()

        def _split_scope(self, nodeid):
            return self.pieces[nodeid]

    config.option.loadscopereorder = False
    return InOrder(config, log)


def pieces_of(collection):
    """Return the name of its piece for each test."""
    pieces = {}
    following = groupby(collection, key=lambda nodeid: nodeid.partition("::")[0])
    for run, (file, tests) in enumerate(following):
        for number, test in enumerate(tests):
            pieces[test] = f"{file} {run}.{number // MOST}"
    return pieces
