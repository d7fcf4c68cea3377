// The state diagrams of both ends, with the states that the machines are in, and what the last step took.

import { atlas } from "./data.js"
import { el, find } from "./dom.js"

const SVG = "http://www.w3.org/2000/svg"
const ZOOMS = [0.35, 0.5, 0.65, 0.8, 1, 1.25]
const anchor = (id) => id.toLowerCase()
const panes = new Map() // "gateway" and "runner" -> { of, machine, zoom, … }

export function setUpPictures(session, redraw) {
  const columns = matchMedia("(max-width: 40rem)").matches ? 1 : 2
  for (const role of ["gateway", "runner"]) {
    const machines = atlas.machines.filter((machine) => machine.role === role)
    const pane = { role, machines, machine: machines[0].id, of: undefined, zoom: columns === 1 ? 0.65 : 0.8 }
    const change = (by) => {
      pane.zoom = ZOOMS[Math.max(0, Math.min(ZOOMS.length - 1, ZOOMS.indexOf(pane.zoom) + by))]
      redraw()
    }
    pane.tabs = el("div.tabs", { role: "group", "aria-label": `machines of the ${role}` })
    pane.frame = el("div.frame", { tabindex: "0", role: "region", "aria-label": `diagram of the ${role}` })
    pane.section = el("div.pane", { role: "group", "aria-label": `the ${role}’s machines` },
      el("h3", {}, role, " ",
        el("button", { type: "button", "aria-label": `smaller picture of the ${role}`, onclick: () => change(-1) }, "−"),
        el("button", { type: "button", "aria-label": `larger picture of the ${role}`, onclick: () => change(1) }, "+")),
      pane.tabs, pane.frame)
    panes.set(role, pane)
    find("panes").append(pane.section)
  }
}

// Turn to one machine's picture; `of` tells the runner's side.
export function turnPicture(session, machine, of) {
  const pane = panes.get(atlas.machines.find(({ id }) => id === machine).role)
  Object.assign(pane, { machine, of: of ?? pane.of })
  drawPictures(session, false)
  return pane
}

// The same, and go there. `rule` is a line to look at.
export function showPicture(session, machine, of, rule) {
  const pane = turnPicture(session, machine, of)
  pane.section.scrollIntoView({ block: "nearest" })
  if (rule) centre(pane, pane.frame.querySelector(`#${anchor(rule)}`))
  pane.frame.focus({ preventScroll: true })
}

export function drawPictures(session, following = find("follow").checked) {
  const { world } = session
  for (const pane of panes.values()) {
    const components = [...new Set(world.columns.map(([, , of]) => of))].filter((of) => of.split("_")[0] === pane.role)
    if (!components.includes(pane.of)) pane.of = components[0]
    const took = session.edge === undefined ? [] : world.story(session.edge).took
    if (following) follow(session, pane, components, took)
    drawTabs(session, pane, components, took)
    drawFrame(session, pane, took)
  }
}

const column = (world, machine, of) => world.columns.findIndex(([, name, component]) => name === machine && component === of)

// The machine that moved, if one did: the one that changed its state, or else the first that took a line.
function follow(session, pane, components, took) {
  const { world, state, before, at } = session
  if (!at) return
  for (const of of components) {
    const moved = pane.machines.find(({ id }) => {
      const place = column(world, id, of)
      return world.value(place, state).state !== world.value(place, before).state
    })
    if (moved) return Object.assign(pane, { of, machine: moved.id })
  }
  const party = world.actions[world.action(session.edge)][0].slice(-2)
  const acting = pane.machines.find(({ id }) => took.some((rule) => rule.startsWith(`${id}-`) && atlas.rules[rule]?.verdict === "taken"))
  if (acting) Object.assign(pane, { machine: acting.id, of: components.find((of) => of.endsWith(party.replace("-", "_"))) ?? pane.of })
}

function drawTabs(session, pane, components, took) {
  const { world, state } = session
  pane.tabs.replaceChildren(...components.flatMap((of) => {
    const side = of.split("_")[1]
    return [side && components.length > 1 ? el("b.side", {}, `runner ${side}`) : "",
      ...pane.machines.map(({ id }) => {
        const chosen = pane.machine === id && pane.of === of
        const moved = took.some((rule) => rule.startsWith(`${id}-`)) && (components.length === 1 || chosen)
        return el("button.tab", { type: "button", "aria-pressed": String(chosen), onclick: () => {
          Object.assign(pane, { machine: id, of })
          drawPictures(session, false)
          pane.tabs.querySelector("[aria-pressed=true]").focus()
        } }, moved ? el("span", { title: "took part in the last step" }, "▸ ") : "", id, " ",
        el("span.state", {}, world.value(column(world, id, of), state).state))
      })]
  }).filter(Boolean))
}

