// What the page knows: the atlas (machines, rules, properties, deviations, tours), and worlds, unpacked when they are first visited.

export const atlas = JSON.parse(document.getElementById("atlas").textContent)

const worlds = new Map()

// A world by its key. Throws if there is none.
export async function world(key) {
  if (!worlds.has(key)) {
    const packed = document.getElementById(`world ${key}`)
    if (!packed) throw new Error(`There is no world “${key}” on this page.`)
    worlds.set(key, new World(await inflate(packed.textContent)))
  }
  return worlds.get(key)
}

export const has = (key) => document.getElementById(`world ${key}`) !== null

async function inflate(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))
  return new Response(stream).arrayBuffer()
}

// All states of a world, and its steps. A step is the number of an edge.
export class World {
  static BEYOND = 0xffff

  constructor(buffer) {
    const length = new DataView(buffer).getUint32(0, true)
    Object.assign(this, JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))))
    let offset = 4 + length
    const arrays = {}
    for (const [name, size, count] of this.arrays) {
      const kind = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[size]
      arrays[name] = new kind(buffer.slice(offset, offset + size * count))
      offset += size * count
    }
    this.arrays = arrays
    const states = arrays.counts.length
    this.size = states
    this.first = new Uint32Array(states + 1) // the first edge of each state
    this.firstReason = new Uint32Array(states + 1)
    for (let state = 0; state < states; state++) {
      this.first[state + 1] = this.first[state] + arrays.counts[state]
      this.firstReason[state + 1] = this.firstReason[state] + this.actions.length - arrays.counts[state]
    }
  }

  get whole() {
    return this.size === this.states && this.complete
  }

  steps(state) {
    return Array.from({ length: this.arrays.counts[state] }, (_, place) => this.first[state] + place)
  }

  action = (edge) => this.arrays.action[edge]
  target = (edge) => this.arrays.target[edge]
  story = (edge) => this.stories[this.arrays.story[edge]]
  stand = (state) => this.stands[this.arrays.stand[state]]
  number = (column, state) => this.arrays[`column ${column}`][state]
  value = (column, state) => this.columns[column][3][this.number(column, state)]

  // The edge of an action, if it is possible.
  edge(state, action) {
    return this.steps(state).find((edge) => this.action(edge) === action)
  }

  // The actions that are not possible, each with the parts of the conditions that forbid it.
  refused(state) {
    const possible = new Set(this.steps(state).map(this.action))
    let place = this.firstReason[state]
    return this.actions.flatMap((_, action) =>
      possible.has(action) ? [] : [[action, this.reasons[this.arrays.reason[place++]]]])
  }

  // Whether nothing more can happen that changes anything.
  isEnd(state) {
    return this.steps(state).every((edge) => this.target(edge) === state)
  }

  // The edges of the shortest way from a state to one that is accepted, by `accepts(state, edge that led there)`; or undefined.
  shortest(from, accepts) {
    const by = new Int32Array(this.size).fill(-1)
    const source = new Uint32Array(this.size)
    const queue = [from]
    by[from] = -2
    for (let place = 0; place < queue.length; place++) {
      const state = queue[place]
      for (let edge = this.first[state]; edge < this.first[state + 1]; edge++) {
        const target = this.arrays.target[edge]
        if (target === World.BEYOND) continue
        const fresh = by[target] === -1
        if (fresh) {
          by[target] = edge
          source[target] = state
          queue.push(target)
        }
        if (accepts(target, edge)) return [...this.#way(by, source, state), edge]
      }
    }
    return undefined
  }

  #way(by, source, state) {
    const way = []
    for (; by[state] >= 0; state = source[state]) way.unshift(by[state])
    return way
  }
}
