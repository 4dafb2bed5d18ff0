// What a page owes its users: it fits a phone, axe-core finds nothing in light and in dark, and nothing is logged.
const fs = require('fs')
const path = require('path')

const AXE = path.join(__dirname, '../../build/node/node_modules/axe-core/axe.min.js')

// Returns a function that gives the errors of the page so far.
exports.watch = page => {
  const errors = []
  page.on('pageerror', error => errors.push(String(error)))
  page.on('console', message => { if (message.type() === 'error') errors.push(message.text()) })
  return () => errors
}

// `check(good, what, why)` prints a result. Pictures to look at: PICTURE-phone-light.png and so on.
exports.care = async (page, check, what, picture) => {
  const size = page.viewportSize()
  for (const scheme of ['light', 'dark']) {
    for (const [device, width, height] of [['phone', 360, 700], ['desktop', 1280, 860]]) {
      await page.emulateMedia({ colorScheme: scheme })
      await page.setViewportSize({ width, height })
      // Two frames: layout, and what the page draws by itself.
      await page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))))
      const wide = await page.evaluate(() => {
        const edge = document.documentElement.clientWidth
        const wider = [...document.querySelectorAll('body *')].filter(
          one => one.getBoundingClientRect().right > edge + 0.5)
        const own = document.documentElement.scrollWidth > edge ? ['the page'] : []
        return [...own, ...wider.map(one => one.tagName + (one.id && '#' + one.id))]
      })
      check(wide.length === 0, `${what}: nothing exceeds ${width} pixels, ${scheme}`, wide.join(', '))
      await page.screenshot({ path: `${picture}-${device}-${scheme}.png` })
      if (device !== 'phone') continue
      if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(fs.readFileSync(AXE, 'utf8'))
      const { violations, passes } = await page.evaluate(() => window.axe.run())
      check(violations.length === 0 && passes.length > 10, `${what}: axe-core finds nothing, ${scheme}`,
        violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html).join(' ')}`).join('; ')
          || `${passes.length} rules`)
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(size)
}

// What has the focus, and whether one sees that.
exports.focus = page => page.evaluate(() => {
  const at = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(at)
  const name = at.id || at.textContent
  return outlineStyle === 'none' || outlineWidth === '0px' ? `${name}, not visible` : name
})
