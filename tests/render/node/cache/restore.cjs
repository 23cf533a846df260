const cache = require("@actions/cache");
const core = require("@actions/core");

async function main() {
  const [paths, key] = [core.getMultilineInput("path"), core.getInput("key")];
  const found = await cache.restoreCache(paths, key, core.getMultilineInput("restore-keys"));
  core.saveState("found", found ?? "");
  console.log(`cache: ${found ?? "nothing"} for ${key}`);
}

main().catch((error) => core.setFailed(error.message));
