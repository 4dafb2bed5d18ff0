// Opens a page in Chromium and waits until it has printed a line. Usage: page.js URL LINE
const { chromium } = require('../../build/node/node_modules/playwright-core')

async function main() {
  const [url, line] = process.argv.slice(2)
  const executablePath = process.env.CHROMIUM || '/usr/bin/chromium'
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
  try {
    const page = await browser.newPage()
    const said = []
    const printed = new Promise(resolve => page.on('console', message => {
      said.push(message.text())
      if (message.text() === line) resolve(true)
    }))
    await page.goto(url)
    const late = new Promise(resolve => setTimeout(resolve, 60000, false))
    const found = await Promise.race([printed, late])
    console.log(said.join('\n'))
    return found ? 0 : 1
  } finally {
    await browser.close()
  }
}

main().then(code => process.exit(code), error => {
  console.log(String(error))
  process.exit(1)
})
