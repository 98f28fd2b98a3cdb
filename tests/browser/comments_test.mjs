// SPDX-License-Identifier: Apache-2.0
// A comment comes to an open page when it is published, and goes when it is rejected; what is hostile in it does
// nothing, on a phone, with script and without.
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TOKEN = "only-the-operator-has-this-token";
const config = join(mkdtempSync(join(tmpdir(), "whydown-comments-")), "whydown.yaml");
writeFileSync(config, `admin_token: ${TOKEN}\nservices_from: []\nservices: [{id: shop, name: Shop}]\n`);
const HOSTILE = "</p><script>document.title = 'taken'</script><img src=x onerror=alert(1)> " + "W".repeat(300);

const json = { "Content-Type": "application/json", Authorization: `Bearer ${TOKEN}` };

async function held(server) {
  await fetch(`${server.url}/api/v1/reports`, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ service: "shop", comment: HOSTILE }),
  });
  const { comments } = await (await fetch(`${server.url}/api/v1/comments`, { headers: json })).json();
  return comments.at(-1).id;
}

async function decide(server, id, decision) {
  const answer = await fetch(`${server.url}/api/v1/comments/${id}`,
    { method: "POST", headers: json, body: JSON.stringify({ decision }) });
  assert.equal(answer.status, 200);
}

async function harmless(page) {
  assert.equal(await page.locator(".said p").innerText(), HOSTILE);
  assert.doesNotMatch(await page.title(), /taken/);
  const over = await page.locator("html").evaluate((html) => html.scrollWidth - html.clientWidth);
  assert.ok(over <= 0, `the page is ${over} pixels wider than the screen`);
}

async function a_comment_comes_and_goes_on_an_open_page({ server, open }) {
  const id = await held(server);
  const { page } = await open("/s/shop", { size: "phone" });
  await page.waitForTimeout(500); // until it listens
  assert.equal(await page.locator("#said").count(), 0);
  await decide(server, id, "publish");
  await page.locator("#said").waitFor({ timeout: 5000 });
  await harmless(page);
  await decide(server, id, "reject");
  await page.locator("#said").waitFor({ state: "detached", timeout: 5000 });
}

async function a_comment_is_there_without_script({ server, open }) {
  await decide(server, await held(server), "publish");
  const { page } = await open("/s/shop", { size: "phone", script: false });
  assert.equal(await page.locator(".said p").innerText(), HOSTILE);
}

for (const test of [a_comment_comes_and_goes_on_an_open_page, a_comment_is_there_without_script])
  test.options = ["--config", config];
export { a_comment_comes_and_goes_on_an_open_page, a_comment_is_there_without_script };
