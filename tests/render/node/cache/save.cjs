const cache = require("@actions/cache");
const core = require("@actions/core");

async function main() {
  const [paths, key] = [core.getMultilineInput("path"), core.getInput("key")];
  if (core.getState("found") !== key) {
    await cache.saveCache(paths, key);
    console.log(`cache: kept ${key}`);
  }
}

main().catch((error) => core.warning(error.message));
