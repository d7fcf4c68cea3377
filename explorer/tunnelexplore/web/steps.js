// The steps that are possible, by who takes them, and those that are not, with what forbids them.

import { World, atlas } from "./data.js"
import { el, find, renew } from "./dom.js"

const PARTIES = ["client", "router", "gateway", "link", "runner", "actor", "time"]
const order = (party) => PARTIES.indexOf(party.split(" ")[0])
const called = (party) => (party === "time" ? "clock" : party)

function byParty(items, party) {
  const groups = Map.groupBy ? Map.groupBy(items, party) : items.reduce((made, item) =>
    made.set(party(item), [...(made.get(party(item)) ?? []), item]), new Map())
  return [...groups].sort(([a], [b]) => order(a) - order(b) || a.localeCompare(b))
}

// The possible steps in the order in which they are listed, which is also that of the keys 1 to 9.
export function listed(world, state) {
  return byParty(world.steps(state), (edge) => world.actions[world.action(edge)][1]).flatMap(([, edges]) => edges)
}

export function drawSteps(session, rule) {
  const { world, state } = session
  const edges = listed(world, state)
  const place = new Map(edges.map((edge, number) => [edge, number + 1]))
  const groups = byParty(edges, (edge) => world.actions[world.action(edge)][1])
  find("possible").replaceChildren(
    ...groups.map(([party, members]) =>
      el("div.party", { role: "group", "aria-label": called(party) }, el("h3", {}, called(party)),
        el("ul", {}, members.map((edge) => el("li", {}, step(session, edge, place.get(edge), rule)))))))
  if (!edges.length) find("possible").append(el("p", {}, "Nothing more can happen: this is an end."))
  const refused = world.refused(state)
  find("refused-count").textContent = refused.length
  const parties = byParty(refused, ([action]) => world.actions[action][1])
  renew(find("impossible"), parties.map(([party]) => [party, () =>
    el("div.party", { role: "group", "aria-label": `${called(party)}, not possible` }, el("h3", {}, called(party)), el("ul"))]))
  parties.forEach(([, members], place) => renew(find("impossible").children[place].lastElementChild, members.map(([action, parts]) =>
    [[world.key, action, ...parts].join("\n"), () => el("li", {},
      el("span.says", {}, world.actions[action][2]), " ", el("small.id", {}, world.actions[action][0]),
      el("ul.because", {}, parts.map((part) => el("li", {}, "because ", el("code", {}, part)))))])))
}

function step(session, edge, number, rule) {
  const { world, state } = session
  const [id, party, says] = world.actions[world.action(edge)]
  const story = world.story(edge)
  const beyond = world.target(edge) === World.BEYOND
  const frame = party.startsWith("link") && story.shows[0]?.[0] === "message" ? el("b", {}, ` ${story.shows[0][3]}`) : ""
  const button = el("button.step", { type: "button", "data-action": id, disabled: beyond, onclick: () => session.take(edge) },
    number < 10 ? el("kbd", { "aria-hidden": "true" }, String(number)) : "", " ", el("span.says", {}, says), frame, " ", el("small.id", {}, id))
  const notes = []
  if (beyond) notes.push("leads beyond the part of this world that the page has")
  else if (world.target(edge) === state) notes.push("changes nothing")
  if (story.broke.length) notes.push(`breaks ${story.broke.join(", ")}`)
  const took = [...new Set(story.took)]
  const [moving, idle] = [took.filter((name) => verdict(name) === "taken"), took.filter((name) => verdict(name) !== "taken")]
  return [button,
    el("p.notes", { hidden: !notes.length }, notes.join("; ")),
    moving.length ? el("ul.rules", {}, moving.map((name) => line(world, name, rule))) : "",
    idle.length || story.else.length ? el("details.others.rules", {}, el("summary", {}, others(idle, story.else)),
      el("ul", {}, idle.map((name) => line(world, name, rule)),
        story.else.map(([name, event, parts]) => el("li", {}, rule(name), ` on ${event} does not apply: `,
          parts.map((part) => [el("code", {}, part), " "]), "is false")))) : ""]
}

const verdict = (name) => atlas.rules[name]?.verdict ?? "taken"

function others(idle, passed) {
  const said = []
  if (idle.length) said.push(`${idle.length} ignored or refused`)
  if (passed.length) said.push(`${passed.length} did not apply`)
  return `other lines: ${said.join(", ")}`
}

function line(world, name, rule) {
  const known = atlas.rules[name]
  const tags = [verdict(name) === "taken" ? "" : el("em", {}, ` (${verdict(name)})`),
    world.departs.includes(name) ? el("strong.departs", {}, " departs from the specification") : ""]
  return el("li", {}, rule(name), " ", known ? known.says : "", tags)
}