function drawFrame(session, pane, took) {
  const { world, state, before } = session
  if (pane.frame.dataset.machine !== pane.machine) {
    pane.frame.replaceChildren(find(`drawing ${pane.machine}`).content.firstElementChild.cloneNode(true))
    pane.frame.dataset.machine = pane.machine
  }
  const svg = pane.frame.firstElementChild
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number)
  svg.setAttribute("width", width * pane.zoom)
  svg.setAttribute("height", height * pane.zoom)
  svg.querySelectorAll(".badge").forEach((badge) => badge.remove())
  svg.querySelectorAll(".now, .fired").forEach((marked) => marked.classList.remove("now", "fired"))
  const name = anchor(pane.machine)
  const here = world.value(column(world, pane.machine, pane.of), state).state
  const was = world.value(column(world, pane.machine, pane.of), before).state
  const box = svg.querySelector(`[id="${name}-state-${anchor(here)}"]`)
  if (box) badge(svg, box, "now", "● now")
  const side = pane.of.split("_")[1]
  const heard = side === undefined || !took.length || session.world.actions[session.world.action(session.edge)][0].endsWith(`-${side}`) ||
    !/-[ab]$/.test(session.world.actions[session.world.action(session.edge)][0])
  const fired = heard ? took.filter((rule) => rule.startsWith(`${pane.machine}-`)) : []
  let last
  for (const rule of new Set(fired)) {
    const rows = [...svg.querySelectorAll(`[id="${anchor(rule)}-in-${anchor(was)}"], [id="${anchor(rule)}"]`)]
    for (const row of rows) badge(svg, row, "last", "▸ last")
    last = rows[0] ?? last
    for (const line of svg.querySelectorAll("g.edge")) {
      const [ids, way = ""] = (line.querySelector("title")?.textContent ?? "").split(": ")
      if (ids.split(", ").includes(rule) && (way.startsWith(`from ${was} `) || way.includes(was))) line.classList.add("fired")
    }
  }
  centre(pane, box, last)
}

// Outlines an element, and writes a word beside it: colour alone would not tell.
function badge(svg, element, kind, word) {
  const { x, y, width, height } = element.getBBox()
  const group = document.createElementNS(SVG, "g")
  group.setAttribute("class", `badge ${kind}`)
  const outline = document.createElementNS(SVG, "rect")
  for (const [key, value] of Object.entries({ x: x - 5, y: y - 3, width: width + 10, height: height + 6, rx: 4 })) outline.setAttribute(key, value)
  const flag = document.createElementNS(SVG, "rect")
  for (const [key, value] of Object.entries({ x: x + width - 46, y: y - 16, width: 52, height: 16, rx: 3 })) flag.setAttribute(key, value)
  flag.setAttribute("class", "flag")
  const text = document.createElementNS(SVG, "text")
  for (const [key, value] of Object.entries({ x: x + width - 20, y: y - 4, "text-anchor": "middle", "font-size": 11 })) text.setAttribute(key, value)
  text.textContent = word
  group.append(outline, flag, text)
  const matrix = element.getCTM && svg.getCTM() ? svg.getCTM().inverse().multiply(element.getCTM()) : undefined
  if (matrix) group.setAttribute("transform", `matrix(${matrix.a} ${matrix.b} ${matrix.c} ${matrix.d} ${matrix.e} ${matrix.f})`)
  svg.append(group)
  element.classList.add(kind === "now" ? "now" : "fired")
}

// Scrolls the frame, and nothing else, so that an element is in its middle.
function centre(pane, ...elements) {
  const element = elements.filter(Boolean).at(-1)
  if (!element) return
  const [inner, outer] = [element.getBoundingClientRect(), pane.frame.getBoundingClientRect()]
  pane.frame.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2
  pane.frame.scrollTop += inner.top + inner.height / 2 - outer.top - outer.height / 2
}
