// The package ws for Node, as in its README. Only the role `scale`; see ../harness/scale.c.
//   node node_ws.mjs DIRECTORY-WITH-node_modules [--cert PEM --key PEM]
import {readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {createServer as createSecureServer} from 'node:https';
import {createRequire} from 'node:module';
import {createInterface} from 'node:readline';

const [directory, ...words] = process.argv.slice(2);
const {WebSocket, WebSocketServer} = createRequire(`${directory}/`)('ws');
const option = name => words.includes(name) ? readFileSync(words[words.indexOf(name) + 1]) : undefined;
const cert = option('--cert');
const server = cert ? createSecureServer({cert, key: option('--key')}) : createServer();
const sockets = new WebSocketServer({server});

sockets.on('connection', socket => {
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => socket.send(data, {binary: isBinary}));
});

// libuv's limit of 511 waiting connections would delay many clients by seconds.
server.listen({port: 0, host: '127.0.0.1', backlog: 4096}, () => console.log(`port ${server.address().port}`));

createInterface({input: process.stdin})
  .on('line', line => {
    const began = process.cpuUsage();
    const data = Buffer.alloc(Number(line.split(' ')[1]), 1);
    for (const client of sockets.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(data, {binary: true});
    }
    const took = process.cpuUsage(began);
    console.log(JSON.stringify({call_ns: (took.user + took.system) * 1000}));
  })
  .on('close', () => process.exit());
