#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Stands in for `whydown serve`, with pages that are wrong in ways that the harness must see.
import { createServer } from "node:http";

const args = process.argv.slice(2);
if (args.includes("--help")) {
  console.log("--listen ADDRESS");
  process.exit(0);
}
const [host, port] = args[args.indexOf("--listen") + 1].split(":");
const html = (body) => `<!doctype html><title>t</title><link rel="icon" href="data:,"><h1>h</h1>${body}`;
const pages = {
  "/healthz": "ok",
  "/good": html("<script>document.title = 'by script'</script>"),
  "/error": html("<script>console.error('something is wrong')</script>"),
  "/throws": html("<script>throw new Error('thrown')</script>"),
  "/elsewhere": html(`<img src="http://localhost:${port}/good">`),
  "/missing": html('<img src="/nothing.png">'),
};
createServer((request, response) => {
  const page = pages[request.url];
  response.writeHead(page ? 200 : 404, { "content-type": "text/html" });
  response.end(page);
}).listen(Number(port), host);
