// Shared by the two programs for npm ws: the commands, events and messages of tests/c/peer.h.
'use strict';
const fs = require('fs');
const readline = require('readline');

const LISTS = ['header'];

// NAME=VALUE fields as an object; header is a list.
function parse(fields) {
  const settings = {header: []};
  for (const field of fields) {
    const at = field.indexOf('=');
    const name = field.slice(0, at), value = field.slice(at + 1);
    if (LISTS.includes(name)) settings[name].push(value);
    else settings[name] = value;
  }
  return settings;
}

function onCommand(obey) {
  const lines = readline.createInterface({input: process.stdin});
  lines.on('line', (line) => {
    const [verb, ...fields] = line.split('\t');
    obey(verb, parse(fields));
  });
  lines.on('close', () => process.exit(0));
}

function print(event, more) {
  fs.writeSync(1, JSON.stringify({event, ...more}) + '\n');
}

const table = new Uint32Array(256).map((_, index) => {
  let bits = index;
  for (let k = 0; k < 8; k++) bits = bits & 1 ? 0xEDB88320 ^ (bits >>> 1) : bits >>> 1;
  return bits;
});

function crc32(data) {
  let crc = 0xFFFFFFFF;
  for (let i = 0; i < data.length; i++) crc = table[(crc ^ data[i]) & 0xFF] ^ (crc >>> 8);
  return ~crc >>> 0;
}

function random(size) {
  const data = Buffer.alloc(size);
  for (let i = 0, state = 1; i < size; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    data[i] = state >>> 24;
  }
  return data;
}

function pattern(type, size) {
  if (type === 'random') return random(size);
  if (type === 'binary') return Buffer.alloc(size, Buffer.from(Uint8Array.from({length: 251}, (_, index) => index)));
  const unit = Buffer.from('abé€🎮');
  const whole = size - size % unit.length;
  return Buffer.concat([Buffer.alloc(whole, unit), Buffer.alloc(size - whole, 'x')]);
}

// Text is sent as a string, as programs send it.
function put(ws, settings) {
  const data = pattern(settings.type, Number(settings.size));
  ws.send(settings.type === 'text' ? data.toString() : data);
}

function close(ws, settings) {
  if (settings.code === undefined) ws.close();
  else ws.close(Number(settings.code), settings.reason || '');
}

function printMessage(data, isBinary) {
  print('message', {type: isBinary ? 'binary' : 'text', size: data.length, crc: crc32(data)});
}

// "Name: value" lines to {Name: [values]}.
function headers(lines) {
  const all = {};
  for (const line of lines) {
    const at = line.indexOf(': ');
    (all[line.slice(0, at)] ||= []).push(line.slice(at + 2));
  }
  return all;
}

// All values of one header, from rawHeaders.
function shown(raw, name = '') {
  return raw.filter((_, index) => index % 2 === 1 && raw[index - 1].toLowerCase() === name.toLowerCase());
}

// The permessage-deflate options: deflate=yes and optionally flags of tests/c, level, threshold, server_bits and
// client_bits.
function deflate(settings) {
  if (settings.deflate !== 'yes') return false;
  const options = {
    threshold: Number(settings.threshold || 0),
    zlibDeflateOptions: {level: Number(settings.level || 1)}
  };
  const flags = Number(settings.flags || 0);
  if (flags & 64) options.serverNoContextTakeover = true;
  if (flags & 128) options.clientNoContextTakeover = true;
  if (settings.server_bits) options.serverMaxWindowBits = Number(settings.server_bits);
  if (settings.client_bits) options.clientMaxWindowBits = Number(settings.client_bits);
  return options;
}

// The negotiated extensions in the format of WS_GET_EXTENSIONS.
function extensions(ws) {
  const found = ws._extensions['permessage-deflate'];
  if (!found) return '';
  const names =
    ['server_no_context_takeover', 'client_no_context_takeover', 'server_max_window_bits', 'client_max_window_bits'];
  const parts = names.filter((name) => found.params[name] && found.params[name] !== 15);
  return [
    'permessage-deflate', ...parts.map((name) => found.params[name] === true ? name : `${name}=${found.params[name]}`)
  ].join('; ');
}

function list(text) {
  return text === undefined ? [] : text.split(', ');
}

module.exports = {
  close,
  deflate,
  extensions,
  headers,
  list,
  onCommand,
  parse,
  pattern,
  print,
  printMessage,
  put,
  shown
};
