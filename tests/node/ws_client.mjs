// usage: node ws_client.mjs URL. Prints what the scenario found, as JSON.
import WebSocket from "ws"
import { scenario } from "./scenario.js"

console.log(JSON.stringify(await scenario(WebSocket, process.argv[2], `ws${process.pid}`)))
