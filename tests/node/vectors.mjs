// Reads all test vectors with nothing of tunnelspec's: its own BARE reader and writer, laid out by hand from the protocol's text, its
// own serial arithmetic, its own idea of what a conversation may hold; and holds steps and runs against the tables' JSON.
//
// usage: node vectors.mjs VECTORS TABLES. Prints how many of each kind it checked, as JSON; exit status 1 names the first that fails.

import { readFileSync } from "node:fs"
import { join } from "node:path"
import { deepStrictEqual as same, ok } from "node:assert"

const [folder, tablesFile] = process.argv.slice(2)
const read = (file) => JSON.parse(readFileSync(file, "utf8"))

// -- the wire: a struct is its fields, a union an array of structs, "?" optional, "[]" list, "{}" map from str ------------------------

const TUNNEL = "requestId:data16 messageId:data16 messageKind:"
const layout = (v1) => ({
  ToServer: [
    "ToServerInit name:str version:u32 totalSlots:u32 lastCommandIdx:?i64 prepopulateActorNames:?{ActorName metadata:?str",
    "ToServerEvents events:[EventWrapper", "ToServerAckCommands lastCommandIdx:i64", "ToServerStopping", "ToServerPing ts:i64",
    "ToServerKvRequest actorId:str requestId:u32 data:rest", `ToServerTunnelMessage ${TUNNEL}ToServerTunnelMessageKind`,
  ],
  ToClient: [
    "ToClientInit runnerId:str lastEventIdx:i64 metadata:ProtocolMetadata", "ToClientClose", "ToClientCommands commands:[CommandWrapper",
    "ToClientAckEvents lastEventIdx:i64", "ToClientKvResponse requestId:u32 data:rest",
    `ToClientTunnelMessage ${TUNNEL}ToClientTunnelMessageKind gatewayReplyTo:?str`,
  ],
  ToServerTunnelMessageKind: [
    "TunnelAck", "ToServerResponseStart status:u16 headers:{str body:?data stream:bool", "ToServerResponseChunk body:data finish:bool",
    "ToServerResponseAbort", v1 ? "ToServerWebSocketOpen" : "ToServerWebSocketOpen canHibernate:bool lastMsgIndex:i64",
    "ToServerWebSocketMessage data:data binary:bool", ...(v1 ? [] : ["ToServerWebSocketMessageAck index:u16"]),
    `ToServerWebSocketClose code:?u16 reason:?str${v1 ? "" : " retry:bool"}`,
  ],
  ToClientTunnelMessageKind: [
    "TunnelAck", "ToClientRequestStart actorId:str method:str path:str headers:{str body:?data stream:bool",
    "ToClientRequestChunk body:data finish:bool", "ToClientRequestAbort", "ToClientWebSocketOpen actorId:str path:str headers:{str",
    `ToClientWebSocketMessage ${v1 ? "" : "index:u16 "}data:data binary:bool`, "ToClientWebSocketClose code:?u16 reason:?str",
  ],
  EventWrapper: "index:i64 inner:Event",
  Event: [
    "EventActorIntent actorId:str generation:u32 intent:ActorIntent", "EventActorStateUpdate actorId:str generation:u32 state:ActorState",
    "EventActorSetAlarm actorId:str generation:u32 alarmTs:?i64",
  ],
  ActorIntent: ["ActorIntentSleep", "ActorIntentStop"],
  ActorState: ["ActorStateRunning", "ActorStateStopped code:StopCode message:?str"],
  StopCode: { enumerates: ["OK", "ERROR"] },
  CommandWrapper: "index:i64 inner:Command",
  Command: ["CommandStartActor actorId:str generation:u32 config:ActorConfig", "CommandStopActor actorId:str generation:u32"],
  ActorConfig: "name:str key:?str createTs:i64 input:?data",
  ActorName: "metadata:str",
  ProtocolMetadata: "runnerLostThreshold:i64",
})
const LAYOUTS = { 1: layout(true), 2: layout(false) }
const UNIONS = { to_server: "ToServer", to_client: "ToClient" }
const fieldsOf = (struct) => struct.split(" ").filter(Boolean).map((field) => [field.slice(0, field.indexOf(":")), field.slice(field.indexOf(":") + 1)])
const memberOf = (member) => { const [name, ...rest] = member.split(" "); return [name, rest.join(" ")] }
const byBytes = ([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))

