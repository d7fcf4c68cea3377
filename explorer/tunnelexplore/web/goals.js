// “Take me to a state where …”: what can be asked for is read off the world, and found by shortest path.

import { announce, el, find, option, plural } from "./dom.js"

let asked = [] // conditions that were added: { text, accepts }
let offered = new Map() // group -> name -> [[value, accepts], …]
let current

export function setUpGoals(session) {
  find("goal-what").addEventListener("change", drawValues)
  find("goal-add").addEventListener("click", () => {
    asked.push(chosen())
    drawConditions()
  })
  find("goal").addEventListener("submit", (event) => {
    event.preventDefault()
    go(session)
  })
}

export function drawGoals(session) {
  if (current === session.world) return
  current = session.world
  offered = offers(session.world)
  asked = []
  find("goal-what").replaceChildren(...[...offered].map(([group, names]) =>
    el("optgroup", { label: group }, [...names.keys()].map((name) => option(`${group}\n${name}`, name)))))
  drawValues()
  drawConditions()
}

function drawValues() {
  const [group, name] = find("goal-what").value.split("\n")
  find("goal-is").replaceChildren(...offered.get(group).get(name).map(([value], place) => option(place, value)))
}

function drawConditions() {
  find("goal-and").replaceChildren(...asked.map((condition, place) => el("li", {}, condition.text, " ",
    el("button", { type: "button", "aria-label": `remove: ${condition.text}`, onclick: () => {
      asked.splice(place, 1)
      drawConditions()
      find("goal-add").focus()
    } }, "✕"))))
}

function chosen() {
  const [group, name] = find("goal-what").value.split("\n")
  const [value, accepts] = offered.get(group).get(name)[Number(find("goal-is").value)]
  return { text: `${name} is ${value}`, accepts }
}

function go(session) {
  const { world } = session
  const conditions = asked.length ? asked : [chosen()]
  const accepts = (state, edge) => conditions.every((condition) => condition.accepts(state, edge))
  const text = conditions.map((condition) => condition.text).join(" and ")
  if (accepts(session.state, session.edge)) return announce(`You are there: ${text}.`)
  const here = world.shortest(session.state, accepts)
  const way = here ?? world.shortest(0, accepts)
  if (!way) return announce(`No state ${world.whole ? "of this world" : "of the part that the page has"} is like that: ${text}.`)
  if (!here) session.go(0)
  session.follow(way)
  announce(`${plural(way.length, "step")} from ${here ? "there" : "the start, for none leads there from where you were"}: ${text}. ` + find("live").textContent)
}

function offers(world) {
  const groups = new Map()
  const offer = (group, name, value, accepts) => {
    if (!groups.has(group)) groups.set(group, new Map())
    if (!groups.get(group).has(name)) groups.get(group).set(name, [])
    groups.get(group).get(name).push([value, accepts])
  }
  world.columns.forEach(([key, name, , values], column) => {
    const fields = Array.isArray(values[0]) ? [undefined] : Object.keys(values[0])
    for (const field of fields) {
      const texts = values.map((value) => said(field === undefined ? value : value[field]))
      const distinct = [...new Set(texts)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
      if (distinct.length < 2) continue
      const group = field === "state" ? "machines" : "values"
      const called = field === undefined || field === "state" ? key : `${key}: ${field}`
      for (const text of distinct) {
        const fits = texts.map((one) => one === text)
        offer(group, called, text, (state) => fits[world.number(column, state)])
      }
    }
  })
  const rules = new Set(world.stories.flatMap((story) => story.took))
  for (const rule of [...rules].sort()) {
    const fits = world.stories.map((story) => story.took.includes(rule))
    offer("the last step", "line just taken", rule, (_, edge) => edge !== undefined && fits[world.arrays.story[edge]])
  }
  for (const property of world.judged) {
    const [could, broke] = [0, 1].map((side) => world.stands.map((stand) => stand[side].includes(property)))
    const story = (side) => world.stories.map((one) => one[side].includes(property))
    const [staked, broken] = [story("could"), story("broke")]
    const fits = (stands, stories) => (state, edge) =>
      stands[world.arrays.stand[state]] || (edge !== undefined && stories[world.arrays.story[edge]])
    if ([...could, ...staked].some(Boolean)) offer("properties", "at stake", property, fits(could, staked))
    if ([...broke, ...broken].some(Boolean)) offer("properties", "broken", property, fits(broke, broken))
  }
  offer("the world", "an end", "reached: nothing more can happen", (state) => world.isEnd(state))
  return groups
}

function said(value) {
  if (Array.isArray(value)) return value.length ? `${value.length}: ${value.join(" | ")}` : "empty"
  if (value === true || value === false) return value ? "yes" : "no"
  return value === null || value === "" ? "none" : String(value)
}
