// SPDX-License-Identifier: Apache-2.0
// The pages of a flood in a real browser, while an exporter's datagrams come in: whole without script, on a phone,
// by keyboard, in both colour schemes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shown } from "./harness.mjs";

const folder = mkdtempSync(join(tmpdir(), "whydown-traffic-"));
const port = await new Promise((resolve) => {
  const probe = createSocket("udp4");
  probe.bind(0, "127.0.0.1", () => {
    const found = probe.address().port;
    probe.close(() => resolve(found));
  });
});
const config = join(folder, "whydown.yaml");
writeFileSync(config, `telemetry: {listen: ["127.0.0.1:${port}"], threads: 1}
services_from: []
services:
  - {id: shop, name: Corner Shop, addresses: [198.51.100.0/24]}
  - {id: waits, name: Waits, addresses: [203.0.113.0/24]}
  - {id: plain, name: Plain}
`);
const scenario = join(folder, "flood.scenario");
writeFileSync(scenario, `title A flood
begins 2026-11-02 12:00 UTC
lasts 2 minutes
seed 3
service shop
  usually 1 reports a minute
traffic of shop
  addresses 198.51.100.0/24
  usually 500 packets a second
  from 200 clients
attack on shop
  vector syn.spoof
  begins after 3 seconds
  stays for 100 seconds
  peaks at 4000 packets a second
attack on shop
  vector amp.dns
  begins after 6 seconds
  stays for 90 seconds
  peaks at 3000 packets a second
  from 500 sources
`);

// Runs test with the id of the incident that the flood makes.
async function flooded(server, test) {
  const exporter = spawn(process.env.WHYDOWN,
    ["simulate", scenario, "--format", "ipfix", "--speed", "1", "--to", `127.0.0.1:${port}`]);
  try {
    for (let tries = 0; tries < 200; tries++) {
      const { incidents } = await (await fetch(`${server.url}/api/v1/incidents`)).json();
      if (incidents[0]?.traffic?.vectors.length > 1) return await test(incidents[0].id);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error("the flood made no incident with two vectors");
  } finally {
    exporter.kill();
  }
}

const withConfig = ["--config", config];

async function isWhole(open, path, options) {
  const { page, response } = await open(path, options);
  assert.equal(response.status(), 200, path);
  const over = await page.locator("html").evaluate((html) => html.scrollWidth - html.clientWidth);
  assert.ok(over <= 0, `${path} is ${over} pixels wider than the screen`);
  return page;
}

export async function a_flood_is_whole_on_every_page({ open, server }) {
  await flooded(server, async (id) => {
    for (const options of [{}, { size: "phone" }, { size: "phone", script: false }]) {
      const page = await isWhole(open, `/i/${id}`, options);
      const text = await page.locator("main").innerText();
      assert.match(text, /a fixed rule decided/);
      assert.match(text, /Who did it\. No address tells/);
      assert.ok((await shown(page.locator("#received"))).height > 200, "the chart shows");
      await page.locator(".tabs a", { hasText: "Bits" }).click();
      await page.waitForURL("**show=bits*");
      assert.equal(await page.locator("#received title").textContent(), "Bits received");
      await page.context().close();
      for (const path of ["/", "/s/shop", `/i/${id}/versions`, "/history?kind=traffic", "/method", "/method/vectors"])
        await (await isWhole(open, path, options)).context().close();
    }
    const home = await isWhole(open, "/");
    assert.match(await home.locator("main").innerText(), /Traffic to Corner Shop is far above what was seen before/);
    const waits = await isWhole(open, "/s/waits");
    assert.match(await waits.locator("main").innerText(), /Telemetry is on, and nothing has arrived/);
    const plain = await isWhole(open, "/s/plain");
    assert.equal(await plain.locator("#traffic").count(), 0, "without telemetry there is no word of it");
    const size = (await (await fetch(`${server.url}/i/${id}`)).text()).length;
    assert.ok(size < 150_000, `the page of an incident weighs ${size} bytes`);
  });
}
a_flood_is_whole_on_every_page.options = withConfig;

export async function a_live_update_keeps_the_chosen_chart_and_open_folds({ open, server }) {
  await flooded(server, async (id) => {
    const page = await isWhole(open, `/i/${id}?show=bits`);
    await page.locator("#t-records summary").click();
    await page.evaluate(() => (document.getElementById("live").seen = true));
    await page.waitForFunction(() => !document.getElementById("live").seen, null, { timeout: 15000 });
    assert.equal(await page.locator("#received title").textContent(), "Bits received");
    assert.equal(await page.locator("#t-records").getAttribute("open"), "open");
  });
}
a_live_update_keeps_the_chosen_chart_and_open_folds.options = withConfig;

export async function the_charts_are_reached_by_keyboard({ open, server }) {
  await flooded(server, async (id) => {
    const page = await isWhole(open, `/i/${id}`, { script: false });
    await page.locator(".tabs a", { hasText: "Packets" }).focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL("**show=bits*");
  });
}
the_charts_are_reached_by_keyboard.options = withConfig;

// Text against what is behind it, as WCAG 2.2 (1.4.3) has it: 4.5 to 1, large text 3 to 1.
function faint() {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const luminance = (rgb) => rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { rgb, a } = parse(getComputedStyle(at).backgroundColor);
      if (a === 1) return rgb;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.closest("svg, .vh, .skip") || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const [light, dark] = [luminance(parse(style.color).rgb), luminance(behind(element))].sort((a, b) => b - a);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)} ${element.tagName} ${element.textContent.slice(0, 40)}`);
  }
  return found;
}

export async function text_stands_out_in_both_colour_schemes({ open, server }) {
  await flooded(server, async (id) => {
    for (const path of [`/i/${id}`, "/", "/s/shop", "/method"]) {
      const page = await isWhole(open, path);
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" }); /* no colours on their way */
        assert.deepEqual(await page.evaluate(faint), [], `${path}, ${colorScheme}`);
      }
      await page.context().close();
    }
  });
}
text_stands_out_in_both_colour_schemes.options = withConfig;

export async function every_table_has_heads_and_every_picture_words({ open, server }) {
  await flooded(server, async (id) => {
    for (const path of [`/i/${id}`, "/s/shop", "/method", "/method/vectors"]) {
      const page = await isWhole(open, path);
      const bad = await page.evaluate(() => [...document.querySelectorAll("table")].filter((table) =>
        !table.querySelector("thead th[scope=col]") || [...table.querySelectorAll("tbody tr")].some((row) => !row.querySelector("th")))
        .map((table) => table.outerHTML.slice(0, 80)));
      assert.deepEqual(bad, [], path);
      const unnamed = await page.evaluate(() => [...document.querySelectorAll("svg.chart, img")].filter((picture) =>
        !(picture.getAttribute("alt") || picture.querySelector(":scope > title"))).length);
      assert.equal(unnamed, 0, `${path} has pictures without words`);
      await page.context().close();
    }
  });
}
every_table_has_heads_and_every_picture_words.options = withConfig;
