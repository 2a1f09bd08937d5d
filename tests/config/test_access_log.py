"""The web server's own log, were it turned on."""

import datetime as dt
from types import SimpleNamespace

from gunicorn.config import Config

from config.lib.access_log import MaskedLogger

TOKEN = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-AbCdE"


def test_a_line_holds_no_link_of_a_customer():
    path = f"/s/{TOKEN}/"
    environ = {
        "REMOTE_ADDR": "192.0.2.7", "REQUEST_METHOD": "POST", "RAW_URI": path,
        "SERVER_PROTOCOL": "HTTP/1.1", "PATH_INFO": path, "QUERY_STRING": "",
        "HTTP_REFERER": f"https://keel.example{path}", "HTTP_USER_AGENT": "Firefox",
    }  # fmt: skip
    request = SimpleNamespace(headers=[("REFERER", f"https://keel.example{path}")])
    answer = SimpleNamespace(status="303 See Other", sent=0, headers=[("Location", "/s/receipt/")])

    atoms = MaskedLogger(Config()).atoms(answer, request, environ, dt.timedelta(seconds=1))

    assert atoms["r"] == "POST /s/[withheld]/ HTTP/1.1"
    assert atoms["h"] == "192.0.2.7"
    assert TOKEN not in str(atoms)
    assert atoms["{location}o"] == "/s/receipt/"
