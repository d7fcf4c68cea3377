// A minimal runner of protocol version 2, with the test actor (its contract is in ../README.md).
// It needs Node 22 and nothing else, or an older Node and the package `ws` in the folder where it is started.
//
//   tunnelspec conform runner --command 'node conformance/examples/runner.mjs'
//
// It keeps the actor's durable state in memory: that outlives the actor's lives and broken links, not the process.

import { randomBytes } from "node:crypto"
import { createRequire } from "node:module"

const WebSocket = globalThis.WebSocket ?? createRequire(`${process.cwd()}/`)("ws")

const option = (name, value) => Number(process.argv[process.argv.indexOf(`--${name}`) + 1] || value)
const GATEWAY = process.env.TUNNELSPEC_GATEWAY
const ACK_TIMEOUT_MS = process.argv.includes("--ack-timeout-ms") ? option("ack-timeout-ms") : 5000
const GC_MS = process.argv.includes("--gc-interval-ms") ? option("gc-interval-ms") : 60000
const PING_MS = process.argv.includes("--ping-interval-ms") ? option("ping-interval-ms") : 1000
const RECONNECT_MS = 200
const ACK_DELAY_MS = 50
const WINDOW = 32767 // RFC 1982: half the circle, less one

// -- BARE, as far as a runner needs it ------------------------------------------------------------------------------

class Writer {
  constructor() { this.bytes = [] }
  u8(value) { this.bytes.push(value); return this }
  uint(value) { while (value > 127) { this.u8((value & 127) | 128); value >>>= 7 } return this.u8(value) }
  raw(buffer) { for (const byte of buffer) this.bytes.push(byte); return this }
  data(buffer) { return this.uint(buffer.length).raw(buffer) }
  str(text) { return this.data(Buffer.from(text)) }
  bool(value) { return this.u8(value ? 1 : 0) }
  u16(value) { return this.u8(value & 255).u8(value >> 8) }
  u32(value) { const b = Buffer.alloc(4); b.writeUInt32LE(value); return this.raw(b) }
  i64(value) { const b = Buffer.alloc(8); b.writeBigInt64LE(BigInt(value)); return this.raw(b) }
  optional(value, write) { this.bool(value !== null); if (value !== null) write(value); return this }
  done() { return Buffer.from(this.bytes) }
}

class Reader {
  constructor(buffer) { this.buffer = buffer; this.at = 0 }
  raw(length) {
    if (this.at + length > this.buffer.length) throw new Error("too short")
    this.at += length
    return this.buffer.subarray(this.at - length, this.at)
  }
  u8() { return this.raw(1)[0] }
  uint() { let value = 0, shift = 0, byte; do { byte = this.u8(); value += (byte & 127) * 2 ** shift; shift += 7 } while (byte > 127); return value }
  data() { return this.raw(this.uint()) }
  str() { return this.data().toString() }
  bool() { return this.u8() === 1 }
  u16() { return this.raw(2).readUInt16LE() }
  u32() { return this.raw(4).readUInt32LE() }
  i64() { return Number(this.raw(8).readBigInt64LE()) }
  optional(read) { return this.bool() ? read() : null }
}

const tunnel = (request, message, kind) => new Writer().u8(6).raw(request).raw(message).raw(kind).done()
const OPEN = 4, MESSAGE = 5, ACK = 6, CLOSE = 7

// -- the link -------------------------------------------------------------------------------------------------------

let state = "idle" // dialing, joining, ready, stopping
let socket = null
let link = 0
let events = 0
let lastCommand = null
let current = null // the socket that is dialled, or up
let redial = null
let pinging = null

