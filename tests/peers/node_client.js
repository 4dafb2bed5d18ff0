// A client of npm ws that a test controls like tests/c/peer_client.c. Usage: node_client.js, with NODE_PATH set
'use strict';
const fs = require('fs');
const WebSocket = require('ws');
const {close, deflate, extensions, headers, list, onCommand, print, printMessage, put, shown} =
  require('./node_common.js');

let ws;

function connect(settings) {
  const options = {headers: headers(settings.header), perMessageDeflate: deflate(settings) || true};
  for (const name of ['ca', 'cert', 'key']) if (settings[name]) options[name] = fs.readFileSync(settings[name]);
  if (settings.server_name) options.servername = settings.server_name;
  if (settings.tls) options.minVersion = options.maxVersion = 'TLSv' + settings.tls;
  const end = {status: 0, body: '', sentence: '', shown: []};
  ws = new WebSocket(settings.url, list(settings.subprotocols), options);
  let answer = [];
  ws.on('upgrade', (response) => { answer = shown(response.rawHeaders, settings.show); });
  ws.on('unexpected-response', (request, response) => {
    const parts = [];
    response.on('data', (part) => parts.push(part));
    response.on('end', () => {
      print('closed', {
        code: 1006,
        reason: '',
        ...end,
        status: response.statusCode,
        body: Buffer.concat(parts).toString(),
        shown: shown(response.rawHeaders, settings.show)
      });
    });
  });
  ws.on('open', () => {
    const socket = ws._socket;
    print('open', {
      subprotocol: ws.protocol,
      extensions: extensions(ws),
      shown: answer,
      tls: socket.getProtocol ? socket.getProtocol() : ''
    });
  });
  ws.on('message', printMessage);
  ws.on('error', (error) => { end.sentence = error.code ? `${error.code}: ${error.message}` : error.message; });
  ws.on('close', (code, reason) => print('closed', {code, reason: reason.toString(), ...end}));
}

onCommand((verb, settings) => {
  if (verb === 'connect') connect(settings);
  if (verb === 'put') put(ws, settings);
  if (verb === 'close') close(ws, settings);
  if (verb === 'drop') ws.terminate();
});
