// A page that is opened as a file may start no worker: the search runs in a hidden frame instead. The theme's worker knows
// such frames by the name IFrameWorker.
if (location.protocol === 'file:') {
  window.Worker = window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement('iframe')
      frame.hidden = true
      frame.title = 'search'
      document.body.append(frame)
      this.inner = frame.contentWindow
      const load = name => new Promise((resolve, reject) => {
        const script = this.inner.document.createElement('script')
        script.src = new URL(name, document.baseURI)
        script.onload = resolve
        script.onerror = reject
        this.inner.document.head.append(script)
      })
      this.inner.importScripts = (...names) => names.reduce((before, name) => before.then(() => load(name)), Promise.resolve())
      this.inner.postMessage = data => this.dispatchEvent(new MessageEvent('message', { data }))
      this.ready = load(url)
    }

    postMessage(data) {
      this.ready.then(() => this.inner.dispatchEvent(new MessageEvent('message', { data })))
    }
  }
}
