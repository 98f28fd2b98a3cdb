// SPDX-License-Identifier: Apache-2.0
// The first page opens in a browser, on a desk and on a phone, with script and without.
import assert from "node:assert/strict";

async function opens(open, options) {
  const { page, response } = await open("/", options);
  assert.equal(response.status(), 200);
  assert.match(await page.title(), /\S/);
  assert.ok(await page.locator("h1").first().isVisible(), "the page has a heading that shows");
  const wide = (text) => page.locator("html").evaluate(text);
  if (options.script !== false) {
    const over = await wide((html) => html.scrollWidth - html.clientWidth);
    assert.ok(over <= 0, `the page is ${over} pixels wider than the screen`);
  }
}

export async function the_first_page_opens_on_a_desk({ open }) {
  await opens(open, { size: "desktop" });
}

export async function the_first_page_opens_on_a_phone({ open }) {
  await opens(open, { size: "phone" });
}

export async function the_first_page_opens_without_script({ open }) {
  await opens(open, { size: "desktop", script: false });
}
