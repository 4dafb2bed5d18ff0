// The site in Chromium, as files: every page at the width of a phone in light, some on a desktop in dark: no error in the
// console, nothing wider than the page, no violation that axe-core finds; the search finds. Usage:
//   pages.js SITE [PICTURES]      PICTURES: a folder for pictures of the pages in SHOWN
const fs = require('fs')
const path = require('path')
const { pathToFileURL } = require('url')
const { chromium } = require('../../build/node/node_modules/playwright-core')
const AXE = require.resolve('../../build/node/node_modules/axe-core/axe.min.js')

const [site, pictures] = process.argv.slice(2)
const PHONE = { width: 360, height: 740 }, DESKTOP = { width: 1280, height: 900 }
// Pages that are also looked at on a desktop, and in dark.
const SHOWN = [
  'index.html', 'concepts.html', 'cookbook.html', 'start/c.html', 'coming-from/enet.html', 'reference/sending.html',
  'reference/functions.html', 'scale.html']
// Generated pages have the same form: axe-core sees those in SHOWN.
const ALIKE = /^reference\/|^errors\.html|^changelog\.html/
let failures = 0

function check(what, wrong) {
  failures += wrong.length > 0
  console.log([`${wrong.length ? 'not ok' : 'ok'} - docs: ${what}`, ...wrong.slice(0, 20).map(line => `# ${line}`)].join('\n'))
}

function files(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap(entry =>
    entry.isDirectory() ? files(path.join(folder, entry.name)) : entry.name.endsWith('.html') ? path.join(folder, entry.name) : [])
}

// What is wrong with a page that is open: its width, and what axe-core finds.
async function look(page, name, found) {
  const wide = await page.evaluate(() => {
    const root = document.documentElement
    if (root.scrollWidth <= innerWidth) return ''
    // The elements that stick out, and are in no box that scrolls by itself.
    const out = [...document.body.querySelectorAll('*')].filter(one => one.getBoundingClientRect().right > innerWidth + 1)
    return `${root.scrollWidth} px: ${out.slice(0, 3).map(one => `${one.tagName} ${one.textContent.slice(0, 40)}`).join('; ')}`
  })
  if (wide) found.wide.push(`${name}: ${wide}`)
  if (!(await page.locator('article h1').first().isVisible())) found.text.push(`${name} has no title`)
  if (ALIKE.test(name) && !SHOWN.includes(name)) return
  await page.addScriptTag({ path: AXE })
  // What is around the article is the same on every page.
  const part = SHOWN.includes(name) ? 'html' : 'article'
  const violations = await page.evaluate(part =>
    axe.run(part, { resultTypes: ['violations'] }).then(result => result.violations.map(one =>
      `${one.id}: ${one.nodes.slice(0, 3).map(node => node.html.replace(/\s+/g, ' ').slice(0, 100)).join(' ')}`)), part)
  found.axe.push(...violations.map(line => `${name}: ${line}`))
}

async function visit(browser, names, viewport, colorScheme, suffix) {
  const found = { errors: [], wide: [], axe: [], text: [] }
  const context = await browser.newContext({ viewport, colorScheme })
  const page = await context.newPage()
  let name
  page.on('console', message => message.type() === 'error' && found.errors.push(`${name}: ${message.text()}`))
  page.on('pageerror', error => found.errors.push(`${name}: ${error.message}`))
  page.on('requestfailed', request => found.errors.push(`${name}: ${request.url()} failed`))
  for (name of names) {
    await page.goto(pathToFileURL(path.join(site, name)).href)
    await look(page, name, found)
    if (pictures && SHOWN.includes(name)) {
      const file = path.join(pictures, `${name.replace(/\W/g, '-')}-${suffix}.png`)
      await page.screenshot({ path: file, fullPage: viewport === DESKTOP })
    }
  }
  await context.close()
  const where = `${names.length} pages, ${viewport.width} px, ${colorScheme}`
  check(`${where}: no error in the console`, found.errors)
  check(`${where}: nothing is wider than the page`, found.wide)
  check(`${where}: axe-core finds no violation`, found.axe)
  check(`${where}: each has its title`, found.text)
}

async function searching(browser) {
  const page = await browser.newPage({ viewport: DESKTOP })
  const wrong = []
  for (const [words, wanted] of [['ws_put_latest', 'sending.html#ws_put_latest'], ['Retry-After', 'reconnecting.html#when']]) {
    await page.goto(pathToFileURL(path.join(site, 'index.html')).href)
    await page.locator('.md-search__input').click()
    await page.keyboard.type(words)
    // The links have the words as a query.
    const there = ending => [...document.querySelectorAll('.md-search-result__link')]
      .some(link => link.href.replace(/\?[^#]*/, '').endsWith(ending))
    await page.waitForFunction(there, wanted, { timeout: 60000 }).catch(() => wrong.push(`${words} does not find ${wanted}`))
  }
  await page.close()
  check('the search finds functions and texts', wrong)
}

async function main() {
  const names = files(site).map(file => path.relative(site, file)).filter(name => name !== '404.html').sort()
  if (pictures) fs.mkdirSync(pictures, { recursive: true })
  const executablePath = process.env.CHROMIUM || '/usr/bin/chromium'
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--allow-file-access-from-files'] })
  try {
    await visit(browser, names, PHONE, 'light', 'phone')
    await visit(browser, SHOWN, DESKTOP, 'dark', 'desktop-dark')
    await visit(browser, pictures ? SHOWN : SHOWN.slice(0, 2), DESKTOP, 'light', 'desktop')
    if (pictures) await visit(browser, SHOWN, PHONE, 'dark', 'phone-dark')
    await searching(browser)
  } finally {
    await browser.close()
  }
  process.exitCode = failures ? 1 : 0
}

main().catch(error => {
  console.log(`not ok - docs: the pages are visited: ${error}`)
  process.exitCode = 1
})
