// Keys for everything. They can be turned off, for those whose keys mean something else.

import { announce, el, find } from "./dom.js"
import { listed } from "./steps.js"

const press = (id) => () => find(id).click()

const KEYS = [
  [["1", "2", "3", "4", "5", "6", "7", "8", "9"], "take the step of that number", (session, key) => {
    const edge = listed(session.world, session.state)[Number(key) - 1]
    if (edge !== undefined) session.take(edge)
  }],
  [["ArrowLeft", "b"], "back", press("back")],
  [["ArrowRight", "f"], "forward", press("forward")],
  [["Home"], "to the start of the world", press("reset")],
  [["r"], "a random step", press("random")],
  [["w"], "a random walk, until it is stopped or ends", press("walk")],
  [["c"], "the shortest counterexample, where something is violated", press("break")],
  [["g"], "take me to a state where …", () => {
    find("goals").open = true
    find("goal-what").focus()
  }],
  [["n"], "why steps are not possible now", () => {
    find("refused").open = !find("refused").open
    find("refused").querySelector("summary").focus()
  }],
  [["t"], "the tour: reveal, or next", () => (find("tour-reveal") ?? find("tour-next"))?.click()],
  [["d"], "light, dark, or as the system is", () => {
    const options = [...find("theme").options].map(({ value }) => value)
    find("theme").value = options[(options.indexOf(find("theme").value) + 1) % options.length]
    find("theme").dispatchEvent(new Event("change"))
    announce(`Theme: ${find("theme").selectedOptions[0].textContent}.`)
  }],
  [["s"], "copy a link to what you see", press("share")],
  [["?"], "this help", press("keys")],
]

const NAMES = { ArrowLeft: "←", ArrowRight: "→" }

export function setUpKeys(session) {
  const run = new Map(KEYS.flatMap(([keys, , act]) => keys.map((key) => [key, act])))
  find("help-keys").replaceChildren(...KEYS.map(([keys, says]) => el("tr", {},
    el("th", { scope: "row" }, keys.length > 2 ? `${keys[0]} … ${keys.at(-1)}` : keys.map((key) => NAMES[key] ?? key).join(" or ")),
    el("td", {}, says))))
  find("keys").addEventListener("click", () => find("help").showModal())
  document.addEventListener("keydown", (event) => {
    if (!find("shortcuts").checked || event.ctrlKey || event.altKey || event.metaKey || find("help").open) return
    if (event.target.closest("select, textarea")) return
    if (event.key.length > 1 && event.target.closest("input, .frame, .scroll")) return // arrows choose, or scroll, there
    const act = run.get(event.key)
    if (!act) return
    event.preventDefault()
    act(session, event.key)
  })
}