function decode(version, direction, hex) {
  const types = LAYOUTS[version]
  const bytes = Buffer.from(hex, "hex")
  let at = 0
  const take = (count) => { ok(count <= bytes.length - at, `${count} bytes are due at ${at}`); at += count; return bytes.subarray(at - count, at) }
  const uint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const [byte] = take(1)
      value |= BigInt(byte & 127) << shift
      if (byte < 128) {
        ok(shift === 0n || byte !== 0, "a number in more bytes than it needs")
        ok(value < 1n << 64n && shift < 70n, "a number of more than 64 bits")
        return Number(value)
      }
      ok(shift < 63n, "a number of more than 64 bits")
    }
  }
  const flag = () => { const [byte] = take(1); ok(byte < 2, `a byte of ${byte} where 0 or 1 is due`); return byte === 1 }
  const text = () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(take(uint()))
  const struct = (fields) => Object.fromEntries(fieldsOf(fields).map(([name, type]) => [name, value(type)]))
  function value(type) {
    if (type[0] === "?") return flag() ? value(type.slice(1)) : null
    if (type[0] === "[" || type[0] === "{") {
      const count = uint()
      ok(count <= bytes.length - at, "a count beyond the frame")
      if (type[0] === "[") return Array.from({ length: count }, () => value(type.slice(1)))
      const pairs = Array.from({ length: count }, () => [text(), value(type.slice(1))])
      ok(new Set(pairs.map(([key]) => key)).size === count, "a key that comes twice")
      return pairs.sort(byBytes)
    }
    switch (type) {
      case "str": return text()
      case "bool": return flag()
      case "u16": return take(2).readUInt16LE()
      case "u32": return take(4).readUInt32LE()
      case "i64": return take(8).readBigInt64LE().toString()
      case "data": return take(uint()).toString("hex")
      case "data16": return take(16).toString("hex")
      case "rest": return take(bytes.length - at).toString("hex")
    }
    const shape = types[type]
    if (typeof shape === "string") return struct(shape)
    const tag = uint()
    if (shape.enumerates) { ok(tag < shape.enumerates.length, "no such value"); return shape.enumerates[tag] }
    ok(tag < shape.length, `${type} has no member ${tag}`)
    const [name, fields] = memberOf(shape[tag])
    return { [name]: struct(fields) }
  }
  const frame = value(UNIONS[direction])
  ok(at === bytes.length, `${bytes.length - at} bytes too many`)
  return frame
}

function encode(version, direction, frame) {
  const types = LAYOUTS[version]
  const parts = []
  const uint = (n) => { for (; n > 127; n = Math.floor(n / 128)) parts.push(Buffer.from([(n % 128) | 128])); parts.push(Buffer.from([n])) }
  const block = (bytes) => { uint(bytes.length); parts.push(bytes) }
  const fixed = (size, write) => { const bytes = Buffer.alloc(size); write(bytes); parts.push(bytes) }
  const struct = (fields, value) => fieldsOf(fields).forEach(([name, type]) => put(type, value[name]))
  function put(type, value) {
    if (type[0] === "?") { uint(value === null ? 0 : 1); return value === null || put(type.slice(1), value) }
    if (type[0] === "[") { uint(value.length); return value.forEach((item) => put(type.slice(1), item)) }
    if (type[0] === "{") { uint(value.length); return value.forEach(([key, item]) => { put("str", key); put(type.slice(1), item) }) }
    switch (type) {
      case "str": return block(Buffer.from(value, "utf8"))
      case "bool": return uint(value ? 1 : 0)
      case "u16": return fixed(2, (bytes) => bytes.writeUInt16LE(value))
      case "u32": return fixed(4, (bytes) => bytes.writeUInt32LE(value))
      case "i64": return fixed(8, (bytes) => bytes.writeBigInt64LE(BigInt(value)))
      case "data": return block(Buffer.from(value, "hex"))
      case "data16": case "rest": return parts.push(Buffer.from(value, "hex"))
    }
    const shape = types[type]
    if (typeof shape === "string") return struct(shape, value)
    if (shape.enumerates) return uint(shape.enumerates.indexOf(value))
    const [name] = Object.keys(value)
    const tag = shape.findIndex((member) => memberOf(member)[0] === name)
    uint(tag)
    struct(memberOf(shape[tag])[1], value[name])
  }
  put(UNIONS[direction], frame)
  return Buffer.concat(parts).toString("hex")
}

function refuses(action) {
  try { action() } catch { return true }
  return false
}

function checkFrame({ version, direction, hex, result, frame, canonical }) {
  if (result === "invalid") return ok(refuses(() => decode(version, direction, hex)), "it is taken for a frame")
  same(decode(version, direction, hex), frame)
  same(encode(version, direction, frame), canonical ?? hex)
}

// -- serial numbers ------------------------------------------------------------------------------------------------------------------

