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
    pane.pictures = new Map() // machine -> its picture, once it was shown
    panes.set(role, pane)
    find("panes").append(pane.section)
  }
}

// Makes the pictures that were not shown yet, one at a time while nothing else is to do: to lay one out takes longer than a step may.
export function prepare() {
  const idle = globalThis.requestIdleCallback ?? ((work) => setTimeout(work, 200))
  idle(() => {
    for (const pane of panes.values()) {
      const missing = pane.machines.find(({ id }) => !pane.pictures.has(id))
      if (missing) {
        picture(pane, missing.id)
        return prepare()
      }
    }
  })
}

// A machine's picture. It stays in the document: one that is not the pane's is hidden, and need not be laid out again.
function picture(pane, machine) {
  if (!pane.pictures.has(machine)) {
    const svg = find(`drawing ${machine}`).content.firstElementChild.cloneNode(true)
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number)
    const holder = el("div.picture", {}, svg)
    const graph = svg.querySelector("g.graph")
    const moved = [graph, graph.parentNode].map((group) => group.transform.baseVal.consolidate()?.matrix ?? { e: 0, f: 0 })
    const [right, below] = ["e", "f"].map((way) => moved[0][way] + moved[1][way])
    pane.pictures.set(machine, { holder, svg, width, height, graph, right, below })
    size(pane, machine)
    pane.frame.append(holder)
  }
  return pane.pictures.get(machine)
}

function size(pane, machine) {
  const { svg, width, height, zoom } = pane.pictures.get(machine)
  if (zoom === pane.zoom) return
  svg.setAttribute("width", width * pane.zoom)
  svg.setAttribute("height", height * pane.zoom)
  pane.pictures.get(machine).zoom = pane.zoom
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
  const line = rule && picture(pane, pane.machine).svg.querySelector(`[id^="${anchor(rule)}"]`)
  if (line) centre(pane, box(line))
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
    const left = pane.pictures.get(pane.frame.dataset.machine)
    if (left) wipe(left.svg)
    left?.holder.classList.remove("shown")
    pane.frame.dataset.machine = pane.machine
  }
  const { svg, holder, graph } = picture(pane, pane.machine)
  holder.classList.add("shown")
  size(pane, pane.machine)
  wipe(svg)
  const name = anchor(pane.machine)
  const place = column(world, pane.machine, pane.of)
  const [here, was] = [world.value(place, state).state, world.value(place, before).state]
  const marked = []
  const mark = (element, kind, word) => {
    const where = box(element)
    graph.append(badge(where, kind, word))
    marked.push(where)
  }
  const standing = svg.querySelector(`[id="${name}-state-${anchor(here)}"]`)
  if (standing) mark(standing, "now", "● now")
  for (const rule of new Set(heard(session, pane) ? took.filter((one) => one.startsWith(`${pane.machine}-`)) : [])) {
    const row = svg.querySelector(`[id="${anchor(rule)}-in-${anchor(was)}"]`) ?? svg.querySelector(`[id="${anchor(rule)}"]`)
    if (row) mark(row, "last", "▸ last")
    for (const line of svg.querySelectorAll("g.edge")) {
      const [ids, way = ""] = (line.querySelector("title")?.textContent ?? "").split(": ")
      if (ids.split(", ").includes(rule) && (way.startsWith(`from ${was} `) || way.includes(was))) line.classList.add("fired")
    }
  }
  centre(pane, ...marked)
}

function wipe(svg) {
  svg.querySelectorAll(".badge").forEach((badge) => badge.remove())
  svg.querySelectorAll(".fired").forEach((marked) => marked.classList.remove("fired"))
}

// Whether the last step was one of the runner whose machines are shown: what happens on another side is no news here.
function heard({ world, edge }, { of }) {
  const side = /-([ab])$/.exec(edge === undefined ? "" : world.actions[world.action(edge)][0])?.[1]
  return side === undefined || !of.includes("_") || of.endsWith(`_${side}`)
}

// Where an element of a picture is, in the measure of its graph, read off what it draws: to ask the browser would make it lay out the page.
function box(element) {
  const [across, down] = [[], []]
  const number = (shape, name) => Number(shape.getAttribute(name))
  for (const shape of element.querySelectorAll("polygon, polyline, path, ellipse, text")) {
    if (shape.localName === "text") {
      const [x, y, width, high] = ["x", "y", "textLength", "font-size"].map((name) => number(shape, name))
      const left = x - { start: 0, middle: width / 2, end: width }[shape.getAttribute("text-anchor") ?? "start"]
      across.push(left, left + width)
      down.push(y - high, y + high / 4)
    } else if (shape.localName === "ellipse") {
      for (const sign of [-1, 1]) {
        across.push(number(shape, "cx") + sign * number(shape, "rx"))
        down.push(number(shape, "cy") + sign * number(shape, "ry"))
      }
    } else (shape.getAttribute("points") ?? shape.getAttribute("d")).match(/-?[\d.]+/g).forEach((value, place) => (place % 2 ? down : across).push(Number(value)))
  }
  return { left: Math.min(...across), top: Math.min(...down), right: Math.max(...across), bottom: Math.max(...down) }
}

// An outline, and a word beside it: colour alone would not tell.
function badge({ left, top, right, bottom }, kind, word) {
  const shape = (tag, attributes, text) => {
    const made = document.createElementNS(SVG, tag)
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
    if (text) made.textContent = text
    return made
  }
  const group = shape("g", { class: `badge ${kind}` })
  group.append(
    shape("rect", { x: left - 5, y: top - 3, width: right - left + 10, height: bottom - top + 6, rx: 4 }),
    shape("rect", { class: "flag", x: right - 46, y: top - 16, width: 52, height: 16, rx: 3 }),
    shape("text", { x: right - 20, y: top - 4, "text-anchor": "middle", "font-size": 11 }, word))
  return group
}

// Scrolls the frame, and nothing else, so that the places are in its middle; if there is no room for all, the last one. It waits for
// the page to be laid out, which is then done once for all views.
function centre(pane, ...boxes) {
  if (!boxes.length) return
  const { right, below } = picture(pane, pane.machine)
  boxes = boxes.map((one) => ({ left: one.left + right, right: one.right + right, top: one.top + below, bottom: one.bottom + below }))
  requestAnimationFrame(() => {
    const { clientWidth: wide, clientHeight: high } = pane.frame
    const around = (some) => ({ left: Math.min(...some.map((one) => one.left)), right: Math.max(...some.map((one) => one.right)),
      top: Math.min(...some.map((one) => one.top)), bottom: Math.max(...some.map((one) => one.bottom)) })
    const all = around(boxes)
    const fits = (all.right - all.left) * pane.zoom < wide - 20 && (all.bottom - all.top) * pane.zoom < high - 40
    const { left, right, top, bottom } = fits ? all : around(boxes.slice(-1))
    pane.frame.scrollTo(((left + right) * pane.zoom - wide) / 2, ((top + bottom) * pane.zoom - high) / 2)
  })
}
