// What a JavaScript client does with the reference gateway: the same code in Node's ws and in a browser's page.

export async function scenario(WebSocket, url, name) {
  const open = (actor) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`${url}/ws/${actor}`)
      socket.binaryType = "arraybuffer"
      const inbox = []
      const waiting = []
      socket.onmessage = ({ data }) => (waiting.length ? waiting.shift().done(data) : inbox.push(data))
      socket.next = () =>
        inbox.length ? Promise.resolve(inbox.shift()) : new Promise((done, failed) => waiting.push({ done, failed }))
      socket.closed = new Promise((done) => {
        socket.onclose = ({ code, reason }) => {
          waiting.forEach(({ failed }) => failed(new Error(`${actor} was closed with ${code} ${reason} while a message was awaited`)))
          done([code, reason])
        }
      })
      socket.onerror = reject
      socket.onopen = () => resolve(socket)
    })

  const same = (a, b) =>
    typeof a === "string"
      ? a === b
      : b instanceof ArrayBuffer && a.byteLength === b.byteLength && new Uint8Array(a).every((x, i) => x === new Uint8Array(b)[i])

  const messages = ["hello", new Uint8Array([0, 255]).buffer, "", new ArrayBuffer(0), "ü".repeat(1000), new Uint8Array(1 << 20).fill(7).buffer]
  const plain = await open(`plainecho.${name}`)
  messages.forEach((message) => plain.send(message))
  let echoed = true
  for (const message of messages) echoed = same(message, await plain.next()) && echoed
  plain.close(4000, "done")
  await plain.closed

  const closing = await open(`echo.${name}`)
  closing.send("close 4321 so long")
  const closedByActor = await closing.closed

  const counter = await open(`counter.${name}`)
  const countsAcrossSleep = []
  for (const text of ["a", "b"]) {
    counter.send(text)
    countsAcrossSleep.push(await counter.next())
  }
  counter.send("sleep")
  counter.send("c")
  countsAcrossSleep.push(await counter.next())
  counter.close(1000, "")
  await counter.closed
  return { echoed, closedByActor, countsAcrossSleep }
}
