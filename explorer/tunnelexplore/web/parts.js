// Where everything stands: the machines and what they know, the queues, indices and counters, part by part.

import { atlas } from "./data.js"
import { el, find, renew } from "./dom.js"

const machines = new Map(atlas.machines.map((machine) => [machine.id, machine]))
const TITLES = { client: "client", gateway: "gateway", store: "durable state", budget: "what may still happen" }

function owner(component) {
  const [part, side] = component.split("_")
  if (!side) return TITLES[part] ?? part
  return `${{ runner: "runner", host: "actor" }[part] ?? "link"} ${side}`
}

const QUEUES = { down: "towards the runner", up: "towards the gateway", line: "line", host: "" }

export function drawParts(session, picture) {
  const { world, state, before, at } = session
  const groups = new Map()
  world.columns.forEach(([, name, of], column) => {
    const title = owner(of)
    const key = [world.key, column, world.number(column, state), at ? world.number(column, before) : ""].join(" ")
    groups.set(title, [...(groups.get(title) ?? []), [key, () => part(session, column, name, of, picture)]])
  })
  renew(find("standing"), [...groups.keys()].map((title) => [`${world.key} ${title}`, () =>
    el("div.owner", { role: "group", "aria-label": title }, el("h3", {}, title), el("div"))]))
  ;[...groups.values()].forEach((parts, place) => renew(find("standing").children[place].lastElementChild, parts))
}

function part(session, column, name, of, picture) {
  const { world, state, before, at } = session
  const value = world.value(column, state)
  const was = at ? world.value(column, before) : value
  const machine = machines.get(name)
  if (machine) {
    const { state: here, ...context } = value
    const moved = was.state !== here
    return el(`div.machine${moved ? ".changed" : ""}`, { role: "group", "aria-label": `${name}, ${machine.name}` },
      el("h4", {}, el("button.link", { type: "button", onclick: () => picture(name, of) }, name), ` ${machine.name}`),
      el("ol.states", { "aria-label": `states of ${name}` }, machine.states.map(({ name: one, says, kind }) =>
        el(`li.${kind}${one === here ? ".here" : ""}`, { title: says, "aria-current": one === here ? "true" : undefined },
          one === here ? "● " : "", one))),
      moved ? el("p.was", {}, `was ${was.state}`) : "",
      fields(world, column, context, was))
  }
  const heading = QUEUES[of.split("_")[0]]
  if (Array.isArray(value)) return el("div.queue", {}, el("h4", {}, heading || name), queue(value, was))
  return el("div.plain", {}, heading ? el("h4", {}, heading) : "", fields(world, column, value, was))
}

// What varies in this world; what is the same in all of it stands below.
function fields(world, column, value, was) {
  const names = Object.keys(value)
  const fixed = constants(world, column)
  const row = (name) => [el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, shown(value[name], was?.[name]))]
  const varying = names.filter((name) => !fixed.has(name))
  const same = names.filter((name) => fixed.has(name))
  return [varying.length ? el("dl", {}, varying.map(row)) : "",
    same.length ? el("details.same", {}, el("summary", {}, `${same.length} the same in all of this world`), el("dl", {}, same.map(row))) : ""]
}

const known = new WeakMap()

function constants(world, column) {
  if (!known.has(world)) known.set(world, new Map())
  const columns = known.get(world)
  if (!columns.has(column)) {
    const values = world.columns[column][3]
    const texts = (name) => new Set(values.map((value) => JSON.stringify(value[name])))
    columns.set(column, new Set(Object.keys(values[0]).filter((name) => texts(name).size === 1)))
  }
  return columns.get(column)
}

function shown(value, was) {
  if (Array.isArray(value)) return queue(value, was ?? [])
  const changed = was !== undefined && was !== value
  return [el(changed ? "mark" : "span", {}, word(value)), changed ? el("small.was", {}, ` was ${word(was)}`) : ""]
}

function word(value) {
  if (value === true || value === false) return value ? "yes" : "no"
  return value === null || value === "" ? "–" : String(value).replace(/^-/, "−")
}

function queue(value, was) {
  const before = new Set(was)
  if (!value.length) return el("span.empty", {}, was.length ? el("mark", {}, "empty") : "empty")
  return el("ol.items", {}, value.map((item) => el("li", {}, before.has(item) ? item : el("mark", {}, item))))
}
