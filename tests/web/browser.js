// Runs programs that emcc has built in headless Chromium.
// Usage: browser.js serve ENDPOINT-FILE              one browser for all runs, until its input ends
//        browser.js run PROGRAM.js [ARGUMENT...]     prints what the program prints, and ends as it does; BROWSER_ENDPOINT names the file
const fs = require('fs')
const http = require('http')
const path = require('path')
const { chromium } = require('../../build/node/node_modules/playwright-core')

const CHROMIUM = process.env.CHROMIUM || '/usr/bin/chromium'
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
const LIMIT_MS = 60000
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' }

// The page of a program, and the folder that it lies in. With these headers threads may share memory.
function serveProgram(program, html) {
  const server = http.createServer((request, response) => {
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
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server)))
}

// MODULARIZE leaves the function createProgram.
function pageOf(program, argv) {
  return `<!doctype html><meta charset="utf-8"><title>wspeer</title><script>
    var said = '', tell = line => { said += line + '\\n' };
    var Module = { arguments: ${JSON.stringify(argv)}, print: tell, printErr: tell, onExit: end, onAbort: why => { tell('aborted: ' + why); end(99) } };
    function end(code) { if (!Module.over) { Module.over = true; finish(code) } }
    </script><script src="${path.basename(program)}"></script><script>if (typeof createProgram === 'function') createProgram(Module)</script>`
}

async function run(browser, program, argv, tell) {
  const server = await serveProgram(program, pageOf(program, argv))
  const page = await browser.newPage()
  try {
    let finish
    const ended = new Promise((resolve, reject) => {
      finish = resolve
      page.on('pageerror', error => { if (!/unwind|ExitStatus/.test(String(error))) reject(error) })
      page.on('crash', () => reject(new Error('the page crashed')))
      setTimeout(() => reject(new Error(`not ended after ${LIMIT_MS} ms`)), LIMIT_MS).unref()
    })
    await page.exposeFunction('finish', finish)
    await page.goto(`http://127.0.0.1:${server.address().port}/page.html`)
    return await ended
  } finally {
    tell(await page.evaluate('said').catch(error => `${error}\n`))
    await page.close()
    server.close()
    server.closeAllConnections()
  }
}

const launch = () => chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS })

async function main() {
  const [verb, subject, ...argv] = process.argv.slice(2)
  if (verb === 'serve') {
    const server = await chromium.launchServer({ executablePath: CHROMIUM, headless: true, args: FLAGS })
    fs.writeFileSync(subject + '.new', server.wsEndpoint())
    fs.renameSync(subject + '.new', subject)
    process.stdin.resume()
    await new Promise(resolve => process.stdin.on('end', resolve))
    await server.close()
    return 0
  }
  const endpoint = process.env.BROWSER_ENDPOINT
  const browser = endpoint && fs.existsSync(endpoint) ? await chromium.connect(fs.readFileSync(endpoint, 'utf8')) : await launch()
  try {
    return await run(browser, subject, argv, words => fs.writeSync(1, words))
  } catch (error) {
    fs.writeSync(1, `${error}\n`)
    return 1
  } finally {
    await browser.close()
  }
}

main().then(code => process.exit(code))
