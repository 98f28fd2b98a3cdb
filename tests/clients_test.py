#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What single clients do, as the running server sees it in a followed log and in syslog: told on the service's page and
in the API, the public without an address, the operator with it; ordinary visitors are not told of. Nothing of it lies
on disk, and it goes with its service."""
import http.client
import json
import pathlib
import random
import socket
import tempfile
import time

import live
from live import DATA, Server, check

TOKEN = "only-the-operator-has-this-token"
PROBER, GUESSER, NAMED = "203.0.113.77", "203.0.113.78", "<b>evil</b>"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0"
CONFIG = """
listen: ["127.0.0.1:0"]
admin_token: {token}
telemetry:
  logs: [{shop_log}{{path: {quiet}, service: quiet}}, {{path: {lab}, service: lab}}]
  syslog: ["127.0.0.1:0"]
services_from: []
services:
  - {{id: quiet, name: Quiet}}
  - {{id: lab, name: Lab}}
  - {{id: blog, name: Blog, hosts: [blog.example.org]}}
{shop_service}"""
SPOTS = ["/.env", "/.git/config", "/wp-login.php", "/phpmyadmin/index.php", "/cgi-bin/test", "/server-status",
         "/actuator/env", "/backup.sql", "/etc/passwd", "/<script>alert(1)</script>", "/.aws/credentials", "/xmlrpc.php"]


def line(client, path, status=200, method="GET", referer="-", agent=AGENT, host=""):
    when = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
    return f'{host}{client} - - [{when}] "{method} {path} HTTP/1.1" {status} 512 "{referer}" "{agent}"\n'


def add(log, lines):
    with open(log, "a") as out:
        out.writelines(lines)


def visits(rng):
    """A second of ordinary visitors: pages that others lead to, their pictures, few links that broke."""
    for _ in range(8):
        client, page = f"198.51.100.{rng.randrange(1, 250)}", rng.randrange(300)
        yield line(client, f"/shop/{page}", referer="https://shop.example/")
        for n in range(3):
            yield line(client, f"/pictures/{page}-{n}.jpg", referer=f"https://shop.example/shop/{page}")
        if rng.random() < 0.05:
            yield line(client, "/old/page", 404, referer="https://shop.example/")
        if rng.random() < 0.1:
            yield line(client, "/login", 302, "POST", "https://shop.example/login")


def of(server, service):
    return json.loads(server.get("/api/v1/services/" + service))


def findings(server, service):
    return sorted(c["finding"] for c in of(server, service)["clients"])


def wait_for(server, service, wanted, seconds=15):
    until = time.time() + seconds
    while (found := findings(server, service)) != wanted and time.time() < until:
        time.sleep(0.2)
    return found


def ask(server, token=None):
    """(status, text)"""
    connection = http.client.HTTPConnection(server.url, timeout=10)
    connection.request("GET", "/api/v1/clients", headers={"Authorization": "Bearer " + token} if token else {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def on_disk(folder):
    forms = [a.encode() for a in (PROBER, GUESSER)] + [socket.inet_aton(a) for a in (PROBER, GUESSER)]
    return [(f.name, form) for f in folder.rglob("*") if f.is_file() for form in forms if form in f.read_bytes()]


def attack(server, logs):
    add(logs["shop"], [line(PROBER, path, 404) for path in SPOTS])
    add(logs["shop"], [line(GUESSER, "/login", 401, "POST") for _ in range(30)])
    add(logs["shop"], [line(NAMED, path, 404) for path in SPOTS])
    port = int(server.wait_for("event=syslog address=127.0.0.1:0 udp=").split()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for path in SPOTS:
            sender.sendto(("<134>" + line(PROBER, path, 404, host="blog.example.org ")).encode(), ("127.0.0.1", port))


def check_public(server):
    found = wait_for(server, "shop", ["http.login", "http.probe", "http.probe"])
    check("a followed log: who searches and who tries passwords are told of",
          found == ["http.login", "http.probe", "http.probe"], found)
    found = wait_for(server, "blog", ["http.probe"])
    check("syslog: so is who searches there", found == ["http.probe"], found)
    probe = [c for c in of(server, "shop")["clients"] if c["finding"] == "http.probe"][0]
    check("with what and how often", 9 <= probe["requests"] <= len(SPOTS) and "weak spots" in probe["what"] and
          probe["network"] is None and not probe["many"], probe)
    for path in ("/s/shop", "/s/shop/live", "/api/v1/services/shop", "/api/v1/services", "/api/v1/now"):
        text = server.get(path)
        check(f"{path} has no client's address, and nothing of theirs unescaped",
              not any(s in text for s in (PROBER, GUESSER, NAMED, "<script>alert", "evil")), text[-3000:])
    page = server.get("/s/shop")
    check("the page tells it", all(s in page for s in ("Single clients", "Search for weak spots", "Tries of passwords")),
          page[-3000:])
    incidents = server.incidents()
    check("none of it is an incident", incidents == [], incidents)


def check_operator(server):
    status, text = ask(server)
    check("addresses are for the operator alone", status == 401 and PROBER not in text, (status, text))
    status, text = ask(server, TOKEN)
    rows = json.loads(text)["clients"]
    check("who gets them", status == 200 and {(r["service"], r["address"], r["finding"]) for r in rows} >=
          {("shop", PROBER, "http.probe"), ("shop", GUESSER, "http.login"), ("blog", PROBER, "http.probe")}, text)
    named = [r for r in rows if r["address"] is None]
    check("a name in the client's place is not repeated", len(named) == 1 and "evil" not in text, text)


def check_capture(server, log):
    source = DATA / "weblog/crowdsec/apache2-malformed/apache2-logs.log"
    if not source.exists():
        live.skip("a log of a search for weak spots", f"{source} is not there")
        return
    add(log, source.read_text(errors="replace").splitlines(keepends=True))
    found = wait_for(server, "lab", ["http.probe"])
    check("a recorded search is told of", found == ["http.probe"], found)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        logs = {n: folder / f"{n}.log" for n in ("shop", "quiet", "lab")}
        for log in logs.values():
            log.write_text("")
        config = CONFIG.format(token=TOKEN, shop_log=f"{{path: {logs['shop']}, service: shop}}, ",
                               shop_service="  - {id: shop, name: Shop}\n", **logs)
        without = CONFIG.format(token=TOKEN, shop_log="", shop_service="", **logs)
        server = Server(folder / "server", config)
        rng = random.Random(7)
        try:
            time.sleep(1)
            attack(server, logs)
            for _ in range(12):
                add(logs["quiet"], visits(rng))
                time.sleep(1)
            check_public(server)
            check_operator(server)
            check_capture(server, logs["lab"])
            found = of(server, "quiet")
            check("ordinary visitors are not told of", found["clients"] == [] and found["clients_more"] == 0 and
                  found["traffic"]["requests_at"] is not None, found["clients"])
            server.reload(without)
            nobodys = server.metrics()["whydown_logs_nobodys_total"]
            add(logs["shop"], [line("198.51.100.9", "/", referer="https://shop.example/")])
            time.sleep(2.5)
            check("a log whose service is gone is nobody's", server.metrics()["whydown_logs_nobodys_total"] == nobodys + 1)
            rows = json.loads(ask(server, TOKEN)[1])["clients"]
            check("what was noted goes with its service", rows and all(r["service"] != "shop" for r in rows), rows)
            server.reload(config)
            add(logs["shop"], [line("198.51.100.9", "/", referer="https://shop.example/")])
            time.sleep(2.5)
            check("and is not there when it comes back", findings(server, "shop") == [], of(server, "shop")["clients"])
            add(logs["shop"], [line(PROBER, path, 404) for path in SPOTS])
            found = wait_for(server, "shop", ["http.probe"])
            check("what it does anew is", found == ["http.probe"], found)
        finally:
            check("it stops in good order", server.stop() == 0, server.said()[-2000:])
        check("no client's address lies on disk or in the program's log", on_disk(folder / "server") == [],
              on_disk(folder / "server"))
    return 1 if live.failures else 0


raise SystemExit(main())
