// Guided tours: predict, then reveal.

import { atlas, world } from "./data.js"
import { el, find, prose } from "./dom.js"

export const tourNamed = (name) => atlas.tours.find((tour) => tour.name === name)

// Go to a step of a tour. With a question that was not answered yet, the world is where it was before the step.
export async function visit(session, tour, step, told = false) {
  const place = Math.max(0, Math.min(Number.isInteger(step) ? step : 0, tour.steps.length - 1))
  const { key, way, question, action } = tour.steps[place]
  const open = question !== "" && !told
  const actions = (await world(key)).actions.map(([id]) => id)
  const numbers = way.slice(0, open && action ? -1 : undefined).map((id) => actions.indexOf(id))
  session.tour = { tour, name: tour.name, step: place, told: question !== "" && told }
  session.left = undefined
  await session.enter(key, numbers)
  session.changed({ toured: true })
}

export function leave(session) {
  session.tour = session.left = undefined
  session.changed()
  find("tours").focus()
}

let drawn

export function drawTour(session, link) {
  const section = find("tour")
  section.hidden = session.tour === undefined && session.left === undefined
  document.body.classList.toggle("asking", asking(session))
  if (!session.tour) {
    drawn = undefined
    if (session.left) offerReturn(section, session)
    return
  }
  const { tour, step, told } = session.tour
  const mark = `${tour.name} ${step} ${told}`
  if (drawn === mark) return
  drawn = mark
  const here = tour.steps[step]
  const open = asking(session)
  const last = step === tour.steps.length - 1
  const text = (words) => words.split(/\n\s*\n/).map((paragraph) => el("p", {}, prose(paragraph, link)))
  section.replaceChildren(
    el("h2", { id: "tour-title" }, tour.title, " ", el("small", {}, `step ${step} of ${tour.steps.length - 1}`)),
    step === 0 ? el("p.says", {}, tour.says) : "",
    here.question ? el("div.question", {}, el("p", {}, el("b", {}, "Predict: "), prose(here.question, link)), choices(session, here, told)) : "",
    open ? "" : el("div.text", { tabindex: "-1", id: "tour-text" }, text(here.text)),
    last && !open && tour.exercise.text ? exercise(tour.exercise, text) : "",
    el("p.buttons", {},
      el("button", { type: "button", id: "tour-back", disabled: step === 0, onclick: () => visit(session, tour, step - 1, true) }, "Previous"),
      open ? el("button.main", { type: "button", id: "tour-reveal", onclick: () => reveal(session) }, "Reveal")
        : el("button.main", { type: "button", id: "tour-next", disabled: last, onclick: () => visit(session, tour, step + 1) }, "Next"),
      el("button", { type: "button", id: "tour-leave", onclick: () => leave(session) }, "Leave the tour and go on from here")))
}

function offerReturn(section, session) {
  const { tour, step, told } = session.left
  section.replaceChildren(el("h2", { id: "tour-title" }, tour.title), el("p.buttons", {}, "You took a step of your own. ",
    el("button.main", { type: "button", id: "tour-return", onclick: () => visit(session, tour, step, told) }, `Return to step ${step} of the tour`)))
}

export const asking = ({ tour }) => tour !== undefined && tour.tour.steps[tour.step].question !== "" && !tour.told

let guess // what was chosen, of which step

async function reveal(session) {
  const { tour, step } = session.tour
  const chosen = find("tour").querySelector("input:checked")
  guess = { tour, step, choice: chosen ? Number(chosen.value) : -1 }
  await visit(session, tour, step, true)
  find("tour-text").focus()
}

function choices(session, { choices: offered, right }, told) {
  if (!offered.length) return ""
  const { tour, step } = session.tour
  const made = guess?.tour === tour && guess.step === step ? guess.choice : -1
  return el("fieldset", { disabled: told }, el("legend", {}, told ? verdict(made, right) : "What do you think?"),
    offered.map((words, place) => el("label", {},
      el("input", { type: "radio", name: "guess", value: place, checked: told && place === made }), ` ${words}`,
      told && place === right ? el("b", {}, " ✓ this is what happens") : "",
      told && place === made && made !== right ? el("b", {}, " ✗ your guess") : "")))
}

function verdict(made, right) {
  if (made < 0) return "The answer:"
  return made === right ? "You predicted it." : "It is another:"
}

function exercise({ text: task, command, solution }, text) {
  return el("div.exercise", {}, el("h3", {}, "Now you"), text(task),
    command ? el("pre", { tabindex: "0" }, el("code", {}, command)) : "",
    solution ? el("details", {}, el("summary", {}, "Solution"), text(solution)) : "")
}

// What a tour says is heard too; it need not be read twice.
export function sayTour({ tour }) {
  const { question, text } = tour ? tour.tour.steps[tour.step] : {}
  find("told").textContent = tour ? `${tour.tour.title}, step ${tour.step}: ${asking({ tour }) ? question : text}` : ""
}
