// Checks messages and views against Slack's official types.
// Usage: node check-blocks.mjs FILE; the file holds an array of {"name": …, "blocks": […]} or {"name": …, "view": {…}}.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import Ajv from "ajv";
import { createGenerator } from "ts-json-schema-generator";

const here = dirname(fileURLToPath(import.meta.url));
const generator = createGenerator({ path: join(here, "types.ts"), type: "*", skipTypeCheck: true });

function validator(type) {
  const ajv = new Ajv({ strict: false, allErrors: false });
  return ajv.compile(generator.createSchema(type));
}

const validators = { blocks: validator("Blocks"), view: validator("View") };
const items = JSON.parse(readFileSync(process.argv[2], "utf8"));
if (!Array.isArray(items) || items.length === 0) {
  console.error("the file holds no array of messages and views");
  process.exit(2);
}

// A union fails in each of its branches, so the validator's own words say little: the block that fails is shown instead.
function told(kind, value) {
  const blocks = kind === "blocks" ? value : (value.blocks ?? []);
  const failing = blocks.filter((block) => !validators.blocks([block]));
  if (failing.length === 0) return JSON.stringify({ ...value, blocks: undefined });
  return failing.map((block) => JSON.stringify(block)).join("\n    ");
}

let bad = 0;
items.forEach((item, index) => {
  const kind = item.view ? "view" : "blocks";
  const check = validators[kind];
  if (!check(item[kind])) {
    bad++;
    console.error(`${item.name ?? index}: not as @slack/types has it\n    ${told(kind, item[kind])}`);
  }
});
console.log(`${items.length - bad} of ${items.length} are as @slack/types has them`);
process.exit(bad ? 1 : 0);
