// Opens the chat page in headless Chromium at phone width, in dark and in light. Usage: page.js URL [SCREENSHOT]
// Prints a JSON line when it is connected; says "hello from the page" when the other says "hello"; prints what it found.
const { chromium } = require(require('path').resolve('build/node/node_modules/playwright-core'))

async function main(url, screenshot) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium', headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'] })
  try {
    const page = await browser.newPage({ viewport: { width: 360, height: 640 }, colorScheme: 'dark' })
    page.setDefaultTimeout(60000)
    const errors = []
    page.on('console', message => message.type() === 'error' && errors.push(message.text()))
    page.on('pageerror', error => errors.push(String(error)))
    await page.goto(url)
    await page.getByText('connected', { exact: true }).waitFor()
    console.log(JSON.stringify('connected'))
    await page.getByText('<b>hello</b>', { exact: true }).waitFor()
    await page.getByLabel('Your name').fill('Ann')
    await page.getByRole('textbox', { name: 'Message' }).fill('hello from the page')
    await page.keyboard.press('Enter')
    await page.getByText('the other says bye').waitFor()
    if (screenshot) await page.screenshot({ path: screenshot })
    const overflows = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
    console.log(JSON.stringify({ errors, overflows, title: await page.locator('h1').textContent() }))
  } finally {
    await browser.close()
  }
}

main(...process.argv.slice(2)).then(() => process.exit(0), error => { console.error(String(error)); process.exit(1) })
