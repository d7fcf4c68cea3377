// Where one is: a world, the way that was walked in it, and how far along that way. All views are drawn from this.

import { World, world } from "./data.js"

export class Session {
  #listeners = []

  constructor() {
    this.world = undefined
    this.way = [] // edges
    this.at = 0 // how many of them were taken
    this.tour = undefined // { tour, step, told }
    this.left = undefined // the same, of a tour that was left by a step of one's own
  }

  onchange(listener) {
    this.#listeners.push(listener)
  }

  changed(news = {}) {
    for (const listener of this.#listeners) listener(this, news)
  }

  get state() {
    return this.at ? this.world.target(this.way[this.at - 1]) : 0
  }

  get before() {
    return this.at > 1 ? this.world.target(this.way[this.at - 2]) : 0
  }

  get edge() {
    return this.at ? this.way[this.at - 1] : undefined
  }

  get key() {
    return this.world.key
  }

  leaveTour() {
    this.left = this.tour ?? this.left
    this.tour = undefined
  }

  // Enter a world, at the end of a way of actions. Returns what is wrong with the way, if anything: then it is walked as far as it goes.
  async enter(key, actions = [], at = actions.length) {
    this.world = await world(key)
    const edges = []
    let state = 0
    let trouble = ""
    for (const action of actions) {
      const edge = this.world.edge(state, action)
      if (edge === undefined || this.world.target(edge) === World.BEYOND) {
        const named = this.world.actions[action]?.[0] ?? `action ${action}`
        trouble = `Step ${edges.length + 1} of the link, “${named}”, is not possible there: the steps before it are shown.`
        break
      }
      edges.push(edge)
      state = this.world.target(edge)
    }
    this.way = edges
    this.at = Math.min(at, edges.length)
    return trouble
  }

  take(edge) {
    if (this.world.target(edge) === World.BEYOND) return
    this.leaveTour()
    this.way = [...this.way.slice(0, this.at), edge]
    this.at++
    this.changed()
  }

  follow(edges) {
    this.leaveTour()
    this.way = [...this.way.slice(0, this.at), ...edges]
    this.at = this.way.length
    this.changed()
  }

  go(at) {
    const to = Math.max(0, Math.min(at, this.way.length))
    if (to === this.at) return
    this.leaveTour()
    this.at = to
    this.changed()
  }

  // The shortest counterexample of a property, or of the first one that is violated.
  async breakIt(id) {
    const found = this.world.violated.find((violation) => id === undefined || violation.id === id)
    if (!found) return
    this.leaveTour()
    await this.enter(this.key, found.way)
    this.changed()
  }
}

// -- the URL's fragment ------------------------------------------------------------------------------------------------

export function fragment(session) {
  if (session.tour) {
    const { tour, step, told } = session.tour
    return `#tour=${tour.name}&step=${step}${told ? "&told=1" : ""}`
  }
  const { world: name, deviation } = session.world
  const path = session.way.slice(0, session.at).map((edge) => session.world.action(edge)).join(".")
  return `#world=${name}${deviation ? `&deviation=${deviation}` : ""}&path=${path}`
}

export function parse(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ""))
  const path = given.get("path")
  return {
    tour: given.get("tour") ?? undefined,
    step: Number(given.get("step") ?? 0),
    told: given.get("told") === "1",
    key: given.has("world") ? [given.get("world"), given.get("deviation")].filter(Boolean).join("~") : undefined,
    path: path === null ? undefined : path.split(".").filter((word) => word !== "").map(Number),
  }
}
