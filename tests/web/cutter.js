// A proxy for TCP that knows WebSocket frames and cuts links, for tests/web/session.c. Prints its port, and writes the
// number of cuts to FILE. Usage:
//   cutter.js frames FILE PORT MOST    cuts link after link: inside the opening handshake, behind its first frames in each
//                                      direction up to number MOST, and in the middle of the frame that follows
//   cutter.js random FILE PORT COUNT   cuts COUNT links at random bytes
//   cutter.js obey FILE PORT...        cuts a link when the server sends "cut:ID:REFUSALS:N", once for each ID, refuses so
//                                      many links then, and leads all later ones to PORT number N
const fs = require('fs')
const net = require('net')

const UP = 0, DOWN = 1
const [how, file, ...numbers] = process.argv.slice(2)
const ports = numbers.map(Number)
const obeyed = new Set()
let cuts = 0, links = 0, refusals = 0, target = ports[0]
let state = 99

function random (most) {
  state = (state * 1103515245 + 12345) % 2147483648
  return Math.floor(state / 65536) % most
}

// What ends each link: `at` frames in a direction have passed, and `half` of the next one; -1: half of the head.
function planned () {
  const plans = []
  for (let at = -1; at <= ports[1]; at++)
    for (const direction of [UP, DOWN])
      for (const half of [false, true]) if (at >= 0 || half) plans.push({ direction, at, half })
  return plans
}

const plans = how === 'frames' ? planned() : []
const nextPlan = () => how === 'frames' ? plans.shift()
  : how === 'random' && cuts < ports[1] ? { direction: random(2), bytes: 300 + random(6000) } : undefined

// The length of the frame at the start of some bytes, and where its payload begins; undefined: not complete.
function measure (bytes) {
  if (bytes.length < 2) return undefined
  const short = bytes[1] & 127, masked = bytes[1] & 128 ? 4 : 0
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0, start = 2 + extended + masked
  if (bytes.length < start) return undefined
  const length = extended === 2 ? bytes.readUInt16BE(2) : extended ? Number(bytes.readBigUInt64BE(2)) : short
  return bytes.length < start + length ? undefined : { start, end: start + length }
}

function serve (client) {
  client.on('error', () => {})
  if (refusals > 0) {
    refusals--
    return client.destroy()
  }
  const number = links++, server = net.connect(target, '127.0.0.1'), plan = nextPlan()
  const ends = [client, server]
  let isCut = false, isOver = false
  server.on('error', () => {})
  ends.forEach((from, direction) => {
    const to = ends[1 - direction]
    let kept = Buffer.alloc(0), isHead = true, frames = 0, passed = 0
    from.on('close', () => {
      if (isCut || isOver) return
      isOver = true
      to.destroy()
      // A link that ended by itself is cut another time.
      if (plan && how === 'frames') plans.unshift(plan)
    })

    // Passes the last bytes on, and cuts: with FIN or with RST.
    function cut (last) {
      isCut = true
      fs.writeFileSync(file, String(++cuts))
      from.destroy()
      if (number % 2) to.end(last, () => setTimeout(() => to.destroy(), 20))
      else to.write(last, () => to.resetAndDestroy())
    }

    // Whether the link was cut in or behind this part.
    function ends_in (part, isWhole) {
      if (how === 'obey' && direction === DOWN && isWhole && !isHead) {
        const found = /cut:(\w+):(\d+):(\d)/.exec(part.toString('latin1'))
        if (!found || obeyed.has(found[1])) return false
        obeyed.add(found[1])
        refusals = Number(found[2])
        target = ports[Number(found[3])]
        cut(Buffer.alloc(0))
        return true
      }
      if (!plan || direction !== plan.direction) return false
      if (how === 'random') {
        if (passed + part.length < plan.bytes) return false
        cut(part.subarray(0, plan.bytes - passed))
        return true
      }
      const before = isHead ? -1 : frames, half = part.subarray(0, part.length >> 1)
      if (plan.half && before === plan.at) {
        cut(half)
        return true
      }
      if (plan.half || before + 1 !== plan.at) return false
      cut(part)
      return true
    }

    from.on('data', bytes => {
      kept = Buffer.concat([kept, bytes])
      while (!isCut && kept.length) {
        const head = kept.indexOf('\r\n\r\n')
        const end = isHead ? (head < 0 ? 0 : head + 4) : (measure(kept) || { end: 0 }).end
        if (!end) return
        const part = kept.subarray(0, end)
        kept = kept.subarray(end)
        if (ends_in(part, true)) return
        to.write(part)
        passed += part.length
        if (isHead) isHead = false
        else frames++
      }
    })
  })
}

fs.writeFileSync(file, '0')
const proxy = net.createServer(serve).listen(0, '127.0.0.1', () => console.log(`port ${proxy.address().port}`))
