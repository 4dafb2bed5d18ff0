// npm ws: echoes messages; cuts the connection at "die"; at /once it closes after one message. Prints its port.
const { WebSocketServer } = require('../../build/node/node_modules/ws')

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 1 << 25 },
  () => console.log(server.address().port))
server.on('connection', (ws, request) => {
  ws.on('error', () => {})
  ws.on('message', (data, binary) => {
    if (String(data) === 'die') return request.socket.destroy()
    ws.send(data, { binary })
    if (request.url === '/once') ws.close(4100, 'once')
  })
})