function checkSerial({ modulus, a, b, distance, less, greater, steps, sum, result }) {
  const half = modulus / 2
  if (steps !== undefined) return result === "invalid" ? ok(steps >= half) : same(sum, (a + steps) % modulus)
  const forward = b >= a ? b - a : b - a + modulus
  same(distance, forward)
  same(less, (a < b && b - a < half) || (a > b && a - b > half)) // RFC 1982, section 3.2, word for word
  same(greater, (a < b && b - a > half) || (a > b && a - b < half))
  same(result === "acceptable", forward === half)
}

// -- steps and runs, against the tables ------------------------------------------------------------------------------------------------

const tables = read(tablesFile)
const types = new Map(tables.types.map((type) => [type.name, type]))
const machines = new Map(tables.machines.map((machine) => [machine.id, { ...machine, rules: new Map(machine.transitions.map((t) => [t.id, t])) }]))
const rules = new Map(tables.machines.flatMap((machine) => machine.transitions.map((t) => [t.id, { ...t, machine: machine.id }])))
/** The exported layout of the wire in the words of ours. */
function spelled(part, found) {
  const prefix = { optional: "?", list: "[", map: "{" }[part.is]
  if (prefix) return prefix + spelled(part.of, found)
  const fields = (struct) => struct.fields.map(({ name, type }) => `${name}:${spelled(type, found)}`)
  if (part.is === "union") found[part.name] = part.members.map((member) => [member.name, ...fields(member)].join(" "))
  else if (part.is === "enum") found[part.name] = { enumerates: part.members }
  else if (part.is === "struct") found[part.name] = fields(part).join(" ")
  else return `${part.is}${part.length ?? ""}`
  return part.name
}
for (const { version, to_server, to_client } of tables.wire) {
  const found = {}
  for (const direction of [to_server, to_client]) spelled(direction, found)
  same(found, LAYOUTS[version])
}

const names = (fields) => fields.map((field) => field.name).sort()

/** Whether a value is of a type, in the words of the tables' JSON. */
function fits(value, type) {
  if (type.endsWith("?")) return value === null || fits(value, type.slice(0, -1))
  if (type.includes(" | ")) return type.replace(/[()]/g, "").split(" | ").some((one) => fits(value, one))
  const [, generic, inner] = type.match(/^(list|pair)<(.*)>$/) ?? []
  if (generic === "list") return Array.isArray(value) && value.every((item) => fits(item, inner))
  if (generic === "pair") return value.length === 2 && inner.split(", ").every((one, place) => fits(value[place], one))
  switch (type) {
    case "any": return true
    case "int": return Number.isInteger(value)
    case "bool": return typeof value === "boolean"
    case "str": return typeof value === "string"
    case "bytes": return typeof value === "string" && /^([0-9a-f]{2})*$/.test(value)
    case "class": return types.has(value)
  }
  const { name, fields } = types.get(type)
  if ("type" in value && value.type !== name) return false
  same(Object.keys(value).filter((key) => key !== "type").sort(), names(fields))
  return fields.every((field) => fits(value[field.name], field.type))
}

function checkTyped(value) {
  const { is } = types.get(value.type)
  if ((is === "wire" || is === "frame") && "message_id" in value) { // a frame that was received, in its envelope
    same(value.frame.type, value.type)
    ok(fits({ ...value, type: "Received" }, "Received") && fits(value.frame, value.type), `${value.type}: a field of another type`)
  } else ok(fits(value, value.type), `${value.type}: a field of another type`)
}

function checkStep({ machine: id, state, context, event, then }) {
  const machine = machines.get(id)
  const rule = machine.rules.get(then.transition)
  ok(rule.sources.includes(state), `${rule.id} does not apply in ${state}`)
  same(event.type, rule.event)
  same(then.state, rule.target ?? state)
  checkTyped(event)
  for (const one of [context, then.context]) ok(fits(one, machine.context.type), "a field of the context is of another type")
  if (rule.verdict === "refused") same(then.outputs, [{ type: "Violation", rule: rule.id }])
  else if (rule.effect === null) same(then.outputs, [])
  if (rule.effect === null) same(then.context, context)
  else {
    const may = rule.effect.outputs.map((output) => output.type)
    for (const output of then.outputs) {
      ok(may.includes(output.type), `${rule.id} does not put out ${output.type}`)
      checkTyped(output)
    }
  }
}

