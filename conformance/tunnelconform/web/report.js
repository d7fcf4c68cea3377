// The filter: by a part of the id, and by verdict. What is asked for is kept in the page's address, so that it can be handed on.
const form = document.querySelector("#filter")
const cases = [...document.querySelectorAll("#list > li")]
const boxes = [...form.querySelectorAll("[name=verdict]")]
const count = document.querySelector("#count")
const full = document.querySelector("#full")

function show() {
  const wanted = form.elements.id.value.trim().toLowerCase()
  const verdicts = new Set(boxes.filter((box) => box.checked).map((box) => box.value))
  let shown = 0
  for (const one of cases) {
    const fits = one.dataset.id.includes(wanted) && verdicts.has(one.dataset.outcome)
    one.hidden = !fits
    shown += fits
  }
  count.textContent = `${shown} of ${cases.length} cases`
}

function ask(id) {
  form.elements.id.value = id
  for (const box of boxes) box.checked = true
  show()
}

form.hidden = false
form.addEventListener("input", show)
form.addEventListener("submit", (event) => event.preventDefault())
form.addEventListener("reset", () => setTimeout(show))
full.addEventListener("change", () => document.body.classList.toggle("full", full.checked))
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-ask]")
  if (link) ask(link.dataset.ask)
})
show()
document.body.dataset.ready = ""
