// Puts the page together: what is chosen, where one is, and the views that show it.

import { World, atlas, has } from "./data.js"
import { announce, el, find, option, plural } from "./dom.js"
import { drawGoals, setUpGoals } from "./goals.js"
import { setUpKeys } from "./keys.js"
import { drawParts } from "./parts.js"
import { drawPictures, prepare, setUpPictures, showPicture, turnPicture } from "./pictures.js"
import { drawProperties, standing } from "./properties.js"
import { drawSequence } from "./sequence.js"
import { Session, fragment, parse } from "./session.js"
import { drawSteps, listed } from "./steps.js"
import { asking, drawTour, leave, sayTour, tourNamed, visit } from "./tour.js"

const session = new Session()
const worldOf = new Map(atlas.worlds.map((place) => [place.key, place]))
let walking // the timer of a random walk
let chosen // the world that the choice shows
let written = "" // the fragment that we wrote ourselves

// A rule or property that can be pressed: it shows where it stands.
function rule(id) {
  return el("button.rule", { type: "button", title: atlas.rules[id]?.says ?? "a line that a departure added", onclick: () => {
    const machine = id.slice(0, -3)
    if (atlas.machines.some((one) => one.id === machine)) showPicture(session, machine, undefined, id)
    announce(`${id}: ${atlas.rules[id]?.says ?? ""}`)
  } }, id)
}

function link(id) {
  if (atlas.rules[id]) return rule(id)
  const property = atlas.properties.find((one) => one.id === id)
  if (!property) return undefined
  return el("button.rule", { type: "button", title: property.says, onclick: () => {
    drawProperties(session, [id])
    find(`property-${id}`)?.scrollIntoView({ block: "center" })
    announce(`${id}: ${property.says}`)
  } }, id)
}

// -- what is chosen ----------------------------------------------------------------------------------------------------

function setUpChoice() {
  const departures = [...new Set(atlas.worlds.map((place) => place.deviation))].filter(Boolean)
  const known = new Map(atlas.deviations.map((deviation) => [deviation.id, deviation]))
  const group = (label, ids) => ids.length ? el("optgroup", { label }, ids.map((id) => option(id, id))) : ""
  find("tables").append(...[option("", "the specification"),
    group("departs as the merged code does", departures.filter((id) => known.get(id)?.merged)),
    group("departs as a review suggests", departures.filter((id) => known.has(id) && !known.get(id).merged)),
    group("lacks a line", departures.filter((id) => !known.has(id)))].filter(Boolean))
  find("tables").addEventListener("change", () => {
    const there = atlas.worlds.filter((place) => place.deviation === find("tables").value)
    const same = there.find((place) => place.world === session.world.world)
    choose((same ?? there[0]).key)
  })
  find("world").addEventListener("change", () => choose(find("world").value))
  find("tours").append(option("", atlas.tours.length ? "none" : "none yet"), ...atlas.tours.map((tour) => option(tour.name, tour.title)))
  find("tours").addEventListener("change", () => {
    const tour = tourNamed(find("tours").value)
    if (tour) visit(session, tour, 0)
    else leave(session)
  })
}

function setUpTheme() {
  find("theme").value = theme.chosen
  find("theme").addEventListener("change", () => theme.choose(find("theme").value))
}

// A world from its start; one with a counterexample, from there.
async function choose(key, path) {
  stop()
  session.tour = session.left = undefined
  let trouble = await session.enter(key, path ?? [])
  if (path === undefined && session.world.violated.length) trouble = await session.enter(key, session.world.violated[0].way)
  session.changed({ entered: true })
  return trouble
}

function drawChoice({ world, tour }) {
  find("tours").value = tour?.name ?? ""
  if (chosen === world) return
  chosen = world
  const place = worldOf.get(world.key)
  find("tables").value = place.deviation
  const there = atlas.worlds.filter((one) => one.deviation === place.deviation)
  find("world").replaceChildren(...there.map((one) => option(one.key, `${one.world}: ${one.says}`, one.key === world.key)))
  const departure = atlas.deviations.find((one) => one.id === place.deviation)
  const size = world.whole ? `${plural(world.size, "state")}, all there are`
    : `${plural(world.size, "state")} of ${world.complete ? world.states.toLocaleString("en") : "more"}: the others are left out`
  find("about").replaceChildren(
    ...(departure ? [el("strong.departs", {}, "These tables depart from the specification: "), `${departure.says} `] : []),
    ...(place.deviation && !departure ? [el("strong.departs", {}, "These tables depart from the specification: "), `${place.deviation}. `] : []),
    `${world.says} `, el("small", {}, `${size}. Bounds: ${world.bounds.map(([name, value]) => `${name} ${value}`).join(", ") || "none but the defaults"}.`),
    ...(place.deviation && has(world.world) ? [" ", el("a", { href: `#world=${world.world}&path=` }, "The same world by the specification")] : []))
}

// -- where one is ------------------------------------------------------------------------------------------------------

