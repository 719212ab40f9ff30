// Checks an app manifest against the Manifest interface of Slack's official client.
// Usage: node check-manifest.mjs FILE; the file holds the manifest as JSON.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import Ajv from "ajv";
import { createGenerator } from "ts-json-schema-generator";

const here = dirname(fileURLToPath(import.meta.url));
const generator = createGenerator({ path: join(here, "types.ts"), type: "*", skipTypeCheck: true });
const check = new Ajv({ strict: false, allErrors: true }).compile(generator.createSchema("AppManifest"));

if (!check(JSON.parse(readFileSync(process.argv[2], "utf8")))) {
  for (const { instancePath, message, params } of check.errors) console.error(`${instancePath || "/"} ${message} ${JSON.stringify(params)}`);
  process.exit(1);
}
console.log("the manifest is as @slack/web-api has it");