function checkRun({ endpoint: { role, name }, start, steps }) {
  const endpoint = tables.endpoints.find((one) => one.role === role && one.name === name)
  same(start.map((one) => one.machine), endpoint.machines)
  let states = new Map(start.map((one) => [one.machine, one.state]))
  for (const { event, takes, outputs, states: after, freed } of steps) {
    checkTyped(event)
    const signals = [event.type]
    let violations = 0
    for (const id of takes) {
      const rule = rules.get(id)
      ok(rule.sources.includes(states.get(rule.machine)), `${id} does not apply in ${states.get(rule.machine)}`)
      ok(signals.includes(rule.event), `nobody said ${rule.event}, on which ${id} is taken`)
      signals.push(...(rule.effect?.outputs ?? []).map((output) => output.type))
      states.set(rule.machine, rule.target ?? states.get(rule.machine))
      violations += rule.verdict === "refused"
    }
    same(endpoint.machines.map((machine) => states.get(machine)), after)
    same(outputs.filter((output) => output.type === "Violation").length, violations)
    ok(outputs.every((output) => output.type === "Violation" || signals.includes(output.type)))
    if (freed) states = new Map(endpoint.machines.map((machine) => [machine, machines.get(machine).initial]))
  }
}

// -- conversations -------------------------------------------------------------------------------------------------------------------

/** The first entry that the protocol's text does not allow, or -1. */
function firstWrong(entries) {
  const versions = {}, sent = { "to-client": new Map(), "to-server": new Map() }
  const tunnel = { link: 0, open: false, over: false, hibernates: false, replays: false, next: 1, acked: 0 } // the one that was opened last
  for (const [place, { link, event, way, hex, protocol_version }] of entries.entries()) {
    if (event) { versions[link] = protocol_version ?? versions[link]; continue }
    let message
    try {
      message = Object.values(decode(versions[link], way.replace("-", "_"), hex))[0]
    } catch { return place }
    const { messageId } = message
    const [[kind, said]] = Object.entries(message.messageKind)
    const other = way === "to-client" ? "to-server" : "to-client"
    const current = link === tunnel.link
    if (kind === "TunnelAck") { // names a message of the other side's that was not acked before
      if (sent[other].get(messageId) !== link) return place
      sent[other].delete(messageId)
      continue
    }
    sent[way].set(messageId, link)
    if (kind === "ToClientWebSocketOpen") Object.assign(tunnel, { link, open: false, over: false })
    else if (kind === "ToServerWebSocketOpen" && current) {
      const last = Number(said.lastMsgIndex ?? -1)
      const from = last < 0 ? 0 : last // what is kept of an earlier, hibernating tunnel is sent again, also if this one is plain
      Object.assign(tunnel, { open: true, replays: tunnel.hibernates, hibernates: said.canHibernate ?? false })
      Object.assign(tunnel, { acked: from, next: (from + 1) % 65536 })
    } else if (kind === "ToClientWebSocketMessage") {
      if (!tunnel.open || !current) return place
      if (versions[link] === 1) continue
      const numbered = tunnel.hibernates || (tunnel.replays && said.index === tunnel.next)
      if (said.index !== (numbered ? tunnel.next : 0)) return place
      if (numbered) tunnel.next = (tunnel.next + 1) % 65536
      else tunnel.replays = false
    } else if (kind === "ToServerWebSocketMessageAck" && current) {
      const ahead = (said.index - tunnel.acked + 65536) % 65536, pending = (tunnel.next - 1 - tunnel.acked + 65536) % 65536
      if (ahead > pending) return place
      tunnel.acked = said.index
    } else if (kind === "ToServerWebSocketMessage" && current && (tunnel.over || !tunnel.open)) return place
    else if (kind === "ToServerWebSocketClose" && current) {
      if (tunnel.over) return place
      Object.assign(tunnel, { open: false, over: said.retry !== true })
    }
  }
  return -1
}

function checkConversation({ entries, result, wrong, before }) {
  const versions = {}
  for (const { link, protocol_version, way, hex, frame } of entries) {
    versions[link] ??= protocol_version
    if (frame) {
      const direction = way.replace("-", "_")
      same(decode(versions[link], direction, hex), frame)
      same(encode(versions[link], direction, frame), hex)
    }
  }
  same(firstWrong(entries), result === "valid" ? -1 : wrong.entry)
}

// -- all of them ---------------------------------------------------------------------------------------------------------------------

const CHECKS = { frames: checkFrame, serials: checkSerial, steps: checkStep, runs: checkRun, conversations: checkConversation }
const counts = {}
for (const [kind, check] of Object.entries(CHECKS)) {
  const { vectors, count, notes, format, version } = read(join(folder, `${kind}.json`))
  ok(format === "tunnelspec-vectors" && version.startsWith("1."), `${kind}.json is of another form`)
  same(vectors.length, count)
  same(new Set(vectors.map((vector) => vector.id)).size, count)
  counts[kind] = {}
  for (const vector of vectors) {
    try {
      check(vector)
      ok(vector.notes.every((note) => note in notes), "a note without an explanation")
    } catch (error) {
      console.error(`${kind}.json: ${vector.id}: ${error.message}`)
      process.exit(1)
    }
    counts[kind][vector.result] = (counts[kind][vector.result] ?? 0) + 1
  }
}
console.log(JSON.stringify(counts))
