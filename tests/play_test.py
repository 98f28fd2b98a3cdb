#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`serve --play`: a scenario into an empty data folder, once, marked; what cannot be shown is told."""
import pathlib
import subprocess
import tempfile

import live
from live import WHYDOWN, check

CONFIG = """
listen: ["127.0.0.1:0"]
services_from: []
services:
  - {id: cafe, name: Cafe}
"""
SCENARIO = """title Two shops
begins 2025-05-05 00:00 UTC
lasts 2 hours
seed 5

service cafe
  usually 5 reports a minute

service elsewhere
  usually 5 reports a minute

services 3 named quiet
  usually 1 to 2 reports a minute
"""


class Played(live.Server):
    """As from the shell: with --play FILE."""

    def __init__(self, folder, scenario):
        self.folder, self.connection = folder, None
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen([WHYDOWN, "serve", "--config", folder / "whydown.yaml", "--data", folder / "data",
                                         "--play", scenario], stderr=self.log)
        self.connect()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "whydown.yaml").write_text(CONFIG)
        scenario = folder / "two.scenario"
        scenario.write_text(SCENARIO)
        server = Played(folder, scenario)
        said = [line for line in server.said().splitlines() if "event=play_unknown_service" in line]
        check("services that the configuration does not name are told", len(said) == 2 and
              "service=elsewhere " in said[0] and "service=quiet-001 " in said[1], server.said())
        check("what it names is played, and marked", "Reconstruction" in server.get("/s/cafe"), server.get("/s/cafe"))
        check("it stops in good order", server.stop() == 0, server.said())
        server = Played(folder, scenario)
        check("a folder that was used is left alone, and that is told", "event=play_skipped" in server.said() and
              "play_unknown_service" not in server.said(), server.said())
        check("… and it stops in good order", server.stop() == 0, server.said())
    return 1 if live.failures else 0


raise SystemExit(main())
