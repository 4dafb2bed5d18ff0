// npm ws: echoes messages; cuts the connection at "die"; at /once it closes after one message; "restart" and "leave" are
// answered by a close with 1012 and 4100. At /cut the second and third request of each query are refused with 503. Prints
// its port.
const { WebSocketServer } = require('../../build/node/node_modules/ws')

const requests = new Map()

function isRefused (url) {
  const count = (requests.get(url) || 0) + 1
  requests.set(url, count)
  return url.startsWith('/cut') && (count === 2 || count === 3)
}

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  maxPayload: 1 << 25,
  verifyClient: ({ req }, answer) => answer(!isRefused(req.url), 503, 'come back')
}, () => console.log(server.address().port))
server.on('connection', (ws, request) => {
  ws.on('error', () => {})
  ws.on('message', (data, binary) => {
    if (String(data) === 'die') return request.socket.destroy()
    if (String(data) === 'restart') return ws.close(1012)
    if (String(data) === 'leave') return ws.close(4100)
    ws.send(data, { binary })
    if (request.url === '/once') ws.close(4100, 'once')
  })
})
