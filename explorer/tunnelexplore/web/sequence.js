// The sequence diagram: a list of what happened, drawn over the lanes of the parties.

import { el, find, plural } from "./dom.js"
import { round } from "./properties.js"

let drawn = { world: undefined, edges: [] }

export function drawSequence(session, rule) {
  const { world } = session
  const edges = session.way.slice(0, session.at)
  const list = find("story")
  if (drawn.world !== world) {
    list.replaceChildren()
    drawn = { world, edges: [] }
    const columns = `--lanes: ${world.lanes.length}`
    find("lanes").setAttribute("style", columns)
    list.setAttribute("style", columns)
    find("lanes").replaceChildren(...world.lanes.map(([, label]) => el("span", {}, label)))
  }
  let same = 0
  while (same < edges.length && drawn.edges[same] === edges[same]) same++
  while (list.children.length > same) list.lastChild.remove()
  for (let place = same; place < edges.length; place++) list.append(moment(session, edges[place], place, rule))
  list.querySelector(".last")?.classList.remove("last")
  list.lastElementChild?.classList.add("last")
  drawn.edges = edges
  list.querySelectorAll(".again").forEach((mark) => mark.remove())
  const loop = round(session)
  if (loop) list.children[edges.length - loop].prepend(el("p.again", {}, el("span", { "aria-hidden": "true" }, "↻ "), "from here on, again and again"))
  const scroller = list.parentElement
  requestAnimationFrame(() => { scroller.scrollTop = scroller.scrollHeight })
  if (!edges.length) list.replaceChildren(el("li.empty", {}, "Nothing yet: choose a step."))
  else list.querySelector(".empty")?.remove()
}

function moment(session, edge, place, rule) {
  const { world } = session
  const [id, party, says] = world.actions[world.action(edge)]
  const story = world.story(edge)
  return el("li.moment", { "data-action": id },
    el("button.when", { type: "button", title: `Go back to after step ${place + 1}`, onclick: () => session.go(place + 1) },
      el("b", {}, String(place + 1)), ` ${party === "time" ? "clock" : party}: ${says}`),
    story.broke.length ? el("p.broke", {}, `✗ breaks ${story.broke.join(", ")}`) : "",
    el("ul.rows", {}, story.shows.map((shown) => row(world, shown, rule))))
}

function row(world, [kind, ...rest], rule) {
  const lane = (id) => world.lanes.findIndex(([name]) => name === id)
  if (kind === "message") {
    const [source, target, label, rules, lost] = rest
    const [from, to] = [lane(source), lane(target)]
    const way = from === to ? "self" : from < to ? "right" : "left"
    return el(`li.message.${way}${lost ? ".lost" : ""}`, { style: span(Math.min(from, to), Math.max(from, to)) },
      el("span.label", {}, el("span.sr", {}, `${world.lanes[from][1]} to ${world.lanes[to][1]}: `), label,
        lost ? " ✗ lost on the way" : "", cited(rules, rule)),
      el("span.arrow", { "aria-hidden": "true" }))
  }
  if (kind === "note") {
    const [where, text, rules] = rest
    const at = lane(where)
    return el("li.note", { style: at < 0 ? span(0, world.lanes.length - 1) : wide(at, world.lanes.length) },
      el("span.label", {}, at < 0 ? "" : el("span.sr", {}, `${world.lanes[at][1]}: `), text, cited(rules, rule)))
  }
  const [where, machine, before, after] = rest
  return el("li.turn", { style: wide(lane(where), world.lanes.length) },
    el("span.label", {}, el("span.sr", {}, `${world.lanes[lane(where)][1]}: `), `${machine} ${before} → `, el("b", {}, after)))
}

const span = (first, last) => `--from: ${first + 1}; --to: ${last + 2}`

// A note may be wider than its lane: it spreads to a neighbour.
function wide(at, lanes) {
  if (at === 0) return span(0, Math.min(1, lanes - 1))
  return at === lanes - 1 ? span(at - 1, at) : span(at - 1, at + 1)
}

function cited(rules, rule) {
  const few = rules.slice(0, 3)
  return rules.length ? el("span.cited", {}, few.map((name) => [" ", rule(name)]),
    rules.length > few.length ? ` and ${plural(rules.length - few.length, "other")}` : "") : ""
}
