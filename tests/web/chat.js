// The chat in pages: two pages and a native client exchange messages through a native server. Usage: chat.js FOLDER
// CHAT PICTURE
// FOLDER contains index.html and chat.js of examples-web, CHAT is the compiled examples-c/chat.c; BROWSER_ENDPOINT
// names the file of the served browser. PICTURE.png and others with this beginning are pictures to look at.
const fs = require('fs')
const http = require('http')
const path = require('path')
const readline = require('readline')
const { spawn } = require('child_process')
const { chromium } = require('../../build/node/node_modules/playwright-core')
const { care, focus, watch } = require('./care.js')

const [folder, chat, picture] = process.argv.slice(2)
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' }
let failures = 0

function check(good, what, why = '') {
  failures += !good
  console.log(`${good ? 'ok' : 'not ok'} - web: chat: ${what}${good ? '' : ` (${why})`}`)
}

async function passes(what, promise) {
  await promise.then(() => check(true, what), error => check(false, what, String(error).split('\n')[0]))
}

// A program; the test waits for lines that it prints.
function start(...argv) {
  const child = spawn(chat, argv), seen = []
  readline.createInterface({ input: child.stdout }).on('line', line => seen.push(line))
  return {
    child,
    says: line => child.stdin.write(line + '\n'),
    async prints(wanted) {
      for (const end = Date.now() + 10000; Date.now() < end; await new Promise(resolve => setTimeout(resolve, 10))) {
        const found = seen.find(line => wanted.test(line))
        if (found) return found
      }
      throw new Error(`no ${wanted} among ${JSON.stringify(seen)}`)
    },
  }
}

// From the form to a message and out again, by the keyboard alone.
async function keyboard(page, other, shows) {
  await page.locator('#state', { hasText: 'not connected' }).waitFor()
  await care(page, check, 'the form', `${picture}-form`)
  const steps = [await focus(page)]
  const press = async key => { await page.keyboard.press(key); steps.push(await focus(page)) }
  for (const key of ['Tab', 'Tab', 'Shift+Tab', 'Shift+Tab']) await press(key)
  await page.keyboard.type('Kay')
  await page.keyboard.press('Enter')
  await passes('Enter joins', shows(other, 'Kay is here', '.news'))
  await passes('the focus goes to the message', page.locator('#text:focus').waitFor())
  await page.keyboard.type('No mouse.')
  await page.keyboard.press('Enter')
  await passes('Enter sends', shows(other, 'No mouse.'))
  for (const key of ['Tab', 'Shift+Tab', 'Shift+Tab', 'Shift+Tab']) await press(key)
  const order = ['name', 'server', 'Join', 'server', 'name', 'Send', 'text', 'log', 'leave']
  check(String(steps) === String(order), 'Tab goes through all that can be used, in order and visibly', steps)
  for (const [role, name] of [['log', 'Messages'], ['textbox', 'Message'], ['button', 'Send'], ['status', '']]) {
    const found = await page.getByRole(role, name ? { name, exact: true } : {}).count()
    check(found === 1, `a screen reader finds ${role} ${name}`.trim(), found)
  }
  await page.keyboard.press('Enter')
  await passes('Leave leaves', shows(other, 'Kay has left', '.news'))
  await passes('the focus goes back to the form', page.locator('#name:focus').waitFor())
  await page.close()
}

async function main() {
  const files = http.createServer((request, response) => {
    const name = path.basename(new URL(request.url, 'http://h').pathname) || 'index.html'
    response.setHeader('Content-Type', TYPES[path.extname(name)] || 'text/plain')
    response.end(fs.readFileSync(path.join(folder, name)))
  })
  await new Promise(resolve => files.listen(0, '127.0.0.1', resolve))
  const server = start('server', '0')
  const port = (await server.prints(/^Chat on /)).match(/:(\d+)\/?$/)[1]
  const browser = await chromium.connect(fs.readFileSync(process.env.BROWSER_ENDPOINT, 'utf8'))
  const errors = []
  const open = async name => {
    const page = await browser.newPage({ viewport: { width: 760, height: 620 } })
    page.setDefaultTimeout(15000)
    errors.push(watch(page))
    const query = new URLSearchParams({ ...name && { name }, server: `ws://127.0.0.1:${port}` })
    await page.goto(`http://127.0.0.1:${files.address().port}/index.html?${query}`)
    return page
  }
  const says = async (page, text) => {
    await page.fill('#text', text)
    await page.press('#text', 'Enter')
  }
  const shows = (page, text, kind = '.line') =>
    page.locator(`${kind}:has-text(${JSON.stringify(text)})`).last().waitFor()
  try {
    const ada = await open('Ada')
    await passes('a page joins', shows(ada, 'Ada is here', '.news'))
    const grace = await open('Grace Höpper')
    await passes('a second page joins, and the first one shows its name', shows(ada, 'Grace Höpper is here', '.news'))
    const native = start('client', `ws://127.0.0.1:${port}`, 'Linus')
    await passes('a native client joins', shows(ada, 'Linus is here', '.news'))
    await shows(grace, 'Linus is here', '.news')
    await says(ada, 'Hello from a page. Who else is here?')
    await passes('page to page', shows(grace, 'Hello from a page'))
    await passes('page to native', native.prints(/^Ada: Hello from a page/))
    native.says('A terminal: the same header, the same calls.')
    await passes('native to page', shows(ada, 'A terminal: the same header'))
    await says(grace, '<b>Naïve</b> markup stays text 🎈')
    await passes('markup stays text', shows(ada, '<b>Naïve</b> markup stays text 🎈'))
    await says(grace, 'And I am another page, polled once a frame.')
    await shows(ada, 'And I am another page')
    await says(ada, 'The milliseconds above are the heartbeat’s.')
    await passes('own messages are marked as own', ada.locator('.line.own:has-text("milliseconds")').waitFor())
    await passes('the round-trip time is shown',
      ada.locator('#rtt', { hasText: /^\d+(\.\d)? ms$/ }).waitFor())
    await ada.screenshot({ path: `${picture}.png` })
    await care(ada, check, 'the conversation', picture)
    await keyboard(await open(''), ada, shows)
    await grace.close()
    await passes('closing a page is shown to the others', shows(ada, 'Grace Höpper has left', '.news'))
    server.child.stdin.end()
    await passes('a page reports the end of the server, and offers to join again',
      ada.locator('#join:visible').waitFor())
    const logged = errors.flatMap(of => of())
    check(logged.length === 0, 'the pages log no error', logged.join('; '))
    native.child.kill()
  } finally {
    server.child.kill()
    files.close()
    files.closeAllConnections()
  }
  return failures ? 1 : 0
}

setTimeout(() => { console.log('not ok - web: chat: not ended in time'); process.exit(1) }, 90000).unref()
main().then(code => process.exit(code), error => { console.log(`not ok - web: chat: ${error}`); process.exit(1) })
