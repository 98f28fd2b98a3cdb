// SPDX-License-Identifier: Apache-2.0
// Makes docs/images/incident-traffic.png, flood.png (the same, whole) and now-traffic.png from the running program: a shop whose reports have a
// history (made up), whose traffic is learned for ten and a half minutes, and which is then flooded while people
// report. Takes a quarter of an hour:
//   WHYDOWN=$PWD/build/whydown SOURCE=$PWD node tests/browser/screenshots_traffic.mjs docs/images
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launchBrowser, shoot, startServer, whyNot } from "./harness.mjs";

const LEARNED_S = 635;
const FLOOD_S = 290;
const TOKEN = randomBytes(16).toString("hex");
const port = 20000 + Math.floor(Math.random() * 20000);
const folder = process.argv[2];
const reason = folder ? await whyNot() : "usage: screenshots_traffic.mjs FOLDER";
if (reason) {
  console.error(reason);
  process.exit(2);
}

const work = mkdtempSync(join(tmpdir(), "whydown-shots-"));
const file = (name, text) => {
  writeFileSync(join(work, name), text);
  return join(work, name);
};
const config = file("whydown.yaml", `telemetry: {listen: ["127.0.0.1:${port}"], threads: 1}
feeders: [{name: desk, token: ${TOKEN}}]
services_from: []
services:
  - {id: shop, name: Corner Shop, addresses: [198.51.100.0/24]}
  - {id: bank, name: Town Bank, addresses: [203.0.113.0/24]}
  - {id: post, name: Parcel Post}
  - {id: rail, name: City Rail}
`);
const history = file("history.scenario", `title A shop's usual reports
begins 2025-05-05 00:00 UTC
lasts 16 days
seed 42
service shop
  usually 1 reports a minute
  day 60% at 04:00, 110% at 10:00, 140% at 19:00, 70% at 23:30
  noise 20% over 30 minutes
  surfaces app 60%, website 40%
  countries GB 90%, IE 5%
outage of shop
  begins 2025-05-20 13:00 UTC
  rises for 1 minutes
  stays for 4 minutes
  falls for 1 minutes
  peaks at 1.2 times the usual
`);
const attack = (id, vector, after, packets) => `attack on ${id}
  vector ${vector}
  begins after ${after} seconds
  stays for ${FLOOD_S} seconds
  peaks at ${packets} packets a second
`;
const flood = file("flood.scenario", `title Floods (made up)
begins 2026-11-02 12:00 UTC
lasts 20 minutes
seed 7
service shop
  usually 1 reports a minute
traffic of shop
  addresses 198.51.100.0/24
  usually 1500 packets a second
  from 800 clients
service bank
  usually 1 reports a minute
traffic of bank
  addresses 203.0.113.0/24
  usually 1000 packets a second
  from 900 clients
${attack("shop", "syn.spoof", LEARNED_S, 9000)}${attack("shop", "amp.dns", LEARNED_S + 30, 5000)}  from 3000 sources
${attack("bank", "udp.null", LEARNED_S + 55, 6000)}`);

const sleep = (s) => new Promise((resolve) => setTimeout(resolve, s * 1000));
const pick = (list) => list[Math.floor(Math.random() * list.length)];
const report = () => JSON.stringify({
  kind: "report", at: new Date().toISOString(), service: "shop", id: randomBytes(8).toString("hex"),
  person: randomBytes(8).toString("hex"), surface: pick(["app", "app", "website"]), country: pick(["GB", "GB", "GB", "IE"]),
  network: pick([64496, 64497, 64498, 64499, 64500, 64501, 64502]),
});

const server = await startServer(["--config", config, "--play", history]);
const exporter = spawn(process.env.WHYDOWN,
  ["simulate", flood, "--format", "ipfix", "--speed", "1", "--to", `127.0.0.1:${port}`]);
const browser = await launchBrowser();
try {
  await sleep(LEARNED_S + 25);
  for (let n = 0; n < 46; n++) {
    const lines = Array.from({ length: 5 + Math.floor(Math.random() * 4) }, report).join("\n");
    const answer = await fetch(`${server.url}/api/v1/observations`, { method: "POST", body: lines,
      headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/x-ndjson" } });
    if (n === 0) console.log(await answer.text());
    await sleep(5);
  }
  const { incidents } = await (await fetch(`${server.url}/api/v1/incidents?service=shop&kind=traffic`)).json();
  for (const { name, path, width = 1180, height, fullPage } of [
    { name: "incident-traffic", path: `/i/${incidents[0].id}`, height: 1560 },
    { name: "flood", path: `/i/${incidents[0].id}`, width: 1000, height: 900, fullPage: true },
    { name: "now-traffic", path: "/", height: 900 }]) {
    await shoot(browser, server.url + path, join(folder, `${name}.png`), { viewport: { width, height }, fullPage });
  }
} finally {
  exporter.kill();
  await browser.close();
  await server.stop();
}
