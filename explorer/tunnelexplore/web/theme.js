// Light, dark, or as the system is. It runs before anything is painted: what is dark is a style sheet of its own, and what is chosen is
// when it applies. On paper it never does. A browser that keeps nothing for a page from disk forgets the choice, and nothing else.

const theme = {
  names: ["system", "light", "dark"],
  media: { system: document.getElementById("dark").media, light: "not all", dark: "screen" },
  get chosen() {
    try {
      return this.names.find((name) => name === localStorage.getItem("tunnelspec-theme")) ?? "system"
    } catch {
      return "system"
    }
  },
  apply(name) {
    document.getElementById("dark").media = this.media[name]
  },
  choose(name) {
    this.apply(name)
    try {
      localStorage.setItem("tunnelspec-theme", name)
    } catch { /* it holds for as long as the page is open */ }
  },
}
theme.apply(theme.chosen)
