// What Python has and JavaScript lacks, for whole numbers up to 2^53 and for arrays that are never changed.
const py = {
  exact: (n) => { // a power of two is exact, however large
    if (!Number.isSafeInteger(n) && n !== Math.pow(2, Math.round(Math.log2(n)))) throw new RangeError(`${n} is not exact`)
    return n
  },
  mod: (a, b) => { const rest = py.exact(a) % py.exact(b); return rest !== 0 && (rest < 0) !== (b < 0) ? rest + b : rest },
  div: (a, b) => Math.floor(py.exact(a) / py.exact(b)),
  pow: (a, b) => py.exact(Math.pow(a, b)),
  and: (a, b) => { if (Math.abs(a) > 2147483647 || Math.abs(b) > 2147483647) throw new RangeError("beyond 32 bits"); return a & b },
  at: (xs, place) => { const i = place < 0 ? xs.length + place : place; if (!(i in xs)) throw new RangeError(`no item ${place}`); return xs[i] },
  has: (xs, x) => xs.indexOf(x) >= 0,
  sum: (xs) => xs.reduce((a, b) => a + b, 0),
  first: (xs, otherwise) => xs.length > 0 ? xs[0] : otherwise,
  enumerate: (xs) => xs.map((x, place) => [place, x]),
  replace: (record, changes) => Object.assign({}, record, changes),
  without: (xs, place) => xs.filter((_, i) => i !== place),
}
