"""Starts Keel on one machine: its environment, servers of its own, and the processes on them.

    make demo -> environment.py (bare python3) -> `python -m stack demo` -> launch.py

Real PostgreSQL and Valkey come from two wheels, of which only the programs are used. This package
knows nothing of Django: it starts manage.py, the web server, the worker and beat as processes,
each with its environment.
"""
