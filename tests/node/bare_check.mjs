// A second opinion on the wire's bytes: reads the schema <folder>/common.bare + v1.bare or v2.bare with @bare-ts/tools, and
// decodes and encodes with @rivetkit/bare-ts, the library of the production runner.
//
// usage: node bare_check.mjs FOLDER
// Standard input: one request a line, {"version": 2, "union": "ToServer", "hex": "..."}.
// Standard output: one answer a line, {"json": what was decoded, in tunnelspec's JSON, "hex": the same encoded again},
// or {"error": "..."}.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath, pathToFileURL } from "node:url"
import { transform } from "@bare-ts/tools"

const here = dirname(fileURLToPath(import.meta.url))
const folder = process.argv[2]

// The schema says "list" where our dataclasses need a field's name.
const LISTS = { ToServerEvents: "events", ToClientCommands: "commands" }

async function compile(version) {
    // legacy: in any order of definition
    const schema = ["common.bare", `v${version}.bare`].map((name) => readFileSync(join(folder, name), "utf8")).join("\n")
    const source = transform(schema, { generator: "js", legacy: true }).replace("@bare-ts/lib", "@rivetkit/bare-ts")
    const scratch = mkdtempSync(join(here, ".bare-")) // below node_modules' parent, so that its imports are found
    try {
        const file = join(scratch, "codec.mjs")
        writeFileSync(file, source)
        return await import(pathToFileURL(file).href)
    } finally {
        rmSync(scratch, { recursive: true })
    }
}

function plain(value) {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return Buffer.from(value).toString("hex")
    if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]))
    if (Array.isArray(value)) return value.map(plain)
    if (typeof value === "bigint") return { i64: value.toString() } // JSON.stringify has no big integers
    if (value === null || typeof value !== "object") return value
    const names = Object.keys(value)
    if (names.length === 2 && "tag" in value && "val" in value) {
        const inner = value.val === null ? {} : plain(value.val)
        return { [value.tag]: value.tag in LISTS ? { [LISTS[value.tag]]: inner } : inner }
    }
    return Object.fromEntries(names.map((name) => [name, plain(value[name])]))
}

const codecs = { 1: await compile(1), 2: await compile(2) }
for await (const line of createInterface({ input: process.stdin })) {
    const { version, union, hex } = JSON.parse(line)
    let answer
    try {
        const value = codecs[version][`decode${union}`](Uint8Array.from(Buffer.from(hex, "hex")))
        answer = { json: plain(value), hex: Buffer.from(codecs[version][`encode${union}`](value)).toString("hex") }
    } catch (error) {
        answer = { error: String(error) }
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`)
}
