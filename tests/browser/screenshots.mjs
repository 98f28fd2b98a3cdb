// SPDX-License-Identifier: Apache-2.0
// Makes docs/images from the running program, with the X scenario played into it:
//   WHYDOWN=$PWD/build/whydown SOURCE=$PWD node tests/browser/screenshots.mjs docs/images
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { launchBrowser, shoot, startServer, whyNot } from "./harness.mjs";

const folder = process.argv[2];
const reason = folder ? await whyNot() : "usage: screenshots.mjs FOLDER";
if (reason) {
  console.error(reason);
  process.exit(2);
}

const server = await startServer(["--play", join(process.env.SOURCE, "data/scenarios/x-2025-03-10.scenario")]);
const browser = await launchBrowser();
try {
  mkdirSync(folder, { recursive: true });
  const { incidents } = await (await fetch(`${server.url}/api/v1/incidents?service=x`)).json();
  const shots = [
    { name: "now", path: "/", width: 1280, height: 860, colorScheme: "light" },
    { name: "service", path: "/s/x", width: 1280, height: 1000, colorScheme: "light" },
    { name: "service-phone-dark", path: "/s/x", width: 375, height: 1100, colorScheme: "dark" },
    { name: "incident", path: `/i/${incidents.find((one) => one.state !== "closed").id}`, width: 1280, height: 1200, colorScheme: "light" },
  ];
  for (const { name, path, width, height, colorScheme } of shots) {
    await shoot(browser, server.url + path, join(folder, `${name}.png`), { viewport: { width, height }, colorScheme });
  }
} finally {
  await browser.close();
  await server.stop();
}
