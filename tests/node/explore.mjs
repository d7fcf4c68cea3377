// usage: node explore.mjs PAGE CHROMIUM. Opens the explorer's page from disk in headless Chromium, does what a person would do with mouse
// and keys, and prints what it saw as JSON. It judges nothing: the tests do.
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { chromium } from "playwright-core"

const [file, executablePath] = process.argv.slice(2)
const address = pathToFileURL(file).href
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
const quiet = ["disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"]
const seen = {}
const asked = []
const errors = []

async function open(page, hash = "") {
  await page.goto("about:blank")
  await page.goto(address + hash)
  await page.waitForSelector("body[data-ready]")
}

// What stands on the page now.
const look = (page) => page.evaluate(() => {
  const text = (selector) => document.querySelector(selector)?.innerText.trim() ?? null
  const all = (selector) => [...document.querySelectorAll(selector)].map((element) => element.textContent.trim().replaceAll(/\s+/g, " "))
  return {
    live: text("#live"), count: text("#count"), hash: location.hash, trouble: text("#trouble"),
    possible: [...document.querySelectorAll("button.step")].map((button) => button.dataset.action),
    groups: all("#possible h3"), moments: [...document.querySelectorAll(".moment")].map((moment) => moment.dataset.action),
    standing: Object.fromEntries([...document.querySelectorAll(".machine")].map((machine) =>
      [machine.querySelector("h4").innerText.split(" ")[0], machine.querySelector("[aria-current]").innerText.replace("● ", "")])),
    now: all(".frame .badge.now text"), last: all(".frame .badge.last text"), tabs: all(".tab[aria-pressed=true]"),
    broken: all("#verdicts [data-group=broken] li b"), summary: text("#verdicts .summary"), about: text("#about"),
    tables: document.querySelector("#tables").value, focus: document.activeElement.id || document.activeElement.dataset.action || document.activeElement.tagName,
  }
})

const settled = async (page, act) => {
  const before = await page.evaluate(() => location.hash)
  await act()
  await page.waitForFunction((old) => location.hash !== old, before)
  return look(page)
}

async function reach(page) { // with the mouse
  await open(page, "#world=window")
  seen.start = await look(page)
  seen.refused = await page.evaluate(() => [...document.querySelectorAll("#impossible .because")].map((because) => because.textContent))
  seen.rules = await page.evaluate(() => document.querySelector("button.step[data-action=say]").parentElement.textContent)
  seen.said = await settled(page, () => page.click("button.step[data-action=say]"))
  seen.routed = await settled(page, () => page.click("button.step[data-action=route-a]"))
  seen.back = await settled(page, () => page.click("#back"))
  seen.forward = await settled(page, () => page.click("#forward"))
  seen.jumped = await settled(page, () => page.click(".moment .when"))
  seen.reset = await settled(page, () => page.click("#reset"))
  seen.random = await settled(page, () => page.click("#random"))
  await open(page, seen.routed.hash)
  seen.link = await look(page)
  await page.evaluate(() => { location.hash = "#world=sleep&path=0" })
  await page.waitForFunction(() => document.querySelector("#world").value === "sleep")
  seen.hashed = await look(page)
  await open(page, "#world=window&path=1.99.0")
  seen.wrongStep = await look(page)
  await open(page, "#world=atlantis&path=1")
  seen.wrongWorld = await look(page)
  await open(page, "#world=zombie&path=0")
  seen.zombie = await look(page)
}

async function depart(page) {
  await open(page, "#world=window")
  seen.departed = await settled(page, () => page.selectOption("#tables", "replay-stops"))
  seen.start2 = await settled(page, () => page.click("#reset"))
  seen.broken = await settled(page, () => page.click("#break"))
  seen.returned = await settled(page, () => page.selectOption("#tables", ""))
  await settled(page, () => page.selectOption("#tables", "retry-unspaced"))
  seen.round = await page.evaluate(() => [...document.querySelectorAll(".again")].map((mark) => [mark.innerText, mark.parentElement.querySelector(".when b").innerText]))
  await settled(page, () => page.click("#back"))
  seen.notRound = await page.evaluate(() => document.querySelectorAll(".again").length)
  await settled(page, () => page.selectOption("#tables", ""))
}

async function ask(page) { // take me to a state where …
  await open(page, "#world=sleep")
  await page.click("#goals summary")
  await page.selectOption("#goal-what", "machines\nACK-G")
  await page.selectOption("#goal-is", { label: "held" })
  await page.click("#goal-add")
  await page.selectOption("#goal-what", "values\nclient: said")
  await page.selectOption("#goal-is", { label: "1" })
  await page.click("#goal-add")
  seen.reached = await settled(page, () => page.click("#goal-go"))
}

