// The page of `make demo` in Chromium. Usage: page.js URL PICTURE
// Prints "ready" when it has played, then waits for the end of the game and prints what the page says about it.
const { chromium } = require('../../build/node/node_modules/playwright-core')
const { care, focus, watch } = require('../web/care.js')

const [url, picture] = process.argv.slice(2)
let failures = 0

function check(good, what, why = '') {
  failures += !good
  console.log(`${good ? 'ok' : 'not ok'} - demo: page: ${what}${good ? '' : ` (${why})`}`)
}

async function passes(what, promise) {
  await promise.then(() => check(true, what), error => check(false, what, String(error).split('\n')[0]))
}

async function main() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium', headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'] })
  try {
    const context = await browser.newContext({ viewport: { width: 760, height: 620 }, hasTouch: true })
    const page = await context.newPage()
    page.setDefaultTimeout(30000)
    const errors = watch(page)
    await page.goto(`${url}?name=Ada`)
    const row = text => page.locator('#players li', { hasText: text }).first().waitFor()
    // Where the server has the page's dot.
    const is = condition =>
      page.waitForFunction(`(({ x, y }) => ${condition})(players.find(one => one.name === me) || {})`)
    await passes('it joins under its name', row(/^Ada \(you\)/))
    await passes('it shows the players in C', row(/^C1/))
    check(await focus(page) === 'field', 'the field has the focus, and shows it', await focus(page))
    await page.keyboard.down('ArrowRight')
    await passes('the right arrow moves its dot', is('x > 700 && y === 250'))
    await page.keyboard.up('ArrowRight')
    await page.keyboard.down('w')
    await passes('W moves it up', is('y < 100'))
    await page.keyboard.up('w')
    const field = await page.locator('#field').boundingBox()
    await page.touchscreen.tap(field.x + field.width / 4, field.y + field.height * 3 / 4)
    await passes('a tap leads it there', is('Math.hypot(x - 250, y - 375) < 30'))
    await passes('a link that is cut is shown', row('link cut'))
    await passes('its session that goes on is shown', row('resumed'))
    await care(page, check, 'looks', picture)
    console.log('ready')
    const end = page.locator('#state', { hasText: 'The game is over' })
    await passes('it shows the end', end.waitFor())
    check(errors().length === 0, 'nothing is logged', errors().join('; '))
    console.log(await end.textContent())
  } finally {
    await browser.close()
  }
  return failures ? 1 : 0
}

setTimeout(() => { console.log('not ok - demo: page: not ended in time'); process.exit(1) }, 120000).unref()
main().then(code => process.exit(code), error => { console.log(`not ok - demo: page: ${error}`); process.exit(1) })
