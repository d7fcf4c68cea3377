// usage: node page.mjs PAGE CHROMIUM. Measures the explorer's page, and prints median, 95th percentile and worst in ms as JSON.
import { mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

const { chromium } = createRequire(new URL("../tests/node/package.json", import.meta.url))("playwright-core")
const [file, executablePath] = process.argv.slice(2)
const address = pathToFileURL(file).href
const profile = mkdtempSync(join(tmpdir(), "tunnelspec-bench-"))
const quiet = ["disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"]
const context = await chromium.launchPersistentContext(profile, {
  executablePath, headless: true, chromiumSandbox: false, args: quiet.map((flag) => `--${flag}`), viewport: { width: 1600, height: 1000 },
})
const times = {}
const spread = (values) => { // median, 95th percentile, worst
  const sorted = values.toSorted((a, b) => a - b)
  return [sorted[sorted.length >> 1], sorted[Math.floor((sorted.length - 1) * 0.95)], sorted.at(-1)]
}
const note = (name, values) => { times[name] = spread(values) }

async function ready(page, hash) {
  await page.goto("about:blank")
  await page.goto(address + hash)
  await page.waitForSelector("body[data-ready]")
  return page.evaluate(() => performance.getEntriesByName("ready")[0].startTime)
}

// From the key to the next picture on the screen, with all its layout and painting.
const step = (page, key) => page.evaluate(async (name) => {
  const began = performance.now()
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }))
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)))
  return performance.now() - began
}, key)

try {
  const page = context.pages()[0]
  await ready(page, "")
  const there = await page.evaluate(() => [...document.querySelector("#world").options].map((option) => option.value))
  const worlds = ["sleep", "deaf", "close", "zombie"].filter((world) => there.includes(world))
  const measured = { worlds: 0, times, cpu: {} }
  const client = await context.newCDPSession(page)
  await client.send("Performance.enable", { timeDomain: "threadTicks" })
  const busy = async () => (await client.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration").value * 1000
  for (const world of worlds) {
    const starts = []
    for (let again = 0; again < 5; again++) starts.push(await ready(page, `#world=${world}&path=`))
    note(`ready, in the world ${world}`, starts)
  }
  for (const world of worlds) {
    await ready(page, `#world=${world}&path=`)
    const [steps, worked] = [[], []]
    for (let again = 0; again < 60; again++) {
      const hash = await page.evaluate(() => location.hash)
      const before = await busy()
      const took = await step(page, "r")
      const after = await busy()
      if (await page.evaluate(() => location.hash) === hash) await step(page, "Home")
      else {
        steps.push(took)
        worked.push(after - before)
      }
    }
    measured.cpu[`a step, in the world ${world}`] = spread(worked)
    note(`a step, in the world ${world}`, steps)
  }
  const switches = []
  for (const world of there.filter((name) => !worlds.includes(name)).slice(0, 5))
    switches.push(await page.evaluate(async (key) => {
      const began = performance.now()
      const select = document.querySelector("#world")
      select.value = key
      select.dispatchEvent(new Event("change"))
      while (document.querySelector("#world").value !== key || !location.hash.startsWith(`#world=${key}&`)) await new Promise((done) => setTimeout(done))
      return performance.now() - began
    }, world))
  if (switches.length) note("another world, unpacked", switches)
  const large = worlds.includes("close") ? "close" : worlds[0]
  await ready(page, `#world=${large}&path=`)
  await page.evaluate(() => { document.querySelector("#goals").open = true })
  const goals = []
  for (let again = 0; again < 5; again++)
    goals.push(await page.evaluate(async () => {
      const began = performance.now()
      document.querySelector("#goal-what").value = "the world\nan end"
      document.querySelector("#goal-what").dispatchEvent(new Event("change"))
      document.querySelector("#goal-go").click()
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)))
      const took = performance.now() - began
      document.querySelector("#reset").click()
      return took
    }))
  note(`take me there, in the world ${large}`, goals)
  measured.worlds = await page.evaluate(() => document.querySelectorAll("script[id^=world]").length)
  console.log(JSON.stringify(measured))
} finally {
  await context.close()
  rmSync(profile, { recursive: true, force: true })
}
