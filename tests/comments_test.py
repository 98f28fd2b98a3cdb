#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Comments from the form to the page: held, listed to the operator alone, published or rejected, shown escaped, kept
over a kill, and a rejected one is nowhere any more. What the program's own command says of it, too."""
import concurrent.futures
import html
import http.client
import json
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

import live
from live import Server, check

TOKEN = "only-the-operator-has-this-token"
CONFIG = """
listen: ["127.0.0.1:0"]
admin_token: only-the-operator-has-this-token
limits: {reports_per_address_per_min_max: 60000, reports_burst_per_address: 10000}
services_from: []
surfaces: {app: App}
problems: {slow: It is slow}
services:
  - {id: shop, name: Shop, surfaces: [app], problems: [slow]}
  - {id: cafe, name: Cafe}
"""
HOSTILE = "</p><script>alert(1)</script>\" onload='x' &amp; {{7*7}} \u200b\t\nZo\u0308e \u05d0\u05d1\u05d2 \\"
SECRET = "my-number-is-five-five-five"


def ask(server, method, path, body=None, token=None, **fields):
    """(status, header fields, text)"""
    connection = http.client.HTTPConnection(server.url, timeout=20)
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    if token:
        headers["Authorization"] = "Bearer " + token
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
        headers.setdefault("Content-Type", "application/json")
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    time.sleep(0.02)  # an address may open only so many connections a second
    return answer.status, answer.headers, text


def report(server, comment, service="shop", **more):
    return ask(server, "POST", "/api/v1/reports", {"service": service, "comment": comment, **more})


def comments(server, query=""):
    status, _, text = ask(server, "GET", "/api/v1/comments" + query, token=TOKEN)
    return json.loads(text) if status == 200 else {"status": status}


def decide(server, number, decision, token=TOKEN):
    status, _, text = ask(server, "POST", f"/api/v1/comments/{number}", {"decision": decision}, token)
    return status, json.loads(text)


def said(page):
    """The texts on a page."""
    return [html.unescape(t) for t in re.findall(r'<li><p dir="auto">(.*?)</p><small>', page, re.S)]


