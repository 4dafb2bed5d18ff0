// An echo server of npm ws with the settings and commands of tests/c/peer_server.c, and also: client_ca=FILE (requires
// a client certificate), tls=1.2, http=yes (a plain HTTP server without WebSocket). A request for /refuse/STATUS is
// refused with a body. Usage: node_server.js [NAME=VALUE]..., with NODE_PATH set
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');
const WebSocket = require('ws');
const {close, deflate, extensions, headers, list, onCommand, parse, print, printMessage, put, shown} =
  require('./node_common.js');

const settings = parse(process.argv.slice(2));
const known = list(settings.subprotocols);

// Answers like a web application: chunked, on a connection that is kept alive.
function answerHttp(request, response) {
  response.writeHead(Number(request.url.split('/').pop()), {'Content-Type': 'text/plain', 'X-Refused': 'yes'});
  response.write('not here: ');
  setImmediate(() => response.end('κόσμε\n'));
}

function makeServer() {
  if (!settings.cert) return http.createServer(answerHttp);
  const options = {cert: fs.readFileSync(settings.cert), key: fs.readFileSync(settings.key)};
  if (settings.client_ca)
    Object.assign(options, {ca: fs.readFileSync(settings.client_ca), requestCert: true, rejectUnauthorized: true});
  if (settings.tls) options.minVersion = options.maxVersion = 'TLSv' + settings.tls;
  return https.createServer(options, answerHttp);
}

function verifyClient(info, decide) {
  const [, refuse, status] = info.req.url.split('/');
  if (refuse === 'refuse') decide(false, Number(status), 'no entry: κόσμε\n', {'X-Refused': 'yes'});
  else decide(true);
}

function serve(server) {
  const sockets = new WebSocket.Server({
    server,
    verifyClient,
    perMessageDeflate: deflate(settings),
    handleProtocols: (offered) => known.find((name) => offered.has(name)) || false,
  });
  sockets.on('headers', (lines) => lines.push(...settings.header));
  sockets.on('connection', (ws, request) => {
    const socket = request.socket;
    const encrypted = Boolean(settings.cert);
    const [path, query = ''] = request.url.split('?');
    print('open', {
      path,
      query,
      subprotocol: ws.protocol,
      extensions: extensions(ws),
      shown: shown(request.rawHeaders, settings.show),
      tls: encrypted ? socket.getProtocol() : '',
      server_name: (encrypted && socket.servername) || '',
      client: (settings.client_ca && socket.getPeerCertificate().subject.CN) || ''
    });
    ws.on('message', (data, isBinary) => {
      printMessage(data, isBinary);
      ws.send(data, {binary: isBinary});
    });
    ws.on('error', (error) => print('error', {sentence: error.message}));
    ws.on('close', (code, reason) => print('closed', {code, reason: reason.toString()}));
  });
  onCommand((verb, fields) => {
    for (const ws of sockets.clients) {
      if (verb === 'put') put(ws, fields);
      if (verb === 'close') close(ws, fields);
    }
  });
}

const server = makeServer();
if (settings.http) onCommand(() => {});
else serve(server);
server.listen(0, settings.host || '127.0.0.1', () => print('listening', {port: server.address().port}));