function dial() {
  const mine = new WebSocket(`${GATEWAY}/runners/connect?protocol_version=2&namespace=default&runner_key=javascript`, ["rivet", "rivet_target.runner"])
  current = mine
  state = "dialing"
  mine.binaryType = "arraybuffer"
  mine.onopen = () => {
    if (state === "stopping") return mine.close()
    socket = mine
    link += 1
    state = "joining"
    const names = (w) => { w.uint(2); for (const name of ["plain", "test"]) w.str(name).optional(null) }
    const init = new Writer().u8(0).str("javascript").u32(1).u32(100000)
    init.optional(lastCommand, (index) => init.i64(index)).optional(names, (write) => write(init)).optional(null)
    send(init.done())
  }
  mine.onmessage = (event) => { if (typeof event.data !== "string") receive(Buffer.from(event.data)) }
  mine.onclose = () => {
    clearInterval(pinging)
    if (socket === mine) {
      socket = null
      for (const adapter of adapters.values()) adapter.linkLost()
      calls.clear() // with the link the clients' connections are lost
    }
    if (state === "stopping") process.exit(0)
    state = "idle"
    redial = setTimeout(dial, RECONNECT_MS)
  }
  mine.onerror = () => {}
}

function welcomed() {
  state = "ready"
  pinging = setInterval(() => send(new Writer().u8(4).i64(Date.now()).done()), PING_MS)
}

function stop() { // the actors first: what they have to say goes over the link that is then closed
  state = "stopping"
  clearTimeout(redial)
  for (const actor of [...actors.values()]) actor.stop(actor.generation)
  if (current === null || current.readyState === 3) process.exit(0)
  current.close()
}

process.on("SIGTERM", () => {
  if (state === "stopping") return
  if (state === "ready") send(new Writer().u8(3).done())
  stop()
})

function send(frame) { if (socket?.readyState === 1) socket.send(frame) }

function tell(event) { send(new Writer().u8(1).uint(1).i64(events++).raw(event).done()) }

function receive(buffer) {
  const r = new Reader(buffer)
  try {
    const tag = r.uint()
    if (tag === 0 && state === "joining") welcomed()
    else if (tag === 1 && state === "ready") stop()
    else if (tag === 2 && (state === "ready" || state === "stopping")) commands(r)
    else if (tag === 5) tunnelMessage(r)
  } catch { /* what is not a frame is skipped */ }
}

function commands(r) {
  for (let left = r.uint(); left > 0; left--) {
    lastCommand = r.i64()
    const stop = r.uint() === 1, id = r.str(), generation = r.u32()
    if (stop) actors.get(id)?.stop(generation)
    else {
      const name = r.str()
      r.optional(() => r.str()); r.i64(); r.optional(() => r.data())
      actors.get(id)?.stop(actors.get(id).generation)
      if (state === "ready") actors.set(id, new Actor(id, generation, name === "test"))
    }
  }
  send(new Writer().u8(2).i64(lastCommand).done())
}

function tunnelMessage(r) {
  const request = Buffer.from(r.raw(16)), id = Buffer.from(r.raw(16)), kind = r.uint(), key = request.toString("hex")
  let adapter = adapters.get(key)
  const call = calls.get(key)
  if (kind === 1 && !call) calls.set(key, new Call(request, key)), calls.get(key).begin(id, r)
  else if (kind === 2) call?.more(id, r.data(), r.bool())
  else if (kind === 3) call?.off(id)
  else if (kind === 0 && call) call.pending.delete(id.toString("hex"))
  else if (kind === 4) {
    const actor = r.str()
    if (!adapter) adapters.set(key, (adapter = new Adapter(request, actor)))
    adapter.open(id)
  } else if (!adapter) return // nothing opened it: neither delivered nor acked
  else if (kind === 0) adapter.acked(id)
  else if (kind === 5) adapter.message(id, r.u16(), r.data().toString(), r.bool())
  else if (kind === 6) adapter.clientCloses(id, r.optional(() => r.u16()), r.optional(() => r.str()))
}

// -- actors, and what of them is durable ------------------------------------------------------------------------------

const actors = new Map()
const durable = new Map() // actor id -> { count, sockets: request -> { last, closed } }
const adapters = new Map()
const calls = new Map()

