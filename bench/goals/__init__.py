"""Each module measures some goals: `cases` says what to ask of the workers, `findings` judges."""

from bench.goals import board, lists, nights, pages, planning, readings, start, writes

GOALS = {
    "nights": nights,
    "readings": readings,
    "lists": lists,
    "pages": pages,
    "writes": writes,
    "board": board,
    "planning": planning,
    "start": start,
}
