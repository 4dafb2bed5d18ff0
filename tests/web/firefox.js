// Headless Firefox for browser.js over WebDriver BiDi, which Firefox supports natively; one session at a time.
// TRUSTED_CA: a file with an additional root certificate to trust.
const childProcess = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')
const WebSocket = require('../../build/node/node_modules/ws')

const FIREFOX = process.env.FIREFOX || 'firefox-esr'
const START_MS = 60000
// Disables background requests, and the delay before reconnecting to a host that refused.
const PREFS = {
  'app.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.proxy.type': 0,
  'network.websocket.delay-failed-reconnects': false,
  'toolkit.telemetry.reportingpolicy.firstRun': false,
}

// certutil is in the package libnss3-tools.
function trust(profile, ca) {
  const certutil = (...words) => childProcess.execFileSync('certutil', ['-d', `sql:${profile}`, ...words])
  certutil('-N', '--empty-password')
  certutil('-A', '-n', 'wspeer test', '-t', 'C,,', '-i', ca)
}

async function serve() {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'wspeer-firefox-'))
  fs.writeFileSync(path.join(profile, 'user.js'),
    Object.entries(PREFS).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`).join(''))
  if (process.env.TRUSTED_CA) trust(profile, process.env.TRUSTED_CA)
  const firefox = childProcess.spawn(FIREFOX,
    ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0', 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const endpoint = await new Promise((resolve, reject) => {
    let said = ''
    firefox.on('error', reject)
    firefox.on('exit', code => reject(new Error(`${FIREFOX} ended with ${code}: ${said}`)))
    setTimeout(() => reject(new Error(`${FIREFOX} did not start: ${said}`)), START_MS).unref()
    firefox.stderr.on('data', data => {
      said += data
      const found = /BiDi listening on (ws:\S+)/.exec(said)
      if (found) resolve(`${found[1]}/session`)
    })
  })
  async function close() {
    firefox.removeAllListeners('exit')
    const ended = new Promise(resolve => firefox.on('exit', resolve))
    firefox.kill()
    await ended
    fs.rmSync(profile, { recursive: true, force: true })
  }
  return { endpoint, close }
}

async function connect(endpoint) {
  const socket = new WebSocket(endpoint, { perMessageDeflate: false })
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject))
  const asked = new Map()
  let last = 0
  socket.on('message', data => {
    const answer = JSON.parse(data)
    const [resolve, reject] = asked.get(answer.id) || []
    asked.delete(answer.id)
    if (answer.type === 'success') resolve(answer.result)
    else if (reject) reject(new Error(`${answer.error}: ${answer.message}`))
  })
  const call = (method, params) => new Promise((resolve, reject) => {
    asked.set(++last, [resolve, reject])
    socket.send(JSON.stringify({ id: last, method, params }))
  })
  await call('session.new', { capabilities: {} })

  async function newPage() {
    const { context } = await call('browsingContext.create', { type: 'tab' })
    return {
      on() {},
      goto: url => call('browsingContext.navigate', { context, url, wait: 'complete' }),
      async evaluate(expression) {
        const answer = await call('script.evaluate', { expression, target: { context }, awaitPromise: true })
        if (answer.type === 'exception') throw new Error(answer.exceptionDetails.text)
        return answer.result.value
      },
      close: () => call('browsingContext.close', { context }),
    }
  }
  async function close() {
    await call('session.end', {})
    socket.close()
  }
  return { newPage, close }
}

async function launch() {
  const server = await serve()
  const browser = await connect(server.endpoint)
  return { newPage: browser.newPage, close: () => browser.close().then(server.close) }
}

module.exports = { serve, connect, launch }