class Actor {
  constructor(id, generation, hibernates) {
    Object.assign(this, { id, generation, hibernates })
    if (!durable.has(id)) durable.set(id, { count: 0, sockets: new Map() })
    this.store = durable.get(id)
    tell(new Writer().u8(1).str(id).u32(generation).u8(0).done())
  }
  stop(generation) {
    if (generation !== this.generation) return
    actors.delete(this.id)
    for (const adapter of adapters.values()) if (adapter.actorId === this.id) adapter.actorStops()
    for (const call of calls.values()) if (call.actorId === this.id) call.abort()
    tell(new Writer().u8(1).str(this.id).u32(generation).u8(1).u8(0).bool(false).done())
  }
  handle(adapter, index, text, binary) {
    this.store.count += 1
    if (index >= 0) this.store.sockets.get(adapter.key).last = index // with the state, in one go
    if (text.startsWith("send ")) adapter.send(text.slice(5), binary)
    else if (text === "state") adapter.send(String(this.store.count))
    else if (text === "sleep") tell(new Writer().u8(0).str(this.id).u32(this.generation).u8(0).done())
    else if (text.startsWith("close ")) {
      const [, code, reason] = /^close (\d+) ?(.*)$/s.exec(text)
      adapter.actorCloses(Number(code), reason)
    }
    if (index >= 0) adapter.committed(index)
  }
  answer(call) {
    const said = Buffer.from(`${call.method} ${call.path}\n`), body = Buffer.concat(call.body)
    if (call.path.startsWith("/stream")) {
      call.head(null, true)
      for (const piece of [said, body]) call.piece(piece, false)
      call.piece(Buffer.alloc(0), true)
    } else if (call.path.startsWith("/hold")) call.head(null, true)
    else call.head(Buffer.concat([said, body]), false)
  }
}

// -- one plain request ------------------------------------------------------------------------------------------------

const RESPONSE = 1, PIECE = 2, ABORT = 3

class Call {
  constructor(request, key) { Object.assign(this, { request, key, link, pending: new Map(), whole: false }) }
  say(kind) {
    const id = randomBytes(16)
    this.pending.set(id.toString("hex"), Date.now())
    send(tunnel(this.request, id, kind))
  }
  ack(id) { send(tunnel(this.request, id, [0])) }

  begin(id, r) {
    this.ack(id)
    Object.assign(this, { actorId: r.str(), method: r.str(), path: r.str(), headers: [] })
    for (let left = r.uint(); left > 0; left--) this.headers.push([r.str(), r.str()])
    this.body = [r.optional(() => Buffer.from(r.data())) ?? Buffer.alloc(0)]
    if (!r.bool()) this.complete()
  }
  more(id, data, finish) {
    this.ack(id)
    if (this.whole) return
    this.body.push(Buffer.from(data))
    if (finish) this.complete()
  }
  complete() {
    this.whole = true
    const actor = actors.get(this.actorId)
    actor ? actor.answer(this) : this.abort()
  }
  head(body, stream) {
    const w = new Writer().u8(RESPONSE).u16(200), kept = this.headers.filter(([name]) => name === "x-conform")
    w.uint(kept.length)
    for (const [name, value] of kept) w.str(name).str(value)
    this.say(w.optional(body, (bytes) => w.data(bytes)).bool(stream).bytes)
    if (!stream) calls.delete(this.key)
  }
  piece(data, finish) {
    this.say(new Writer().u8(PIECE).data(data).bool(finish).bytes)
    if (finish) calls.delete(this.key)
  }
  abort() { this.say([ABORT]); calls.delete(this.key) }
  off(id) { this.ack(id); calls.delete(this.key) }
  collect(now) { if ([...this.pending.values()].some((sent) => now - sent > ACK_TIMEOUT_MS)) this.abort() }
}

// -- the adapter of one socket ----------------------------------------------------------------------------------------

class Adapter {
  constructor(request, actorId) {
    Object.assign(this, { request, actorId, key: request.toString("hex"), state: "CLOSED", mode: "shut", link: 0 })
    Object.assign(this, { received: 0, commits: 0, told: 0, timer: null, pending: new Map() })
  }
  get actor() { return actors.get(this.actorId) }
  get record() { return durable.get(this.actorId)?.sockets.get(this.key) }
  say(kind, awaited = "") {
    if (this.link !== link) return
    const id = randomBytes(16)
    this.pending.set(id.toString("hex"), { awaited, sent: Date.now() })
    send(tunnel(this.request, id, kind))
  }
  ack(id) { if (this.link === link) send(tunnel(this.request, id, [0])) }

