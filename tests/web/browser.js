// Runs programs built by emcc in headless Chromium, or in Firefox with WSPEER_BROWSER=firefox. CHROMIUM_FLAGS adds
// flags to a Chromium started for one run. Usage:
//   browser.js serve ENDPOINT-FILE              starts one browser for all runs, until its input ends
//   browser.js run PROGRAM.js [ARGUMENT...]     prints what the program prints, and exits with its result
// BROWSER_ENDPOINT names the file. With PAGE_CERT and PAGE_KEY the page comes over https. The page's server greets each
// WebSocket with the path and query of its request. With LOCAL_NETWORK (granted or denied) the page is one of the
// internet, whose access to the local network the user has granted or denied; Chromium only.
const fs = require('fs')
const http = require('http')
const https = require('https')
const path = require('path')
const { WebSocketServer } = require('../../build/node/node_modules/ws')
const { chromium } = require('../../build/node/node_modules/playwright-core')

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync']
const LIMIT_MS = 60000
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' }

// Serves the program's page and folder. These headers allow threads to share memory.
function serveProgram(program, html) {
  const { PAGE_CERT, PAGE_KEY } = process.env
  const tls = PAGE_CERT ? { cert: fs.readFileSync(PAGE_CERT), key: fs.readFileSync(PAGE_KEY) } : {}
  const server = (PAGE_CERT ? https : http).createServer(tls, (request, response) => {
    const name = path.basename(new URL(request.url, 'http://localhost').pathname)
    const file = path.join(path.dirname(program), name)
    const body = name === 'page.html' ? html : fs.existsSync(file) ? fs.readFileSync(file) : undefined
    response.writeHead(body === undefined ? 404 : 200, {
      'Content-Type': TYPES[path.extname(name)] || 'application/octet-stream',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    })
    response.end(body)
  })
  new WebSocketServer({ server }).on('connection', (ws, request) => ws.send(request.url))
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server)))
}

// emcc's MODULARIZE provides the function createProgram. `ended` is resolved with the program's result.
function pageOf(program, argv) {
  return `<!doctype html><meta charset="utf-8"><title>wspeer</title><script>
    var said = '', finish, ended = new Promise(resolve => { finish = resolve }), tell = line => { said += line + '\\n' };
    var Module = { arguments: ${JSON.stringify(argv)}, print: tell, printErr: tell, onExit: finish, onAbort: why => { tell('aborted: ' + why); finish(99) } };
    addEventListener('error', event => { if (!/unwind|ExitStatus/.test(event.message)) { tell(event.message); finish(98) } });
    </script><script src="${path.basename(program)}"></script><script>if (typeof createProgram === 'function') createProgram(Module)</script>`
}

// `start` starts a browser for the page's origin.
async function run(start, program, argv, tell) {
  const server = await serveProgram(program, pageOf(program, argv))
  const origin = `${process.env.PAGE_CERT ? 'https' : 'http'}://127.0.0.1:${server.address().port}`
  const browser = await start(origin)
  const page = await browser.newPage()
  try {
    const lost = new Promise((resolve, reject) => {
      page.on('crash', () => reject(new Error('the page crashed')))
      setTimeout(() => reject(new Error(`not ended after ${LIMIT_MS} ms`)), LIMIT_MS).unref()
    })
    await page.goto(`${origin}/game/page.html`)
    return await Promise.race([page.evaluate('ended'), lost])
  } finally {
    tell(await page.evaluate('said').catch(error => `${error}\n`))
    await page.close()
    await browser.close()
    server.close()
    server.closeAllConnections()
  }
}

// A browser that takes the page for one of the internet. The user has decided on its access to the local network:
// "granted" or "denied".
async function asInternet(origin, decision) {
  const flag = `--ip-address-space-overrides=${new URL(origin).host}=public`
  const browser = await chromium.launch({ ...CHROMIUM.options, args: [...CHROMIUM.options.args, flag] })
  const protocol = await browser.newBrowserCDPSession()
  const context = await browser.newContext(), { browserContextIds } = await protocol.send('Target.getBrowserContexts')
  let known = 0
  for (const name of ['local-network-access', 'local-network', 'loopback-network'])
    await protocol.send('Browser.setPermission', {
      origin, permission: { name }, setting: decision, browserContextId: browserContextIds.at(-1) })
      .then(() => known++, () => {})
  if (!known) throw new Error('the browser knows no permission for the local network')
  return { newPage: () => context.newPage(), close: () => browser.close() }
}

// The browsers: launch() starts one for this run, serve() one for many as { endpoint, close }, connect(endpoint) uses
// that one.
const CHROMIUM = {
  options: {
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium', headless: true,
    args: [...FLAGS, ...(process.env.CHROMIUM_FLAGS || '').split(' ').filter(Boolean)] },
  launch: () => chromium.launch(CHROMIUM.options),
  serve: () => chromium.launchServer(CHROMIUM.options).then(
    server => ({ endpoint: server.wsEndpoint(), close: () => server.close() })),
  connect: endpoint => chromium.connect(endpoint),
}

// Writes everything: a pipe that does not block takes 64 KiB at once, and nothing while it is full.
function tell(words) {
  for (let rest = Buffer.from(words); rest.length;) {
    try {
      rest = rest.subarray(fs.writeSync(1, rest))
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
    }
  }
}

async function main() {
  const [verb, subject, ...argv] = process.argv.slice(2)
  const kind = process.env.WSPEER_BROWSER === 'firefox' ? require('./firefox') : CHROMIUM
  if (verb === 'serve') {
    const server = await kind.serve()
    fs.writeFileSync(subject + '.new', server.endpoint)
    fs.renameSync(subject + '.new', subject)
    process.stdin.resume()
    await new Promise(resolve => process.stdin.on('end', resolve))
    await server.close()
    return 0
  }
  const endpoint = process.env.BROWSER_ENDPOINT
  const start = origin => {
    if (process.env.LOCAL_NETWORK) return asInternet(origin, process.env.LOCAL_NETWORK)
    return endpoint && fs.existsSync(endpoint) ? kind.connect(fs.readFileSync(endpoint, 'utf8')) : kind.launch()
  }
  try {
    return await run(start, subject, argv, tell)
  } catch (error) {
    tell(`${error}\n`)
    return 1
  }
}

main().then(code => process.exit(code))
