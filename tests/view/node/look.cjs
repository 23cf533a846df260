// Looks at pages as a person would, and tells what it saw: one browser for all of them.
// stdin: {"chromium": PATH, "modules": DIR, "looks": [{"url", "width", "height", "dark", "keys", "shot"}]}
// stdout: an array, one object a look.
const path = require("path");
const fs = require("fs");

async function look(browser, axe, wanted) {
  const context = await browser.newContext({
    viewport: { width: wanted.width, height: wanted.height },
    colorScheme: wanted.dark ? "dark" : "light",
    javaScriptEnabled: true,
  });
  const page = await context.newPage();
  const seen = { console: [], requests: [], dialogs: [], errors: [] };
  page.on("console", (message) => seen.console.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("dialog", async (dialog) => { seen.dialogs.push(dialog.message()); await dialog.dismiss(); });
  await page.goto(wanted.url, { waitUntil: "load" });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  seen.paint = await page.evaluate(
    () => performance.getEntriesByName("first-contentful-paint").map((entry) => entry.startTime)[0] ?? null);
  seen.title = await page.title();
  seen.text = await page.evaluate(() => document.body.innerText);
  seen.overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  seen.ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  seen.made = await page.evaluate(
    () => [...document.querySelectorAll("script,iframe,object,embed,form,img,video,audio,base,[onerror],[onload],[onclick]")]
      .map((element) => element.outerHTML.slice(0, 200)));
  seen.times = await page.evaluate(
    () => [...document.querySelectorAll("time")].slice(0, 5).map((time) => [time.dateTime, time.textContent]));
  if (wanted.axe) {
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    seen.violations = found.violations.map(
      (each) => `${each.impact} ${each.id}: ${each.help} (${each.nodes[0].html.slice(0, 160)})`);
  }
  if (wanted.keys) {
    seen.focused = [];
    for (let press = 0; press < wanted.keys; press++) {
      await page.keyboard.press("Tab");
      seen.focused.push(await page.evaluate(() => {
        const element = document.activeElement;
        const style = getComputedStyle(element);
        return [element.textContent.trim().slice(0, 40), style.outlineStyle !== "none"];
      }));
    }
    await Promise.all([page.waitForURL((url) => String(url) !== wanted.url), page.keyboard.press("Enter")]);
    seen.arrived = page.url();
  }
  if (wanted.shot) await page.screenshot({ path: wanted.shot, fullPage: Boolean(wanted.full) });
  await context.close();
  return seen;
}

(async () => {
  const asked = JSON.parse(fs.readFileSync(0, "utf8"));
  const { chromium } = require(path.join(asked.modules, "playwright-core"));
  const axe = fs.readFileSync(path.join(asked.modules, "axe-core", "axe.min.js"), "utf8");
  const browser = await chromium.launch({
    executablePath: asked.chromium,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  try {
    const seen = [];
    for (const wanted of asked.looks) seen.push(await look(browser, axe, wanted));
    process.stdout.write(JSON.stringify(seen));
  } finally {
    await browser.close();
  }
})().catch((error) => { console.error(error); process.exit(1); });
