// Runs exported state machines in the engines they were exported for: XState v5, and SCION, an interpreter of SCXML.
//
// usage: node statecharts.mjs FOLDER ENGINE
// FOLDER has what 'tunnelspec export ENGINE -o FOLDER' wrote, ENGINE is xstate or scxml.
// Standard input: one run a line, {"machine": "ack-g", "limits": {...}} with "events", heard one after the other from the start,
// or with "cases", a state, a context and an event each. Standard output: one line a run, a list of [rule, state, context,
// outputs].

import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join, resolve } from "node:path"
import { createInterface } from "node:readline"
import { pathToFileURL } from "node:url"

const [folder, engine] = process.argv.slice(2)

async function xstate() {
    const { createActor, setup } = await import("xstate")
    const machines = new Map()
    async function machine(name) {
        if (!machines.has(name)) {
            const config = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"))
            const { implementations } = await import(pathToFileURL(resolve(folder, `${name}.mjs`)).href)
            machines.set(name, { config, chart: setup(implementations).createMachine(config) })
        }
        return machines.get(name)
    }
    return async ({ machine: name, limits, events, cases }) => {
        const { config, chart } = await machine(name)
        const at = (state, c) => {
            const snapshot = chart.resolveState({ value: state, context: { c, limits } })
            const seen = { rules: [], outputs: [] }
            const inspect = (said) => said.type === "@xstate.microstep" && seen.rules.push(...said._transitions.map((t) => t.meta?.id))
            const actor = createActor(chart, { snapshot, inspect })
            actor.on("*", (output) => seen.outputs.push(output))
            actor.start()
            return (event) => {
                seen.rules = []
                seen.outputs = []
                actor.send(event)
                const { value, context } = actor.getSnapshot()
                return [seen.rules.join(" and "), value, context.c, seen.outputs]
            }
        }
        if (events) return events.map(at(config.initial, config.context.c))
        return cases.map(({ state, c, event }) => at(state, c)(event))
    }
}

async function scxml() {
    const scion = createRequire(import.meta.url)("@scion-scxml/scxml")
    const { Statechart } = scion.core
    const models = new Map()
    async function model(name) {
        if (!models.has(name)) {
            const text = readFileSync(join(folder, `${name}.scxml`), "utf8")
            const parsed = await new Promise((done, failed) =>
                scion.documentStringToModel(name, text, (error, found) => (error ? failed(error) : done(found))),
            )
            models.set(name, () => new Promise((done, failed) => parsed.prepare((error, ready) => (error ? failed(error) : done(ready)))))
        }
        return models.get(name)()
    }
    return async ({ machine: name, limits, events, cases }) => {
        const at = async (state, c) => {
            const data = { lim: limits, c, did: [], rule: null, outputs: [] }
            const chart = new Statechart(await model(name), { snapshot: [[state], {}, false, data, []] })
            return (event) => {
                const [next] = chart.gen({ name: event.type, data: event })
                const { rule, c, outputs } = chart.getSnapshot()[3]
                return [rule, next, c, outputs]
            }
        }
        if (events) {
            const fresh = new Statechart(await model(name))
            const [state] = fresh.start()
            return events.map(await at(state, fresh.getSnapshot()[3].c))
        }
        const answers = []
        for (const { state, c, event } of cases) answers.push((await at(state, c))(event))
        return answers
    }
}

const run = await { xstate, scxml }[engine]()
for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await run(JSON.parse(line)))}\n`)
}
