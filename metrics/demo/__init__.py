"""The demo company: a year of its history, made up from a seed, the same on every machine.

    story.py     what happens to each customer, and when it becomes known
    customers.py the kinds of customers, and how their seats develop
    teller.py    the facts of one customer
    names.py     invented names
    people.py    who works there and signs in
    load.py      writes what is known by a moment
    nights.py    computes the runs of the nights gone by

`load` and `nights` take up where they were left, so a second call only adds what has happened
since.
"""
