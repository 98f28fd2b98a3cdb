#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the running server answers to requests that change something, and to those it refuses: each status stands in the
OpenAPI document with the form that the answer has. What can be read is held to it by src/publish/openapi_test.c."""
import gzip
import http.client
import json
import pathlib
import tempfile
import time

import live
from live import Server, check

OPERATOR = {"Authorization": "Bearer only-the-operator-has-this-token"}
FEEDER = {"Authorization": "Bearer only-the-feeder-has-this-token"}
AS_JSON = {"Content-Type": "application/json"}
AS_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LINES = {"Content-Type": "application/x-ndjson", **FEEDER}
CONFIG = """
listen: ["127.0.0.1:0"]
site: {url: "https://status.example"}
admin_token: only-the-operator-has-this-token
feeders: [{name: probe, token: only-the-feeder-has-this-token}]
limits:
  accepts_per_address_per_s_max: 1000
  reports_burst_per_address: 12
  reports_per_address_per_min_max: 1
services_from: []
services:
  - {id: shop, name: Shop}
"""


class Api:
    def __init__(self, server):
        self.server = server
        self.document = json.loads(server.get("/api/v1/openapi.json"))

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.server.url, timeout=20)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def resolve(self, schema):
        while "$ref" in schema:
            at = self.document
            for name in schema["$ref"].split("/")[1:]:
                at = at[name]
            schema = at
        return schema

    def breaks(self, schema, value, where=""):
        """The first thing that the schema does not allow or does not name, or None."""
        schema = self.resolve(schema)
        types = {"object": dict, "array": list, "string": str, "integer": int}
        if not isinstance(value, types[schema["type"]]):
            return f"{where} is no {schema['type']}"
        if value not in schema.get("enum", [value]):
            return f"{where} is {value}"
        if isinstance(value, dict):
            missing = [name for name in schema["required"] if name not in value]
            unknown = [name for name in value if name not in schema["properties"]]
            if missing or unknown:
                return f"{where}: missing {missing}, not documented {unknown}"
            below = [self.breaks(schema["properties"][name], v, where + "." + name) for name, v in value.items()]
        else:
            below = [self.breaks(schema["items"], v, where + "[]") for v in value] if isinstance(value, list) else []
        return next((wrong for wrong in below if wrong), None)

    def answers(self, expected, method, pattern, body=None, headers=None, number=""):
        """It does, and as the document says."""
        status, fields, text = self.ask(method, pattern.replace("{comment}", str(number)), body, headers)
        documented = self.document["paths"][pattern][method.lower()]["responses"].get(str(status))
        wrong = None if documented else "not documented"
        if documented and text:
            content = self.resolve(documented).get("content", {})
            form = content.get(fields["Content-Type"])
            wrong = self.breaks(form["schema"], json.loads(text)) if form else f"{fields['Content-Type']} is not documented"
        if status in (429, 503) and not fields["Retry-After"]:
            wrong = "no Retry-After"
        check(f"{method} {pattern}: {expected}", status == expected and not wrong, f"{status} {wrong}: {text[:300]}")
        return text


def reports(api):
    path, good = "/api/v1/reports", json.dumps({"service": "shop", "comment": "hello"})
    api.answers(202, "POST", path, good, AS_JSON)
    api.answers(303, "POST", path, "service=shop", AS_FORM)
    api.answers(400, "POST", path, "{", AS_JSON)
    api.answers(400, "POST", path, good, {**AS_JSON, "Idempotency-Key": "a b"})
    api.answers(403, "POST", path, good, {**AS_JSON, "Sec-Fetch-Site": "cross-site"})
    api.answers(403, "POST", path, good, {**AS_JSON, "Origin": "http://evil.example"})
    api.answers(403, "POST", path, "service=shop", {**AS_FORM, "Origin": "null"})
    api.answers(403, "POST", path, "service=shop", {**AS_FORM, "Referer": "http://evil.example/page"})
    api.answers(303, "POST", path, "service=shop", {**AS_FORM, "Origin": "http://" + api.server.url})
    api.answers(303, "POST", path, "service=shop", {**AS_FORM, "Origin": "https://down.example", "X-Forwarded-Host": "down.example"})
    api.answers(303, "POST", path, "service=shop", {**AS_FORM, "Origin": "https://status.example"})
    api.answers(413, "POST", path, " " * 9000, AS_JSON)
    before = api.server.metrics()
    api.answers(415, "POST", path, good, {"Content-Type": "text/plain"})
    after = api.server.metrics()
    counted = {name for name in after if name.startswith("whydown_intake_") and after[name] != before[name]}
    check("a refusal is counted, with its reason",
          counted == {"whydown_intake_refused_total", "whydown_intake_refused_type_total"}, counted)
    api.answers(422, "POST", path, json.dumps({"service": "none"}), AS_JSON)
    for _ in range(12):
        api.ask("POST", path, good, AS_JSON)
    api.answers(429, "POST", path, good, AS_JSON)


def observations(api):
    path = "/api/v1/observations"
    line = {"id": "a", "at": str(int(time.time())), "service": "shop"}
    body = json.dumps(line) + "\n{}\n"
    api.answers(202, "POST", path, body, LINES)
    told = json.loads(api.answers(202, "POST", path, body, LINES))
    check("a line is taken once", (told["accepted"], told["duplicates"], told["refused"]) == (0, 1, 1), told)
    api.answers(401, "POST", path, body, {"Content-Type": "application/x-ndjson"})
    api.answers(415, "POST", path, body, {**LINES, "Content-Type": "text/plain"})
    before = api.server.metrics()["whydown_intake_lines_refused_total"]
    large = [json.dumps({"kind": "count", "at": line["at"], "step": 60, "service": "shop", "count": 10 ** 9 + n})
             for n in range(2)]
    told = json.loads(api.answers(202, "POST", path, "\n".join(large), LINES))
    check("a count that nobody could tell from others is refused", (told["accepted"], told["lines"][0]["line"]) == (1, 2),
          told)
    refused = api.server.metrics()["whydown_intake_lines_refused_total"] - before
    check("and counted", refused == 1, refused)
    packed = {**LINES, "Content-Encoding": "gzip"}
    told = json.loads(api.answers(202, "POST", path, gzip.compress(body.encode()), packed))
    check("a batch may be gzip", (told["duplicates"], told["refused"]) == (1, 1), told)
    for broken in (b"", body.encode(), gzip.compress(body.encode())[:-1], gzip.compress(body.encode()) + b"\n"):
        api.answers(400, "POST", path, broken, packed)
    api.answers(413, "POST", path, gzip.compress(b"\n" * ((4 << 20) + 1)), packed)
    for where, headers, coding, accepted in ((path, LINES, "br", "gzip"), (path, LINES, "gzip, gzip", "gzip"),
                                             ("/api/v1/reports", AS_JSON, "gzip", "identity"),
                                             ("/api/v1/comments/1", {**OPERATOR, **AS_JSON}, "gzip", "identity")):
        status, fields, _ = api.ask("POST", where, gzip.compress(b"{}"), {**headers, "Content-Encoding": coding})
        check(f"POST {where} with {coding}: 415, and what is taken", (status, fields["Accept-Encoding"]) == (415, accepted),
              f"{status} {fields}")
    # Less than the body may have, and more than the journal ever has room for: 503 would have it sent again for ever.
    many = "\n".join(json.dumps({**line, "id": str(n)}) for n in range(60000))
    api.answers(413, "POST", path, many, LINES)


def comments(api):
    path = "/api/v1/comments/{comment}"
    held = json.loads(api.ask("GET", "/api/v1/comments", headers=OPERATOR)[2])["comments"]
    number, operator = held[0]["id"], {**OPERATOR, **AS_JSON}
    api.answers(401, "POST", path, "{}", AS_JSON, number)
    api.answers(400, "POST", path, "{", operator, number)
    api.answers(404, "POST", path, '{"decision":"publish"}', operator, 1000)
    api.answers(413, "POST", path, " " * 20000, operator, number)
    api.answers(415, "POST", path, '{"decision":"publish"}', OPERATOR, number)
    api.answers(422, "POST", path, '{"decision":"keep"}', operator, number)
    api.answers(200, "POST", path, '{"decision":"reject"}', operator, number)
    api.answers(409, "POST", path, '{"decision":"publish"}', operator, number)


def methods(api):
    for path, methods_told in (("/", "GET, HEAD, OPTIONS"), ("/api/v1/now", "GET, HEAD, OPTIONS"),
                               ("/api/v1/events", "GET, OPTIONS"), ("/api/v1/reports", "POST, OPTIONS"),
                               ("/api/v1/observations", "POST, OPTIONS"),
                               ("/api/v1/comments", "GET, HEAD, OPTIONS"),
                               ("/api/v1/comments/1", "POST, OPTIONS")):
        for method in ("PUT", "DELETE", "POST", "GET", "HEAD"):
            if method not in methods_told.split(", "):
                status, fields, _ = api.ask(method, path, headers=OPERATOR)
                check(f"{method} {path}: 405, and what is allowed", (status, fields["Allow"]) == (405, methods_told),
                      f"{status} {fields['Allow']}")
        status, fields, text = api.ask("OPTIONS", path)
        check(f"OPTIONS {path}: 204, and the same is allowed",
              (status, fields["Allow"], text, fields["Access-Control-Allow-Origin"]) == (204, methods_told, "", None),
              f"{status} {fields} {text}")
    for path in ("/nowhere", "/s/nowhere", "/i/shop-20250310-0946", "/api/v1/nowhere", "/api/v1/services/nowhere", "/report"):
        for method in ("PUT", "DELETE", "POST", "GET", "HEAD"):
            status, fields, _ = api.ask(method, path, None if method in ("GET", "HEAD") else "x=y")
            check(f"{method} {path}: 404", (status, fields["Allow"]) == (404, None), f"{status} {fields['Allow']}")


def other_sites(api):
    """Their scripts read what anybody may, and nothing else (CORS)."""
    def origin(method, path, *more):
        connection = http.client.HTTPConnection(api.server.url, timeout=20)
        connection.request(method, path, *more)
        answer = connection.getresponse()
        connection.close()
        if answer.headers["Access-Control-Allow-Credentials"]:
            return "with credentials"
        return answer.headers["Access-Control-Allow-Origin"]

    public = [path.replace("{service}", "shop") for path, methods in api.document["paths"].items()
              if "get" in methods and "security" not in methods["get"] and "{incident}" not in path]
    check("paths are found", len(public) > 15, public)
    for path in public + ["/api/v1/openapi.json", "/api/v1/services/none", "/api/v1/incidents?limit=x"]:
        got = origin("GET", path)
        check(f"GET {path}: for scripts of other sites", got == "*", got)
    for method, path, *more in (("GET", "/"), ("GET", "/s/shop"), ("GET", "/api/v1/exporters"), ("GET", "/api/v1/clients"),
                                ("GET", "/api/v1/comments"), ("GET", "/api/v1/comments", None, OPERATOR),
                                ("GET", "/api/v1/exporters", None, OPERATOR),
                                ("POST", "/api/v1/reports", '{"service":"shop"}', AS_JSON),
                                ("POST", "/api/v1/observations", "", LINES), ("POST", "/api/v1/now")):
        got = origin(method, path, *more)
        check(f"{method} {path}: not for scripts of other sites", got is None, got)


def health(api):
    """A server that nothing happens to is well."""
    time.sleep(6)
    status, _, text = api.ask("GET", "/healthz")
    check("/healthz is well where nothing happens", status == 200 and json.loads(text)["snapshot_age_s"] < 4, text)


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = Server(pathlib.Path(folder), CONFIG)
        api = Api(server)
        reports(api)
        observations(api)
        comments(api)
        methods(api)
        other_sites(api)
        health(api)
        server.stop()
    return live.failures > 0


if __name__ == "__main__":
    raise SystemExit(main())
