// usage: node browser_client.mjs URL CHROMIUM. Runs the scenario in a page of headless Chromium; prints it as JSON.
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { chromium } from "playwright-core"

const [url, executablePath] = process.argv.slice(2)
const profile = mkdtempSync(join(tmpdir(), "tunnelspec-chromium-"))
const quiet = ["disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"]
const context = await chromium.launchPersistentContext(profile, {
  executablePath,
  headless: true,
  chromiumSandbox: false,
  args: quiet.map((flag) => `--${flag}`),
})
try {
  const page = await context.newPage()
  await page.goto(`${url.replace("ws://", "http://")}/health`)
  const source = readFileSync(new URL("./scenario.js", import.meta.url), "utf8").replace("export async function", "async function")
  const result = await page.evaluate(`(async () => { ${source}; return await scenario(WebSocket, ${JSON.stringify(url)}, "page${process.pid}") })()`)
  console.log(JSON.stringify(result))
} finally {
  await context.close()
  rmSync(profile, { recursive: true, force: true })
}
