// SPDX-License-Identifier: Apache-2.0
// A page of another site cannot make its visitors report, and the site's own form works: on a site without TLS, too,
// where browsers say nothing but Origin.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launchBrowser } from "./harness.mjs";

const config = join(mkdtempSync(join(tmpdir(), "whydown-origin-")), "whydown.yaml");
writeFileSync(config, "services_from: []\nservices: [{id: shop, name: Shop}]\n");

// Of a page that says where it is, and of one that hides it.
const form = (action) => `<form method=post action="${action}"><input name=service value=shop></form>`;
const hidden = (action) => `<meta name=referrer content=no-referrer>${form(action)}`;

// {page, other(html)}: a browser for which every name under .test is this machine. `other` shows a page of another
// site, and says how the report that it sends is answered.
async function inBrowser(server, test) {
  const browser = await launchBrowser(["--host-resolver-rules=MAP *.test 127.0.0.1"]);
  let html = "";
  const evil = createServer((request, answer) => {
    answer.setHeader("Content-Type", "text/html");
    answer.end(html);
  });
  await new Promise((listening) => evil.listen(0, "127.0.0.1", listening));
  const other = async (text) => {
    html = text;
    const page = await browser.newPage();
    await page.goto(`http://evil.test:${evil.address().port}/`);
    const sent = page.waitForResponse((answer) => answer.url().endsWith("/api/v1/reports"));
    await page.locator("form").evaluate((it) => it.submit());
    const answer = await sent;
    return { status: answer.status(), headers: await answer.request().allHeaders() };
  };
  try {
    await test({ page: await browser.newPage(), other });
  } finally {
    await browser.close();
    evil.close();
  }
}

async function the_own_form_works_without_tls({ server }) {
  const site = `http://down.test:${new URL(server.url).port}`;
  await inBrowser(server, async ({ page }) => {
    await page.goto(`${site}/s/shop`);
    const sent = page.waitForRequest((request) => request.method() === "POST");
    await page.locator("form[action='/api/v1/reports'] button").first().click();
    const headers = await (await sent).allHeaders();
    assert.equal(headers["sec-fetch-site"], undefined, "the browser says so where there is no TLS");
    assert.equal(headers.origin, site);
    await page.waitForURL(/reported=1/);
  });
}

async function a_form_of_another_site_is_refused({ server }) {
  const { port } = new URL(server.url);
  await inBrowser(server, async ({ other }) => {
    for (const host of ["127.0.0.1", "down.test"]) { // trusted by the browser, and not
      for (const made of [form, hidden]) {
        const { status, headers } = await other(made(`http://${host}:${port}/api/v1/reports`));
        assert.equal(status, 403, `${made.name} to ${host}`);
        assert.equal(headers["sec-fetch-site"], host === "down.test" ? undefined : "cross-site");
        assert.match(headers.origin, made === form ? /^http:..evil.test/ : /^null$/);
      }
    }
  });
}

for (const test of [the_own_form_works_without_tls, a_form_of_another_site_is_refused])
  test.options = ["--config", config];
export { the_own_form_works_without_tls, a_form_of_another_site_is_refused };