def command(server, folder, *words, token=TOKEN):
    file = folder / "token"
    file.write_text(token + "\n")
    done = subprocess.run([live.WHYDOWN, "comments", "--server", "http://" + server.url, "--token-file", file, *words],
                          capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def try_intake(server):
    for what, comment, right in (("of 500 bytes", "é" * 250, 202), ("of 501 bytes", "é" * 250 + "a", 422),
                                 ("with a bidirectional override", "a\u202egpj.exe", 422),
                                 ("with a control character", "a\x1b[2J", 422), ("of nothing", "", 202)):
        status, _, text = report(server, comment, "cafe")
        check(f"a comment {what}: {right}", status == right and (status == 202 or "/comment" in text), (status, text))
    status, _, text = ask(server, "POST", "/api/v1/reports", b'{"service":"cafe","comment":"\xff\xfe"}',
                          Content_Type="application/json")
    check("one that is not UTF-8 is refused", status in (400, 422), (status, text))
    form = urllib.parse.urlencode({"service": "shop", "surface": "app", "problem": "slow", "comment": "it spins"})
    status, fields, _ = ask(server, "POST", "/api/v1/reports", form, Content_Type="application/x-www-form-urlencoded")
    check("the form takes one", status == 303 and fields["Location"].startswith("/s/shop"), status)
    for form, says in (("", "service is missing: which service is it about?</p>"),
                       ("service=shop&comment=%ff", ">comment is not plain UTF-8 text.</p>"),
                       ("service=shop&surface=x", ">surface: Shop has no surface")):
        status, _, page = ask(server, "POST", "/api/v1/reports", form, Content_Type="application/x-www-form-urlencoded")
        check("a form's mistake is told in a sentence: " + says, status == 422 and says in page, (status, page))
    for comment in (HOSTILE, SECRET, "lost in the middle"):
        report(server, comment)


def try_guard(server):
    for token in (None, TOKEN[:-1], TOKEN + "x", ""):
        for method, path, body in (("GET", "/api/v1/comments", None), ("GET", "/api/v1/comments?state=x", None),
                                   ("POST", "/api/v1/comments/1", {"decision": "publish"}),
                                   ("POST", "/api/v1/comments/999", {"decision": "?"})):
            status, fields, text = ask(server, method, path, body, token)
            check(f"{method} {path} without the operator's token ({token}) is 401",
                  status == 401 and fields["WWW-Authenticate"] == "Bearer" and "spins" not in text, (status, text))
    page = server.get("/s/shop") + server.get("/s/shop/live") + server.get("/api/v1/services/shop/comments")
    check("nobody is shown a held one", "spins" not in page and "id=\"said\"" not in page and
          server.get("/api/v1/services/shop/comments") == '{"service":"shop","comments":[]}\n', page[-300:])


def try_list(server, folder):
    found = comments(server)["comments"]
    check("the operator is told all that are held, in their order", [c["text"] for c in found] ==
          ["é" * 250, "it spins", HOSTILE, SECRET, "lost in the middle"], found)
    c = found[1]
    check("with what and where", (c["state"], c["service"], c["surface"], c["problem"], c["country"], c["decided_at"]) ==
          ("held", "shop", "app", "slow", None, None) and c["received_at"].endswith("Z"), c)
    check("and nothing about who sent it", not {"person", "address", "network", "city", "region"} & set(c), c)
    check("of one service", [c["service"] for c in comments(server, "?service=cafe")["comments"]] == ["cafe"])
    check("of no other state", comments(server, "?state=published") == {"comments": [], "next": None})
    texts, after = [], 0
    while after is not None:
        page = comments(server, f"?limit=2&after={after}")
        texts += [c["id"] for c in page["comments"]]
        after = page["next"]
    check("in pages, each once", texts == [c["id"] for c in found], texts)
    for query, field in (("?state=all", "state"), ("?limit=0", "limit"), ("?after=x", "after"), ("?service=%20", "service")):
        status, _, text = ask(server, "GET", "/api/v1/comments" + query, token=TOKEN)
        check(f"{query} is refused by its name", status == 400 and json.loads(text)["field"] == field, (status, text))
    status, out, err = command(server, folder, "list")
    lines = out.split("\n")
    check("the command lists one a line, escaped", status == 0 and len(lines) == 6 and err == "" and
          lines[2].split("\t")[2:] == ["shop", "-", "-", "-", "</p><script>alert(1)</script>\" onload='x' &amp; {{7*7}} "
                                       "\\u{200b}\\t\\nZo\u0308e \u05d0\u05d1\u05d2 \\\\"], out)
    check("… of a service", command(server, folder, "--service", "cafe")[1].count("\n") == 1)
    check("… so many", command(server, folder, "--limit", "3", "list")[1].split("\n")[2] == lines[2])
    return {c["text"]: c["id"] for c in found}


def try_publish(server, ids):
    stream = socket.create_connection(server.url.split(":"), timeout=10)
    stream.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: {server.url}\r\n\r\n".encode())
    time.sleep(0.3)
    before = ask(server, "GET", "/s/shop")
    status, answer = decide(server, ids[HOSTILE], "publish")
    page = ask(server, "GET", "/s/shop")
    check("a published one is on the page with the next request", status == 200 and answer["state"] == "published" and
          said(page[2]) == [HOSTILE] and page[1]["ETag"] != before[1]["ETag"], (status, answer, said(page[2])))
    check("… escaped", "<script>alert" not in page[2] and "&lt;/p&gt;&lt;script&gt;" in page[2])
    check("… under a policy that runs no script of its own", "script-src 'self'" in page[1]["Content-Security-Policy"] and
          "unsafe" not in page[1]["Content-Security-Policy"], page[1]["Content-Security-Policy"])
    check("… in the part that is fetched again, too", said(server.get("/s/shop/live")) == [HOSTILE])
    shown = json.loads(server.get("/api/v1/services/shop/comments"))["comments"]
    check("… and in the API", [c["text"] for c in shown] == [HOSTILE] and set(shown[0]) ==
          {"at", "surface", "problem", "country", "text"}, shown)
    check("another service's page has none", said(server.get("/s/cafe")) == [])
    heard = b""
    try:
        while b'{"comments": 1}' not in heard:
            heard += stream.recv(4096)
    except TimeoutError:
        pass
    stream.close()
    check("pages that are open hear of it", b"event: service.shop\ndata: {\"comments\": 1}" in heard, heard)
    again = decide(server, ids[HOSTILE], "publish")
    check("once more changes nothing", again == (status, answer), (again, answer))


def try_reject(server, ids):
    status, answer = decide(server, ids[SECRET], "reject")
    check("one is rejected", status == 200 and answer["state"] == "rejected", answer)
    check("once more changes nothing", decide(server, ids[SECRET], "reject") == (status, answer))
    status, answer = decide(server, ids[SECRET], "publish")
    check("its text is gone: it cannot be published", status == 409 and answer["status"] == 409, answer)
    rejected = comments(server, "?state=rejected")["comments"]
    check("the list says that it was rejected, without its text", [(c["id"], c["text"]) for c in rejected] ==
          [(ids[SECRET], "")], rejected)
    lost = ids["lost in the middle"]
    check("a published one can be taken back", decide(server, lost, "publish")[0] == 200 and
          len(said(server.get("/s/shop"))) == 2 and decide(server, lost, "reject")[0] == 200 and
          said(server.get("/s/shop")) == [HOSTILE])


def try_wrong(server, ids):
    held = f"/api/v1/comments/{ids['it spins']}"
    for what, method, path, body, fields, right in (
            ("no such comment", "POST", "/api/v1/comments/999", {"decision": "publish"}, {}, 404),
            ("no number", "POST", "/api/v1/comments/one", {"decision": "publish"}, {}, 404),
            ("a number beyond all", "POST", "/api/v1/comments/99999999999999999999", {"decision": "publish"}, {}, 404),
            ("another word", "POST", held, {"decision": "approve"}, {}, 422),
            ("no word", "POST", held, {}, {}, 422),
            ("another type", "POST", held, [], {}, 400),
            ("no JSON", "POST", held, "decision=publish", {"Content_Type": "application/json"}, 400),
            ("a form", "POST", held, "decision=publish", {"Content_Type": "application/x-www-form-urlencoded"}, 415),
            ("a large body", "POST", held, {"decision": "x" * 2000}, {}, 413),
            ("a body for the list", "POST", "/api/v1/comments", {"decision": "publish"}, {}, 405),
            ("a read of one", "GET", held, None, {}, 405),
            ("a DELETE", "DELETE", held, None, {}, 405)):
        status, headers, text = ask(server, method, path, body, TOKEN, **fields)
        check(f"{what}: {right}", status == right and headers["Content-Type"] == "application/problem+json" and
              json.loads(text)["status"] == right, (status, text))
    check("after all of it, it is still held", [c["text"] for c in comments(server, "?service=shop")["comments"]] == ["it spins"])


def try_command(server, folder, ids):
    spins, long = str(ids["it spins"]), str(ids["é" * 250])
    status, out, err = command(server, folder, "publish", spins, "998", long)
    check("the command publishes what it can, and tells the rest", status == 1 and out == f"{spins} published\n{long} published\n"
          and "998: not published (404): No such comment" in err, (status, out, err))
    status, out, err = command(server, folder, "--quiet", "reject", long)
    check("… and rejects", (status, out, err) == (0, "", ""), (status, out, err))
    status, out, err = command(server, folder, "publish", long)
    check("… and says why not", status == 1 and "(409)" in err and "text is deleted" in err, err)
    status, out, err = command(server, folder, "list", token="x" * 30)
    check("a wrong token ends it", status == 1 and out == "" and "not listed (401)" in err, (status, err))
    for words in (["delete", "1"], ["publish"], ["publish", "x"], ["list", "1"], ["--state", "all"], ["--limit", "0"],
                  ["--service", "A b"], ["--wrong"], ["--state", "held", "publish", "1"]):
        status, out, err = command(server, folder, *words)
        check(f"{' '.join(words)} is wrong usage", status == 2 and "--help` tells" in err, (status, err))


def guess(server, path):
    """The answer to a guess. On a slow machine a guess is allowed again meanwhile: the next one is not."""
    for _ in range(10):
        status, fields, body = ask(server, "GET", path, token="guess")
        if status == 429:
            break
    return status, fields, body


def try_strangers(server):
    seen = [ask(server, "GET", "/api/v1/comments", token=f"guess-{n}")[0] for n in range(40)]
    check("who guesses tokens is slowed down", seen.count(429) >= 5 and set(seen) == {401, 429}, seen)
    status, fields, body = guess(server, "/api/v1/comments")
    check("… and told until when", status == 429 and int(fields["Retry-After"]) >= 1, status)
    check("… in words, too", "Please wait 2 seconds and try again." in str(body) or "Please wait 1 second and try again."
          in str(body), body)
    for path in ("/api/v1/exporters", "/api/v1/clients"):
        status, fields, _ = guess(server, path)
        check(f"… wherever: {path}", status == 429 and int(fields["Retry-After"]) >= 1, status)
    check("… where the answer says whether it was right: /metrics", guess(server, "/metrics")[0] == 429)
    check("… and not who asks without one", ask(server, "GET", "/metrics")[0] == 200)
    check("… the operator beside him is not", "comments" in comments(server) and
          ask(server, "GET", "/metrics", token=TOKEN)[0] == 200)


def try_kill(server, folder):
    """Answered is on the disk."""
    for n in range(20):
        report(server, f"number {n}", "cafe")
    held = [c["id"] for c in comments(server, "?service=cafe")["comments"]]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda i: decide(server, i, "publish")[0], held))
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    check("twenty at once are decided", answers == [200] * 20, answers)
    again = Server(folder, CONFIG)
    shown = said(again.get("/s/cafe"))
    check("after a kill all of them are there", len(comments(again, "?state=published&service=cafe")["comments"]) == 20 and
          len(shown) == 20 and said(again.get("/s/shop")) == [HOSTILE, "it spins"], shown)
    return again


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        server = Server(folder, CONFIG)
        try:
            try_intake(server)
            try_guard(server)
            ids = try_list(server, folder)
            try_publish(server, ids)
            try_reject(server, ids)
            try_wrong(server, ids)
            try_command(server, folder, ids)
            server = try_kill(server, folder)
            try_strangers(server)
        finally:
            check("it stops in good order", server.stop() == 0, server.said()[-2000:])
        held = [f for f in folder.rglob("*") if f.is_file() and SECRET.encode() in f.read_bytes()]
        check("the rejected text is in no file any more", held == [], held)
        kept = [f for f in folder.rglob("*.db") if b"it spins" in f.read_bytes()]
        check("… while another is", kept != [])
    return 1 if live.failures else 0


raise SystemExit(main())
