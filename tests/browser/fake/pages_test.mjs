// SPDX-License-Identifier: Apache-2.0
// Run against ./server.mjs by tests/harness_test.sh, which knows which of these must fail.
import assert from "node:assert/strict";

export async function good_page_passes({ open }) {
  const { page } = await open("/good");
  assert.equal(await page.title(), "by script");
}
export async function script_can_be_off({ open }) {
  const { page } = await open("/good", { size: "phone", script: false });
  assert.equal(await page.title(), "t");
  assert.equal(page.viewportSize().width, 390);
}
export async function expected_complaint_passes({ open }) {
  await open("/error", { expected: (text) => text.includes("something") });
}
export async function console_error_fails({ open }) {
  await open("/error");
}
export async function exception_fails({ open }) {
  await open("/throws");
}
export async function request_to_another_host_fails({ open }) {
  await open("/elsewhere");
}
export async function missing_file_fails({ open }) {
  await open("/missing");
}
export async function assertion_fails({ open }) {
  const { response } = await open("/nowhere", { expected: () => true });
  assert.equal(response.status(), 200);
}
