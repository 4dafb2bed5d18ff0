// Compares which hosts a page takes for this device or the local network (WSPEER_CONN.isLocal) with two lists; the
// addresses are those of src/net/local.rs, beside this device.
const fs = require('fs')
const vm = require('vm')

const LOCAL = [
  'localhost', 'game.localhost', 'my-pc', 'pc.local', '127.0.0.1', '127.9.9.9', '10.0.0.1', '10.255.255.255',
  '172.16.0.1', '172.20.0.1', '172.31.255.255', '192.168.0.1', '192.168.255.255', '169.254.0.1', '100.64.0.0',
  '100.99.0.1', '100.127.255.255', '[::1]', '[fe80::1]', '[febf::1]', '[fc00::1]', '[fdff::1]']
const OTHERS = [
  'example.org', 'localhost.example.org', 'local.example', 'pc.locally', '9.255.255.255', '11.0.0.0', '172.15.255.255',
  '172.32.0.0', '172.160.0.1', '192.167.255.255', '192.169.0.0', '169.253.255.255', '100.63.255.255', '100.128.0.0',
  '8.8.8.8', '[2001:db8::1]', '[fec0::1]', '[fbff::1]', '[fe00::1]', '[::2]', '10.example.org', '127.example.org',
  '192.168.example.org', '172.16.example.org', '[fc::1]']

const library = {}
const context = { LibraryManager: { library }, mergeInto: Object.assign, autoAddDeps: () => {} }
vm.runInNewContext(fs.readFileSync('bindings/web/library_wspeer_connection.js', 'utf8'), context)
const { isLocal } = library.$WSPEER_CONN
const wrong = [...LOCAL.filter(host => !isLocal(host)), ...OTHERS.filter(host => isLocal(host))]
for (const host of wrong) console.log(`wrong: ${host}`)
process.exit(wrong.length ? 1 : 0)
