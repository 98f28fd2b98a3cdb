// SPDX-License-Identifier: Apache-2.0
// What every browser test stands on: a server of its own on a free port with an empty data folder, and pages in
// Debian's Chromium. A page fails its test by itself when it logs an error, throws, breaks its content security
// policy or asks another host for anything.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const WHYDOWN = process.env.WHYDOWN;
const SOURCE = process.env.SOURCE;
const START_MS = 20_000;

const chromiumPath = ["chromium", "chromium-browser", "google-chrome"]
  .flatMap((name) => process.env.PATH.split(delimiter).map((folder) => join(folder, name)))
  .find((path) => existsSync(path));

const CHROMIUM_FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

const SIZES = {
  desktop: { viewport: { width: 1280, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};

async function playwright() {
  try {
    return await import(join(SOURCE, "node_modules/playwright-core/index.mjs"));
  } catch {
    return null;
  }
}

// Why browser tests cannot run here, or null.
export async function whyNot() {
  if (!WHYDOWN || !SOURCE) return "WHYDOWN and SOURCE are not set (make test sets them)";
  if (!(await playwright())) return "node_modules lacks playwright-core (scripts/setup test)";
  if (!chromiumPath) return "there is no Chromium";
  const help = spawnSync(WHYDOWN, ["serve", "--help"], { encoding: "utf8" });
  if (help.status !== 0 || !help.stdout.includes("--listen")) return "whydown has no serve yet";
  return null;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function untilServing(url, child, log) {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${log()}`);
    try {
      if ((await fetch(`${url}/healthz`)).ok) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`the server did not answer within ${START_MS} ms:\n${log()}`);
}

// {url, log(), stop()}; more arguments for `whydown serve` in `options`.
export async function startServer(options = []) {
  const data = mkdtempSync(join(tmpdir(), "whydown-browser-"));
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(WHYDOWN, ["serve", "--data", data, "--listen", new URL(url).host, ...options]);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
  const server = {
    url,
    data,
    log: () => text,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGTERM");
        const force = setTimeout(() => child.kill("SIGKILL"), 5000);
        await ended;
        clearTimeout(force);
      }
      rmSync(data, { recursive: true, force: true });
    },
  };
  try {
    await untilServing(url, child, server.log);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

// One browser for all tests; each page gets a context of its own, so nothing is carried over.
export async function launchBrowser(flags = []) {
  const { chromium } = await playwright();
  return chromium.launch({ executablePath: chromiumPath, args: [...CHROMIUM_FLAGS, ...flags] });
}

// Where an element is. The live page swaps it now and then, and while it does there is none.
export async function shown(locator) {
  for (let tries = 0; tries < 50; tries++) {
    const box = await locator.boundingBox();
    if (box) return box;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the element does not show");
}

// A picture of a page, 1.5 s after it came: live parts have been filled by then.
export async function shoot(browser, url, path, { fullPage = false, ...look }) {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC", ...look });
  const page = await context.newPage();
  await page.goto(url);
  if (fullPage) await page.locator("footer").scrollIntoViewIfNeeded(); // what loads when it is seen
  await page.waitForTimeout(1500);
  await page.screenshot({ path, fullPage });
  await context.close();
}

// Runs test({server, open}) and then fails for whatever its pages complained of. `open(path, {size, script,
// expected})`: size is "desktop" or "phone", script false turns JavaScript off, expected(text) is true for
// complaints that the test means to cause.
export async function withServer(browser, test) {
  const server = await startServer(test.options ?? []);
  const complaints = [];
  const contexts = [];

  async function open(path, { size = "desktop", script = true, expected = () => false } = {}) {
    const context = await browser.newContext({ ...SIZES[size], javaScriptEnabled: script });
    contexts.push(context);
    const page = await context.newPage();
    const complain = (text) => expected(text) || complaints.push(text);
    page.on("console", (message) => message.type() === "error" && complain(`console: ${message.text()}`));
    page.on("pageerror", (error) => complain(`error: ${error.message}`));
    page.on("request", (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol.startsWith("http") && origin !== server.url) complain(`request to ${request.url()}`);
    });
    const response = await page.goto(server.url + path, { waitUntil: "load" });
    return { page, response };
  }

  try {
    await test({ server, open });
  } catch (error) {
    error.stack += `\nserver:\n${server.log()}`;
    throw error;
  } finally {
    for (const context of contexts) await context.close();
    await server.stop();
  }
  if (complaints.length) throw new Error(complaints.join("\n"));
}
