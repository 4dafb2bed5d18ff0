// A difficult peer on npm ws; the path chooses its behaviour. Prints its port.
const { WebSocketServer } = require('../../build/node/node_modules/ws')

let deaf // who is not read
let lastCode // what a client has closed with, and who waits to hear it
let listener

const paths = {
  '/echo': ws => ws.on('message', (data, binary) => ws.send(data, { binary })),
  // Reads nothing until another client requests /hear. Expects numbered messages, and reports how many arrived in
  // order.
  '/deaf': ws => {
    let inOrder = 0
    deaf = ws
    ws.pause()
    ws.on('message', (data, binary) => {
      if (!binary) ws.send(`${inOrder} in order`)
      else if (data.readUInt32LE(0) === inOrder) inOrder++
    })
  },
  '/hear': ws => {
    deaf.resume()
    ws.close()
  },
  // ?count=N&ms=N: sends numbered texts, spread over that time.
  '/flood': (ws, query) => {
    const count = Number(query.get('count')), ms = Number(query.get('ms')), began = Date.now()
    let sent = 0
    const timer = setInterval(() => {
      for (const due = Math.min(count, Math.ceil(count * (Date.now() - began) / ms)); sent < due;)
        ws.send(`message ${sent++}`)
      if (sent === count) clearInterval(timer)
    }, 10)
    ws.on('close', () => clearInterval(timer))
  },
  '/close': (ws, query) => {
    ws.send('last words')
    ws.close(Number(query.get('code')), 'as asked')
  },
  '/note': ws => ws.on('close', (code, reason) => {
    lastCode = `${code} ${reason}`
    if (listener) listener()
  }),
  '/noted': ws => {
    listener = () => {
      ws.send(lastCode)
      listener = lastCode = undefined
    }
    if (lastCode) listener()
  },
  '/die': () => process.kill(process.pid, 'SIGKILL'),
}

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 1 << 25, perMessageDeflate: false },
  () => console.log(server.address().port))
server.on('connection', (ws, request) => {
  const url = new URL(request.url, 'http://localhost')
  ws.on('error', () => {})
  paths[url.pathname](ws, url.searchParams)
})
