// Every property: broken here, at stake here, or neither; and what the checker decided in the whole world.

import { atlas } from "./data.js"
import { el, find, plural, renew } from "./dom.js"

const says = new Map(atlas.properties.map((property) => [property.id, property]))

// The properties that fail in this state or by the step to it, and those that could have failed and hold.
export function standing(session) {
  const { world, state, edge } = session
  const [could, broke] = world.stand(state)
  const story = edge === undefined ? { could: [], broke: [] } : world.story(edge)
  const failing = new Set([...broke, ...story.broke])
  const turning = world.violated.filter(({ id }) => says.get(id).scope === "run" && goesRound(session, id)).map(({ id }) => id)
  turning.forEach((id) => failing.add(id))
  return { failing: [...failing], staked: [...new Set([...could, ...story.could])].filter((id) => !failing.has(id)) }
}

// A run goes round when the way comes back to a state that it was in: at the end of the counterexample, it has.
function goesRound({ world, way, at, state }, id) {
  const { way: shown, loop } = world.violated.find((violation) => violation.id === id)
  return at === shown.length && shown.every((action, place) => world.action(way[place]) === action) &&
    state === (at - loop ? world.target(way[at - loop - 1]) : 0)
}

// How many of the last steps lead back to where they began; 0 if one is not at the end of a counterexample that goes round.
export function round(session) {
  return session.world.violated.find(({ id, loop }) => loop && says.get(id).scope === "run" && goesRound(session, id))?.loop ?? 0
}

export function drawProperties(session, look = []) {
  const { world } = session
  const { failing, staked } = standing(session)
  const rest = world.judged.filter((id) => !failing.includes(id) && !staked.includes(id))
  const violated = new Map(world.violated.map((violation) => [violation.id, violation]))
  const row = (mark, word) => (id) => [`${world.key} ${id}${look.includes(id) ? " look" : ""}`, () =>
    el(`li${look.includes(id) ? ".look" : ""}`, { id: `property-${id}` },
      el("span.mark", { "aria-hidden": "true" }, mark), el("span.sr", {}, `${word}: `), el("b", {}, id), ` ${says.get(id).says} `,
      el("small", {}, `of every ${says.get(id).scope}`),
      violated.has(id) ? jump(session, violated.get(id)) : "")]
  const elsewhere = world.judged.filter((id) => violated.has(id) && !failing.includes(id))
  const held = staked.filter((id) => !violated.has(id))
  const others = rest.filter((id) => !violated.has(id))
  const groups = [
    ["broken", "Broken here", failing, "✗", "broken", true],
    ["elsewhere", "Broken elsewhere in this world", elsewhere, "✗", "broken elsewhere", true],
    ["held", "At stake here, and it holds", held, "✓", "holds", false],
    ["others", "Not at stake here", others, "·", "not at stake", false],
  ].filter(([, , ids]) => ids.length)
  renew(find("verdicts"), [
    [`summary ${world.key}`, () => el("p.summary", {}, summary(world))],
    ...groups.map(([name, , , , , open]) => [name, () => el("details.group", { "data-group": name, open }, el("summary"), el("ul"))]),
  ])
  for (const [name, title, ids, mark, word, open] of groups) {
    const group = find("verdicts").querySelector(`[data-group="${name}"]`)
    if (open || look.some((id) => ids.includes(id))) group.open = true
    group.firstElementChild.textContent = `${title} (${ids.length})`
    renew(group.lastElementChild, ids.map(row(mark, word)))
  }
}

function summary(world) {
  const where = world.complete ? `in all ${plural(world.states, "state")} of this world` : `in the ${plural(world.states, "state")} that were explored`
  const count = world.judged.length - world.violated.length
  return world.violated.length
    ? `The checker: ${plural(world.violated.length, "property is", "properties are")} violated, ${count} hold ${where}.`
    : `The checker: all ${count} properties hold ${where}.`
}

function jump(session, { id, way, loop, why }) {
  return el("span.jump", {}, " ",
    el("button", { type: "button", "data-break": id, onclick: () => session.breakIt(id) },
      `Shortest counterexample, ${plural(way.length, "step")}${loop ? `, of which ${loop} go round` : ""}`),
    el("details", {}, el("summary", {}, "why it fails there"), el("ul", {}, why.map((line) => el("li", {}, el("code", {}, line.trim()))))))
}
