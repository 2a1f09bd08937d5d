"""Two people who do something at the same moment."""

import threading

from django.db import connection


def at_once(*works):
    """Do them at the same moment; return what each raised, or None where it went through."""
    barrier, found = threading.Barrier(len(works)), [None] * len(works)

    def run(place, work):
        barrier.wait(10)
        try:
            work()
        except Exception as error:  # noqa: BLE001 every error is looked at
            found[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found
