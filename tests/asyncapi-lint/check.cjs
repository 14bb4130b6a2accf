// Checks an AsyncAPI document with the official parser: any diagnostic is a failure.
const { readFileSync } = require("node:fs");
const { Parser } = require("@asyncapi/parser");

const [path] = process.argv.slice(2);
new Parser().parse(readFileSync(path, "utf8")).then(({ document, diagnostics }) => {
  for (const { code, path, message } of diagnostics) console.error(`${code} at ${path.join(".")}: ${message}`);
  if (!document || diagnostics.length > 0) process.exit(1);
  const count = document.allMessages().all().length;
  console.log(`${path}: AsyncAPI ${document.version()}, ${count} messages, no complaints`);
});
