// usage: node report.mjs PAGE CHROMIUM [FOLDER]. Opens a conformance report from disk in headless Chromium, filters it with the keys alone,
// and prints what it saw as JSON; with FOLDER it leaves pictures there. It judges nothing: the tests do.
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { chromium } from "playwright-core"

const [file, executablePath, folder] = process.argv.slice(2)
const address = pathToFileURL(file).href
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
const quiet = ["disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"]
const seen = { axe: {}, wide: {} }
const asked = []
const errors = []

const shown = (page) => page.evaluate(() => ({
  ids: [...document.querySelectorAll("#list > li:not([hidden])")].map((one) => one.dataset.id),
  count: document.querySelector("#count")?.textContent ?? null,
}))

async function filter(page) { // the keyboard alone
  seen.all = await shown(page)
  await page.focus("#filter [name=id]")
  await page.keyboard.type("LIVE")
  seen.typed = await shown(page)
  await page.keyboard.press("Tab")
  await page.keyboard.press("Space") // the first verdict's box
  seen.unchecked = { ...await shown(page), value: await page.evaluate(() => document.activeElement.value) }
  await page.focus("#filter [type=reset]")
  await page.keyboard.press("Enter")
  await page.waitForFunction((count) => document.querySelector("#count").textContent === count, seen.all.count)
  seen.reset = await shown(page)
}

async function audit(page, name) {
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true }))
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }))
  seen.axe[name] = violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.target.join(" ")).join(" | ")}`)
  seen.wide[name] = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
}

const profile = mkdtempSync(join(tmpdir(), "tunnelspec-report-"))
const context = await chromium.launchPersistentContext(profile, {
  executablePath, headless: true, chromiumSandbox: false, args: quiet.map((flag) => `--${flag}`),
  viewport: { width: 1280, height: 900 }, colorScheme: "light",
})
try {
  const page = context.pages()[0]
  page.on("request", (request) => asked.push(request.url()))
  page.on("pageerror", (error) => errors.push(String(error)))
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()))
  await page.goto(address)
  if (await page.$("#filter")) {
    await page.waitForSelector("body[data-ready]")
    await filter(page)
  }
  for (const [name, width, colorScheme] of [["light", 1280, "light"], ["dark", 1280, "dark"], ["narrow", 360, "light"]]) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 900 })
    await page.goto("about:blank")
    await page.goto(address)
    const high = folder ? await page.evaluate(() => document.documentElement.scrollHeight) : 0
    for (let y = 0; y < Math.min(high, 4800); y += 1600) {
      const clip = { x: 0, y, width, height: Math.min(1600, high - y) }
      await page.screenshot({ path: join(folder, `${name}-${y / 1600 + 1}.png`), fullPage: true, clip })
    }
    await audit(page, name)
  }
  seen.errors = errors
  seen.requests = asked.filter((url) => !url.startsWith(address) && url !== "about:blank" && !url.startsWith("data:"))
} finally {
  await context.close()
  rmSync(profile, { recursive: true, force: true })
}
console.log(JSON.stringify(seen))
