"""The Chromium of this machine, started the same way for tests and for pictures."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable():
    return next(filter(None, map(shutil.which, NAMES)), None)


def launch(playwright):
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    return playwright.chromium.launch(executable_path=executable(), args=[*FLAGS, *sandbox])
