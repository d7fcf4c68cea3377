// Small help with the document.

export const find = (id) => document.getElementById(id)

// An element: `el("button.big", {type: "button"}, "text", child)`. A property whose name begins with "on" is a listener.
export function el(what, properties = {}, ...children) {
  const [tag, ...classes] = what.split(".")
  const element = document.createElement(tag)
  if (classes.length) element.className = classes.join(" ")
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value)
    else if (value === true) element.setAttribute(name, "")
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, value)
  }
  element.append(...children.flat(3).filter((child) => child !== undefined && child !== null && child !== ""))
  return element
}

const kept = new WeakMap() // an element -> its children by key

// Gives an element the wanted children, [key, make] each, in this order. A child whose key is what it was stays as it is, so that
// a step changes no more of the document than what it changes of the world.
export function renew(parent, wanted) {
  const before = kept.get(parent) ?? new Map()
  const after = new Map(wanted.map(([key, make]) => [key, before.get(key) ?? make()]))
  kept.set(parent, after)
  for (const [key, child] of before) if (!after.has(key)) child.remove()
  let place = parent.firstElementChild
  for (const child of after.values()) {
    if (child === place) place = place.nextElementSibling
    else parent.insertBefore(child, place)
  }
}

export const option = (value, text, chosen = false) => {
  const made = el("option", { value }, text)
  made.selected = chosen
  return made
}

// Says something to those who listen.
export function announce(text) {
  find("live").textContent = text
}

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`

// Text with `code`, and with rules and properties as links. `link(id)` makes an element, or nothing for what is no id.
export function prose(text, link) {
  return text.split(/(`[^`]+`|\b(?:[A-Z]{3,5}-[GR]-\d\d|[PL]-[A-Z][A-Z-]*[A-Z])\b)/).map((part) =>
    part.startsWith("`") ? el("code", {}, part.slice(1, -1)) : link(part) ?? part)
}
