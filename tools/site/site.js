// What the theme leaves out for those who use a keyboard or a screen reader: names, and tables that can be scrolled. It makes
// these elements itself, as the page goes on.
let codes = 0

function complete() {
  document.querySelector('.md-search')?.setAttribute('aria-label', 'Search')
  document.querySelectorAll('.md-typeset__scrollwrap:not([tabindex])').forEach(one => { one.tabIndex = 0 })
  document.querySelectorAll('.md-code__nav:not([aria-label])').forEach(one => one.setAttribute('aria-label', `Code ${++codes}`))
}
complete()
new MutationObserver(complete).observe(document.body, { childList: true, subtree: true })
