#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`serve --play`: a scenario into an empty data folder, once, marked; what cannot be shown is told. What a
reconstruction is made from stands beside its incident, also after a restart and from a feeder's recording."""
import json
import pathlib
import re
import subprocess
import tempfile

import live
from live import WHYDOWN, check

CONFIG = """
listen: ["127.0.0.1:0"]
services_from: []
services:
  - {id: cafe, name: Cafe}
  - {id: x, name: X}
feeders: [{name: probe, token: only-the-feeder-has-this-token}]
"""
RUD = "https://rud.is/b/?p=24570"  # the first source of data/scenarios/x-2025-03-10.scenario
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
        play = ["--play", scenario] if scenario else []
        self.process = subprocess.Popen([WHYDOWN, "serve", "--config", folder / "whydown.yaml", "--data", folder / "data",
                                         *play], stderr=self.log)
        self.connect()
        self.wait_for("event=listening")


def made_from(server, when):
    """What the API and the page say of the one incident."""
    incident = server.incidents()[0]
    check(f"{when}, the incident has its scenario's name", incident.get("scenario") == "x-2025-03-10", incident)
    made = json.loads(server.get(f"/api/v1/incidents/{incident['id']}"))["made_from"]
    check("… the API has its sources, and what is assumed", made and made["sources"][0]["url"] == RUD and
          made["began_at"] == "2025-03-10T09:25:00Z" and len(made["assumed"]) > 3, made)
    page = server.get(f"/i/{incident['id']}")
    links = re.findall(r'<a rel="noopener nofollow" href="([^"]+)"', page)
    check("… the page links to them", links == [s["url"] for s in made["sources"]], links)
    check("… and says that it is moved", "as if it happened now" in page, page)


def send(server, lines):
    server.connection.request("POST", "/api/v1/observations", "\n".join(json.dumps(line) for line in lines), {
        "Content-Type": "application/x-ndjson", "Authorization": "Bearer only-the-feeder-has-this-token"})
    answer = server.connection.getresponse()
    return answer.status, json.loads(answer.read())


def reconstruction(folder):
    folder.mkdir()
    (folder / "whydown.yaml").write_text(CONFIG)
    server = Played(folder, "x-2025-03-10")
    made_from(server, "played")
    server.process.kill()
    server.process.wait()
    server = Played(folder, None)
    made_from(server, "after a kill, and without --play")

    now = json.loads(server.get("/api/v1/now"))["now"]
    line = {"v": 1, "kind": "report", "at": now, "service": "cafe", "reconstruction": True, "id": "one"}
    bad = [{**line, "scenario": "<script>alert(1)</script>"}, {**line, "scenario": "javascript:alert(1)"},
           {**line, "scenario": "x" * 49}, {**line, "reconstruction": False, "scenario": "x"},
           {**line, "scenario": {"url": "javascript:alert(1)"}}, {**line, "sources": ["javascript:alert(1)"]}]
    status, said = send(server, [{**line, "scenario": "x-2025-03-10"}, *bad])
    check("a recording names a scenario and brings nothing else with it", said.get("accepted") == 1 and
          [line["line"] for line in said["lines"]] == list(range(2, 8)), status, said)
    check("it stops in good order", server.stop() == 0, server.said())


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
        reconstruction(folder / "x")
    return 1 if live.failures else 0


raise SystemExit(main())
