// SPDX-License-Identifier: Apache-2.0
// run.mjs [FOLDER]: runs every *_test.mjs in FOLDER (where this file is) and prints what tests/lib.sh says a
// script test prints. A test file exports functions; each gets {open, server} (harness.mjs: withServer) and
// fails by throwing.
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { launchBrowser, whyNot, withServer } from "./harness.mjs";

const folder = process.argv[2] ?? dirname(fileURLToPath(import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith("_test.mjs")).sort();
const reason = await whyNot();
const browser = reason ? null : await launchBrowser();
let failures = 0;

for (const file of files) {
  const tests = Object.entries(await import(pathToFileURL(join(folder, file))));
  for (const [name, test] of tests) {
    if (typeof test !== "function") continue;
    const title = `${file.replace("_test.mjs", "")}: ${name.replaceAll("_", " ")}`;
    if (reason) {
      console.log(`skip - ${title}: ${reason}`);
      continue;
    }
    try {
      await withServer(browser, test);
      console.log(`ok - ${title}`);
    } catch (error) {
      failures++;
      console.log(`    ${String(error.stack ?? error).replaceAll("\n", "\n    ")}`);
      console.log(`not ok - ${title}`);
    }
  }
}
await browser?.close();
process.exit(failures ? 1 : 0);