  open(id) {
    if (this.state === "CLOSING") return // the gateway will try again, and find it closed
    this.link = link
    this.pending.clear()
    this.ack(id)
    const actor = this.actor
    if (!actor || (actor.hibernates && this.record?.closed)) {
      const { code, reason } = actor ? this.record.closed : { code: 1011, reason: "Actor not found" }
      this.close(code, reason, false)
      this.end()
      return
    }
    this.hibernates = actor.hibernates
    if (actor.hibernates && !this.record) actor.store.sockets.set(this.key, { last: -1, closed: null })
    const last = actor.hibernates ? this.record.last : -1
    this.say(new Writer().u8(OPEN).bool(actor.hibernates).i64(last).bytes)
    if (this.mode === "shut" || this.mode === "plain") this.received = Math.max(last, 0)
    this.commits = this.told = Math.max(last, 0)
    this.mode = actor.hibernates ? "live" : "plain"
    this.state = "OPEN"
  }
  message(id, index, text, binary) {
    if (this.link !== link || this.mode === "shut" || this.mode === "paused") return
    if (this.mode === "plain") { this.ack(id); this.give(-1, text, binary); return }
    if (((index - this.received) & 65535) === 1) { this.ack(id); this.received = index; this.give(index, text, binary) }
    else if (((this.received - index) & 65535) <= WINDOW) this.ack(id)
    else if (this.state === "OPEN") { this.flush(); this.close(null, null, true); this.lose() } // a gap: let it be replayed
  }
  give(index, text, binary) { if (this.state === "OPEN") this.actor?.handle(this, index, text, binary) }
  committed(index) {
    if (this.mode !== "live") return
    this.commits = index
    this.timer ??= setTimeout(() => this.flush(), ACK_DELAY_MS)
  }
  flush() {
    clearTimeout(this.timer)
    this.timer = null
    if (this.mode === "live" && this.told !== this.commits) {
      this.told = this.commits
      this.say(new Writer().u8(ACK).u16(this.told).bytes)
    }
  }
  send(text, binary = false) {
    if (this.state === "OPEN") this.say(new Writer().u8(MESSAGE).data(Buffer.from(text)).bool(binary).bytes)
  }
  close(code, reason, retry) {
    const w = new Writer().u8(CLOSE)
    w.optional(code, (value) => w.u16(value)).optional(reason, (value) => w.str(value)).bool(retry)
    this.say(w.bytes, "close")
  }
  actorCloses(code, reason) {
    if (this.state !== "OPEN") return
    this.flush()
    this.conclude(code, reason)
    this.close(code, reason, false)
    this.state = "CLOSING"
  }
  clientCloses(id, code, reason) {
    if (this.state === "CLOSED") return
    if (this.state === "OPEN") this.conclude(code ?? 1000, reason ?? "")
    this.ack(id) // only now that the durable state knows
    this.end()
  }
  conclude(code, reason) { if (this.record && !this.record.closed) this.record.closed = { code, reason } }
  acked(id) {
    const message = this.pending.get(id.toString("hex"))
    this.pending.delete(id.toString("hex"))
    if (message?.awaited === "close" && this.state === "CLOSING") this.end()
  }
  actorStops() {
    if (this.state === "OPEN") { this.flush(); this.close(null, null, true) }
    this.end()
  }
  linkLost() {
    if (this.state === "OPEN" && this.hibernates) this.lose()
    else if (this.state !== "CLOSED") this.end()
  }
  lose() { // the tunnel is gone, the actor goes on with what it has
    clearTimeout(this.timer)
    Object.assign(this, { state: "CLOSED", link: 0, timer: null, mode: this.mode === "live" ? "paused" : "shut" })
    this.pending.clear()
  }
  end() {
    clearTimeout(this.timer)
    Object.assign(this, { state: "CLOSED", mode: "shut", link: 0, timer: null })
    this.pending.clear()
  }
  collect(now) {
    if (![...this.pending.values()].some(({ sent }) => now - sent > ACK_TIMEOUT_MS)) return
    if (this.state === "OPEN") {
      if (this.hibernates) this.flush()
      this.close(null, null, true)
      this.hibernates ? this.lose() : this.end()
    } else this.end()
  }
}

setInterval(() => { for (const one of [...adapters.values(), ...calls.values()]) one.collect(Date.now()) }, GC_MS)
dial()
