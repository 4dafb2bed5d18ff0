// Opens a page in headless Chromium and prints what it says. Usage: page.js URL
// The page sets window.ended to a promise of an object, which is printed as JSON.
const { chromium } = require('../../build/node/node_modules/playwright-core')

const LIMIT_MS = 60000

async function main(url) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium', headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'] })
  try {
    // The certificate was made on the spot.
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    const lines = [], failed = []
    page.on('console', message => lines.push(message.text()))
    page.on('pageerror', error => lines.push(String(error)))
    page.on('requestfailed', request => failed.push(`${request.url()}: ${request.failure().errorText}`))
    await page.goto(url)
    const lost = new Promise((resolve, reject) =>
      setTimeout(() => reject(new Error(`not ended: ${lines} ${failed}`)), LIMIT_MS).unref())
    const ended = await Promise.race([page.evaluate('ended'), lost])
    // A second visit asks whether the files have changed.
    const statuses = []
    page.on('response', response => statuses.push(response.status()))
    await page.reload()
    await Promise.race([page.evaluate('ended'), lost])
    console.log(JSON.stringify({ ...ended, isolated: await page.evaluate('crossOriginIsolated'), statuses, failed }))
  } finally {
    await browser.close()
  }
}

main(process.argv[2]).then(() => process.exit(0), error => { console.error(String(error)); process.exit(1) })
