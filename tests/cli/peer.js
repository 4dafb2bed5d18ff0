// A WebSocket peer of another make: Node's "ws". Usage: node peer.js server | node peer.js client URL
// server: prints its port, then a JSON line for each thing that happens; sends back what it gets.
// client: sends a text and 100 000 binary bytes, prints what comes back, and closes with 4321.
const { WebSocket, WebSocketServer } = require(require('path').resolve('build/node/node_modules/ws'))
const tell = (...what) => console.log(JSON.stringify(what))

if (process.argv[2] === 'server') {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => tell('port', server.address().port))
  server.on('connection', (socket, request) => {
    tell('open', request.url, request.headers)
    socket.on('ping', () => tell('ping'))
    socket.on('close', (code, reason) => tell('close', code, reason.toString()))
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
} else {
  const socket = new WebSocket(process.argv[3])
  socket.on('open', () => { socket.send('text'); socket.send(Buffer.alloc(100000, 7)) })
  socket.on('message', (data, isBinary) => {
    tell(isBinary, data.length)
    if (isBinary) socket.close(4321, 'enough')
  })
  socket.on('close', code => tell('closed', code))
  socket.on('error', error => { console.error(error); process.exit(1) })
}
