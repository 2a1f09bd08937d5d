"""The application's settings, and beside its own addresses the stock ones it is compared with."""

import os

from config.lib.rates import Rate
from config.settings import *
from config.settings import BROKER_URL, LOGGING, RATES

ROOT_URLCONF = "bench.stock.urls"
# Requests are counted as in production, in Valkey, but nobody is sent away.
API_RATES = dict.fromkeys(RATES, Rate(100_000_000, 60))
API_RATES_STORAGE = BROKER_URL if os.environ.get("BROKER_URL") else "memory://"
# Lines of the log are written as in production, to where nobody reads them.
LOGGING["handlers"]["stderr"] = {
    "class": "logging.FileHandler",
    "filename": os.devnull,
    "formatter": "line",
}