function drawControls({ world, at, way }) {
  find("count").textContent = at === way.length ? `step ${at}` : `step ${at} of ${way.length}`
  const can = (id, holds) => find(id).setAttribute("aria-disabled", String(!holds)) // so that a pressed button keeps the focus
  can("back", at > 0)
  can("reset", at > 0)
  can("forward", at < way.length)
  can("random", !world.isEnd(session.state))
  can("walk", !world.isEnd(session.state))
  can("break", world.violated.length > 0)
  find("break").title = world.violated.length ? "" : "no property is violated in this world"
}

function say({ world, edge, state, at }) {
  const possible = plural(world.steps(state).length, "step is", "steps are")
  const { failing } = standing(session)
  const broken = failing.length ? ` Broken: ${failing.join(", ")}.` : ""
  if (edge === undefined) return announce(`The start. ${possible} possible.${broken}`)
  const [, party, says] = world.actions[world.action(edge)]
  const took = [...new Set(world.story(edge).took)].filter((name) => atlas.rules[name]?.verdict === "taken")
  const lines = took.length ? ` By ${took.join(", ")}.` : ""
  announce(`Step ${at}, ${party === "time" ? "clock" : party}: ${says}${lines}${broken} ${world.isEnd(state) ? "This is an end." : `${possible} possible.`}`)
}

function draw(_, news) {
  const focused = document.activeElement
  const place = [...document.querySelectorAll("button.step")].indexOf(focused)
  const title = focused.closest("section[aria-labelledby]")?.querySelector("h2")
  const inTour = focused.closest("#tour") !== null
  drawChoice(session)
  drawControls(session)
  drawTour(session, link)
  drawSteps(session, rule)
  drawSequence(session, rule)
  drawParts(session, (machine, of) => showPicture(session, machine, of))
  const look = session.tour && !asking(session) ? session.tour.tour.steps[session.tour.step].look : []
  drawProperties(session, look)
  drawGoals(session)
  const machine = look.find((id) => atlas.machines.some((one) => one.id === id))
  drawPictures(session, machine ? false : undefined)
  if (news.toured) look.filter((id) => atlas.machines.some((one) => one.id === id)).forEach((id) => turnPicture(session, id))
  if (!focused.isConnected) refocus(inTour, place, title)
  sayTour(session)
  say(session)
  written = fragment(session)
  if (location.hash !== written) history.replaceState(null, "", written)
}

// What had the focus was drawn anew: it goes to what took its place.
function refocus(inTour, place, title) {
  const steps = document.querySelectorAll("button.step")
  const next = inTour ? document.querySelector("#tour-reveal, #tour-next:enabled, #tour-text") : place >= 0 ? steps[place] ?? steps[0] : title
  title?.setAttribute("tabindex", "-1")
  ;(next ?? title)?.focus({ preventScroll: place >= 0 })
}

// -- buttons -----------------------------------------------------------------------------------------------------------

function randomStep() {
  const open = listed(session.world, session.state).filter((edge) =>
    ![session.state, World.BEYOND].includes(session.world.target(edge)))
  if (!open.length) return stop()
  session.take(open[Math.floor(Math.random() * open.length)])
}

function stop() {
  clearInterval(walking)
  walking = undefined
  find("walk").setAttribute("aria-pressed", "false")
}

function setUpButtons() {
  find("back").addEventListener("click", () => session.go(session.at - 1))
  find("forward").addEventListener("click", () => session.go(session.at + 1))
  find("reset").addEventListener("click", () => session.go(0))
  find("random").addEventListener("click", randomStep)
  find("break").addEventListener("click", () => session.breakIt())
  find("walk").addEventListener("click", () => {
    if (walking) return stop()
    find("walk").setAttribute("aria-pressed", "true")
    walking = setInterval(randomStep, 600)
    randomStep()
  })
  find("share").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href)
      announce("The link to what you see was copied.")
    } catch {
      announce(`The link to what you see is in the address bar: ${location.hash}`)
    }
  })
  document.addEventListener("keydown", (event) => event.key === "Escape" && walking && stop())
}

// -- the fragment ------------------------------------------------------------------------------------------------------

async function visitFragment() {
  if (location.hash === written && session.world) return
  if (location.hash.startsWith("#steps")) return
  const asked = parse(location.hash)
  let trouble = ""
  const tour = asked.tour !== undefined ? tourNamed(asked.tour) : undefined
  if (tour) await visit(session, tour, asked.step, asked.told)
  else {
    if (asked.tour !== undefined) trouble = `There is no tour “${asked.tour}”. `
    if (asked.key !== undefined && !worldOf.has(asked.key)) trouble += `There is no world “${asked.key.replace("~", "” with “")}” on this page: this is the first one.`
    const key = worldOf.has(asked.key) ? asked.key : atlas.worlds[0].key
    trouble += (await choose(key, key === asked.key ? asked.path : undefined)) ?? ""
  }
  find("trouble").hidden = trouble === ""
  find("trouble").textContent = trouble
}

session.onchange(draw)
session.onchange((_, news) => !news.entered && (find("trouble").hidden = true))
setUpChoice()
setUpTheme()
setUpButtons()
setUpKeys(session)
setUpGoals(session)
setUpPictures(session, () => drawPictures(session, false))
addEventListener("hashchange", visitFragment)
await visitFragment()
performance.mark("ready")
document.body.dataset.ready = "true"
prepare()