async function press(page) { // the keyboard alone
  await open(page, "#world=window")
  const key = (name) => settled(page, () => page.keyboard.press(name))
  seen.keys = { one: await key("1"), two: await key("1"), left: await key("ArrowLeft"), right: await key("ArrowRight"), b: await key("b"), home: null, r: await key("r") }
  seen.keys.home = await key("Home")
  await page.keyboard.press("g")
  const field = await look(page)
  await page.keyboard.press("1")
  seen.keys.field = { focus: field.focus, before: field.hash, after: (await look(page)).hash }
  await page.evaluate(() => document.activeElement.blur())
  await page.keyboard.press("?")
  seen.keys.help = await page.evaluate(() => document.querySelector("dialog").open)
  await page.keyboard.press("Escape")
  seen.keys.closed = await page.evaluate(() => !document.querySelector("dialog").open)
  await page.uncheck("#shortcuts", { force: true }).catch(() => page.evaluate(() => { document.querySelector("#shortcuts").checked = false }))
  await page.keyboard.press("1")
  seen.keys.off = (await look(page)).hash
  await open(page, "#world=window")
  const stops = []
  for (let stop = 0; stop < 20 && !stops.includes("say"); stop++) {
    await page.keyboard.press("Tab")
    stops.push((await look(page)).focus)
  }
  seen.keys.stops = stops
  seen.keys.entered = await key("Enter")
}

async function tour(page) {
  await open(page, "#tour=promise&step=0")
  seen.tour = { shown: await look(page), text: await page.innerText("#tour") }
  await settled(page, () => page.keyboard.press("t"))
  seen.tour.question = await page.innerText("#tour")
  seen.tour.spoiled = await page.isVisible("#possible .rules")
  seen.tour.before = await look(page)
  await page.check("#tour input[value='0']")
  await settled(page, () => page.keyboard.press("t"))
  seen.tour.answer = await page.innerText("#tour")
  seen.tour.after = await look(page)
  seen.tour.looked = await page.evaluate(() => document.querySelector(".look b")?.innerText)
  seen.tour.end = await settled(page, () => page.click("#tour-next"))
  seen.tour.exercise = await page.innerText("#tour")
  seen.tour.own = await settled(page, () => page.keyboard.press("1"))
  seen.tour.returned = await settled(page, () => page.click("#tour-return"))
  seen.tour.left = await settled(page, () => page.click("#tour-leave"))
  await open(page, "#tour=nowhere")
  seen.tour.unknown = await look(page)
}

// The theme, by the keyboard, and after the page was loaded again.
async function theme(page) {
  const paper = () => page.evaluate(() => [theme.chosen, getComputedStyle(document.body).backgroundColor, getComputedStyle(document.documentElement).colorScheme])
  await open(page, "#world=window")
  seen.theme = { system: await paper() }
  await page.focus("#theme")
  await page.keyboard.press("ArrowDown")
  seen.theme.light = await paper()
  await page.emulateMedia({ colorScheme: "dark" })
  seen.theme.stays = await paper()
  await page.evaluate(() => document.activeElement.blur())
  await page.keyboard.press("d")
  seen.theme.dark = await paper()
  await open(page, "#world=window")
  seen.theme.kept = await paper()
  await page.emulateMedia({ colorScheme: "dark", media: "print" })
  seen.theme.printed = await paper()
  await page.emulateMedia({ colorScheme: "light", media: "screen" })
  await audit(page, "chosen dark", ["#world=sleep&path=0"])
  await page.focus("#theme")
  await page.selectOption("#theme", "system")
  seen.theme.again = await paper()
}

// Every rule of axe-core, where much is shown.
async function audit(page, name, hashes) {
  const found = []
  const run = async (what) => {
    await page.evaluate(axe)
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }))
    found.push(...violations.map(({ id, nodes }) => `${what}: ${id}: ${nodes.slice(0, 3).map((node) => node.target.join(" ")).join(" | ")}`))
  }
  for (const hash of hashes) {
    await open(page, hash)
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true }))
    await run(hash)
  }
  if (name === "light") {
    await page.evaluate(() => document.querySelector("#help").showModal())
    await run("help")
  }
  seen.axe ??= {}
  seen.axe[name] = found
  seen.wide ??= {}
  seen.wide[name] = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
}

const profile = mkdtempSync(join(tmpdir(), "tunnelspec-explorer-"))
const context = await chromium.launchPersistentContext(profile, {
  executablePath, headless: true, chromiumSandbox: false, args: quiet.map((flag) => `--${flag}`),
  viewport: { width: 1280, height: 900 }, colorScheme: "light",
})
try {
  const page = context.pages()[0]
  page.on("request", (request) => asked.push(request.url()))
  page.on("pageerror", (error) => errors.push(String(error)))
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()))
  await reach(page)
  await depart(page)
  await ask(page)
  await press(page)
  await tour(page)
  await theme(page)
  seen.errors = errors
  seen.requests = asked.filter((url) => !url.startsWith(address) && url !== "about:blank" && !url.startsWith("data:"))
  await audit(page, "light", ["#world=sleep&path=0", "#tour=promise&step=1"])
  await page.emulateMedia({ colorScheme: "dark" })
  await audit(page, "dark", ["#world=wrap&deviation=replay-stops"])
  await page.setViewportSize({ width: 360, height: 740 })
  await audit(page, "narrow", ["#world=zombie&path=0.6"])
} finally {
  await context.close()
  rmSync(profile, { recursive: true, force: true })
}
console.log(JSON.stringify(seen))
