// wspeer in the browser: simulated networks. The model is that of the native library (src/sim), to the bit; it carries
// whole messages instead of bytes. docs/simulator.md describes both. See library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER_SIM: {
    // Conditions are arrays: the fields of one direction in the order in which ws_sim has them, up and down of each.
    FIELDS: ['lag_us', 'jitter_us', 'bytes_per_s', 'burst_bytes', 'loss_ppm', 'loss_stall_us', 'buffer_bytes',
      'stall_from_ms', 'stall_for_ms', 'stall_every_ms', 'half_open_bytes', 'cut_bytes'],
    LAG: 0, JITTER: 1, RATE: 2, BURST: 3, LOSS: 4, LOSS_STALL: 5, BUFFER: 6,
    STALL_FROM: 7, STALL_FOR: 8, STALL_EVERY: 9, HALF_OPEN: 10, CUT: 11,
    // Up and down of each preset, without the trailing zeros.
    PRESETS: [
      [[], []],
      [[5000, 10000, 0, 0, 0, 0, 0, 1000, 280, 4000], [5000, 10000, 0, 0, 0, 0, 0, 3000, 280, 4000]],
      [[11000, 12000, 743000, 0, 0, 0, 0, 30000, 1718, 140000],
        [11000, 13000, 628000, 0, 0, 0, 0, 30000, 1447, 140000]],
      [[11000, 45000, 118000, 0, 0, 0, 0, 10000, 2198, 40488],
        [11000, 53000, 252000, 0, 0, 0, 0, 10000, 1946, 29013]],
      [[300000, 30000, 422500], [300000, 30000, 2266000]]
    ],

    // ---- The model ----

    PACKET: 1400,
    OVERHEAD: 64,
    MAX_WINDOW: 4194304,
    // xoshiro128**, seeded by a 32-bit variant of SplitMix.
    random: function (seed) {
      var state = [], mixed, i;
      for (i = 0; i < 4; i++) {
        seed = seed + 0x9E3779B9 >>> 0;
        mixed = Math.imul(seed ^ seed >>> 16, 0x21F0AAAD);
        mixed = Math.imul(mixed ^ mixed >>> 15, 0x735A2D97);
        state.push((mixed ^ mixed >>> 15) >>> 0);
      }
      return state;
    },
    next: function (state) {
      function rotated(value, by) { return (value << by | value >>> 32 - by) >>> 0; }
      var result = Math.imul(rotated(Math.imul(state[1], 5), 7), 9) >>> 0, shifted = state[1] << 9;
      state[2] ^= state[0];
      state[3] ^= state[1];
      state[1] ^= state[2];
      state[0] ^= state[3];
      state[2] ^= shifted;
      state[3] = rotated(state[3], 11);
      return result;
    },
    // The next number, scaled to 0 to end - 1. Every product is below 2^53.
    below: function (state, end) {
      var number = WSPEER_SIM.next(state);
      return Math.floor(((number >>> 16) * end + Math.floor((number & 0xffff) * end / 65536)) / 65536);
    },
    // Conditions with their defaults. `spec`: { seed, up, down }.
    resolved: function (spec) {
      var recovery = spec.up[WSPEER_SIM.LAG] + spec.down[WSPEER_SIM.LAG] + 200000;
      return [spec.up, spec.down].map(function (one) {
        var all = one.slice();
        all[WSPEER_SIM.BURST] = Math.max(all[WSPEER_SIM.BURST] || 14000, WSPEER_SIM.PACKET);
        all[WSPEER_SIM.LOSS_STALL] = all[WSPEER_SIM.LOSS_STALL] || recovery;
        all[WSPEER_SIM.BUFFER] = all[WSPEER_SIM.BUFFER] || 65536;
        return all;
      });
    },
    // The lines of a link, up and down. `index` counts the links that the spec was given to.
    lines: function (spec, index, now) {
      return WSPEER_SIM.resolved(spec).map(function (conditions, direction) {
        var line = { packets: [], held: 0, losses: 0, arrived: 0, cut: false };
        WSPEER_SIM.change(line, conditions, spec.seed + index * 2 + direction >>> 0, now);
        return line;
      });
    },
    // Replaces the conditions for the bytes that follow.
    change: function (line, conditions, seed, now) {
      var window = WSPEER_SIM.MAX_WINDOW, ms;
      if (conditions[WSPEER_SIM.RATE]) {
        ms = Math.ceil((conditions[WSPEER_SIM.LAG] + conditions[WSPEER_SIM.JITTER]) / 1000);
        window = Math.min(window, Math.floor(conditions[WSPEER_SIM.RATE] * ms / 1000) + conditions[WSPEER_SIM.BURST]);
      }
      line.most = conditions[WSPEER_SIM.BUFFER] + window;
      line.credit = conditions[WSPEER_SIM.BURST] * 1000000;
      line.creditAt = now;
      line.conditions = conditions;
      line.random = WSPEER_SIM.random(seed);
      line.origin = now;
      line.offered = 0;
      line.departed = now;
      line.arrived = Math.max(line.arrived, now);
      line.packets.forEach(function (packet) {
        packet.cut = false;
        if (packet.arrival === Infinity) packet.arrival = line.arrived;
      });
    },
    isEnding: function (line) {
      return line.cut || (line.conditions[WSPEER_SIM.CUT] > 0 && line.offered >= line.conditions[WSPEER_SIM.CUT]);
    },
    hasRoom: function (line) { return line.held < line.most && !WSPEER_SIM.isEnding(line); },
    // Accepts bytes that are sent at `now`, as far as there is room (`all`: even beyond it). Returns their number.
    offer: function (line, now, bytes, all) {
      var left = bytes, halfOpen = line.conditions[WSPEER_SIM.HALF_OPEN], cut = line.conditions[WSPEER_SIM.CUT],
        count, late, arrival;
      while (left > 0 && !WSPEER_SIM.isEnding(line) && (all || line.held < line.most)) {
        count = Math.min(left, WSPEER_SIM.PACKET);
        if (halfOpen > line.offered) count = Math.min(count, halfOpen - line.offered);
        if (cut > line.offered) count = Math.min(count, cut - line.offered);
        late = halfOpen !== 0 && line.offered >= halfOpen;
        arrival = WSPEER_SIM.arrival(line, now, count);
        line.offered += count;
        line.held += count + WSPEER_SIM.OVERHEAD;
        line.packets.push({ arrival: late ? Infinity : arrival, bytes: count, cut: cut !== 0 && line.offered === cut });
        left -= count;
      }
      return bytes - left;
    },
    // When the end of the stream arrives, if the sender ends it at `now`.
    end: function (line, now) {
      var halfOpen = line.conditions[WSPEER_SIM.HALF_OPEN];
      if (halfOpen && line.offered >= halfOpen) return Infinity;
      now = Math.max(now, line.departed) + line.conditions[WSPEER_SIM.LAG];
      line.arrived = WSPEER_SIM.afterStall(line, Math.max(now, line.arrived));
      return line.arrived;
    },
    // Number of bytes that have arrived, up to a cut.
    due: function (line, now) {
      var count = 0, i;
      for (i = 0; i < line.packets.length && line.packets[i].arrival <= now; i++) {
        count += line.packets[i].bytes;
        if (line.packets[i].cut) break;
      }
      return count;
    },
    take: function (line, bytes) {
      var count, done = 0, packet;
      while (bytes > 0 && done < line.packets.length) {
        packet = line.packets[done];
        count = Math.min(bytes, packet.bytes);
        packet.bytes -= count;
        line.held -= count;
        bytes -= count;
        if (!packet.bytes) {
          line.cut = line.cut || packet.cut;
          line.held -= WSPEER_SIM.OVERHEAD;
          done++;
        }
      }
      line.packets.splice(0, done);
    },
    // Bytes that wait for the bandwidth of a socket's line; 0 for a socket without one.
    waiting: function (socket) {
      var line = socket.line && socket.line.out.line;
      if (!line) return 0;
      return Math.floor(Math.max(0, line.departed - WSPEER_SIM.now(socket)) * line.conditions[WSPEER_SIM.RATE] / 1000000);
    },
    hurry: function (line, now) {
      line.packets.forEach(function (packet) { packet.arrival = Math.min(packet.arrival, now); });
      line.arrived = now;
    },
    arrival: function (line, now, bytes) {
      var late = WSPEER_SIM.below(line.random, line.conditions[WSPEER_SIM.JITTER] + 1),
        lost = WSPEER_SIM.below(line.random, 1000000) < line.conditions[WSPEER_SIM.LOSS], arrival;
      line.departed = WSPEER_SIM.departure(line, Math.max(now, line.departed), bytes);
      arrival = line.departed + line.conditions[WSPEER_SIM.LAG] + late;
      if (lost) {
        arrival += line.conditions[WSPEER_SIM.LOSS_STALL];
        line.losses++;
      }
      line.arrived = WSPEER_SIM.afterStall(line, Math.max(arrival, line.arrived));
      return line.arrived;
    },
    // The quotient rounded up, exact for integers below 2^53.
    ceiling: function (number, by) {
      var rest = number % by;
      return (number - rest) / by + (rest ? 1 : 0);
    },
    departure: function (line, now, bytes) {
      var rate = line.conditions[WSPEER_SIM.RATE], full = line.conditions[WSPEER_SIM.BURST] * 1000000,
        passed, credit, wait;
      if (!rate) return now;
      passed = now - line.creditAt;
      credit = passed >= WSPEER_SIM.ceiling(full - line.credit, rate) ? full : line.credit + passed * rate;
      wait = WSPEER_SIM.ceiling(Math.max(0, bytes * 1000000 - credit), rate);
      line.credit = credit + wait * rate - bytes * 1000000;
      line.creditAt = now + wait;
      return now + wait;
    },
    afterStall: function (line, time) {
      var since = time - line.origin - line.conditions[WSPEER_SIM.STALL_FROM] * 1000,
        length = line.conditions[WSPEER_SIM.STALL_FOR] * 1000, every = line.conditions[WSPEER_SIM.STALL_EVERY] * 1000;
      if (since < 0) return time;
      if (every) since %= every;
      return since < length ? time + length - since : time;
    },

    // ---- ws_sim ----

    init: function (sim, size, preset) {
      var figures = WSPEER_SIM.PRESETS[preset];
      size = WSPEER.size(size);
      if (WSPEER.isNull('sim', sim)) return WSPEER_C.ERR_NULL;
      if (size < WSPEER_LAYOUT.sim.size || size > 4096)
        return WSPEER.fail(WSPEER_C.ERR_CONFIG, 'size is ' + size + ': pass sizeof(ws_sim)');
      if (!figures) return WSPEER.fail(WSPEER_C.ERR_ARG, preset + ' is no preset: use one of WS_SIM_*');
      HEAPU8.fill(0, sim, sim + size);
      WSPEER.setWord(sim, size);
      WSPEER_SIM.FIELDS.forEach(function (field, i) {
        WSPEER.setWord(sim + WSPEER_LAYOUT.sim.up_lag_us + 8 * i, figures[0][i] || 0);
        WSPEER.setWord(sim + WSPEER_LAYOUT.sim.down_lag_us + 8 * i, figures[1][i] || 0);
      });
      return WSPEER_C.OK;
    },
    // Reads a ws_sim; returns an error result if it cannot be used.
    read: function (sim) {
      var at = WSPEER_LAYOUT.sim, size = WSPEER.word(sim), wrong = '', all, i;
      // Maxima, in the order of FIELDS; 0: any.
      var most = [60000000, 60000000, 0, 0, 1000000, 60000000, 16777216, 0, 0, 0, 0, 0];
      function bad(words) { return WSPEER.fail(WSPEER_C.ERR_CONFIG, words); }
      if (size < at.size || size > 4096)
        return bad('struct_size is ' + size + ' and should be ' + at.size + ': fill the sim with ws_sim_init() first');
      for (i = at.size; i < size; i++)
        if (HEAPU8[sim + i])
          return bad('it sets a field that this version of wspeer does not know: update the library');
      all = [['up', at.up_lag_us], ['down', at.down_lag_us]].map(function (direction) {
        var one = WSPEER_SIM.FIELDS.map(function (field, i) {
          var value = WSPEER.word(sim + direction[1] + 8 * i);
          if (!wrong && most[i] && value > most[i])
            wrong = direction[0] + '_' + field + ' is ' + value + ': it must be 0 to ' + most[i];
          return value;
        });
        var every = one[WSPEER_SIM.STALL_EVERY], length = one[WSPEER_SIM.STALL_FOR];
        if (!wrong && every && length >= every)
          wrong = direction[0] + '_stall_every_ms is ' + every +
            ': it must be 0, or more than stall_for_ms, which is ' + length;
        return one;
      });
      return wrong ? bad(wrong) : { seed: WSPEER.word(sim + at.seed), up: all[0], down: all[1] };
    },
    set: function (h, sim) {
      var spec = sim ? WSPEER_SIM.read(sim) : null, peer;
      if (typeof spec === 'number') return spec;
      peer = WSPEER.find(h);
      if (!peer) return WSPEER_C.ERR_HANDLE;
      peer.simulation = spec && { spec: spec, links: 0 };
      if (peer.state === WSPEER_C.CLOSED || !peer.status) return WSPEER_C.OK;
      if (spec) WSPEER_SIM.begin(peer);
      else WSPEER_SIM.remove(peer);
      return WSPEER_C.OK;
    },

    // ---- A socket with a simulated line ----

    // Gives an open connection the line that was set for it, or other conditions. Half-open and cut happen once.
    begin: function (peer) {
      var setting = peer.simulation, index = setting.links++, now, lines, back;
      if (!peer.socket.line) peer.socket = WSPEER_SIM.wrapped(peer.socket);
      now = WSPEER_SIM.now(peer.socket);
      lines = WSPEER_SIM.lines(setting.spec, index, now);
      [peer.socket.line.out, peer.socket.line.back].forEach(function (half, i) {
        if (half.line) {
          WSPEER_SIM.change(half.line, lines[i].conditions, 0, now);
          half.line.random = lines[i].random;
        } else half.line = lines[i];
      });
      // What would never have arrived comes behind what is under way.
      back = peer.socket.line.back;
      WSPEER_SIM.takeOver(back, 0, now);
      if (back.end && back.endAt === Infinity) back.endAt = WSPEER_SIM.end(back.line, now);
      [setting.spec.up, setting.spec.down].forEach(function (one) {
        one[WSPEER_SIM.HALF_OPEN] = one[WSPEER_SIM.CUT] = 0;
      });
    },
    // An object that the connection uses as its WebSocket. Items of a direction are messages and ends, each with the
    // number of its bytes that the line has yet to accept or to deliver.
    wrapped: function (below) {
      var state = {
        below: below, origin: performance.now(), closing: false,
        out: { line: null, waiting: [], items: [] }, back: { line: null, items: [], end: null, endAt: Infinity }
      };
      var socket = {
        line: state, binaryType: 'arraybuffer', onopen: null, onmessage: below.onmessage, onclose: below.onclose,
        get protocol() { return below.protocol; },
        get extensions() { return below.extensions; },
        get readyState() { return state.closing && below.readyState === 1 ? 2 : below.readyState; },
        // What the line holds counts as sent.
        get bufferedAmount() {
          return state.out.waiting.reduce(function (sum, item) { return sum + item.payload; }, below.bufferedAmount);
        },
        send: function (data) {
          var text = typeof data === 'string', payload = text ? WSPEER.encode(data).length : data.byteLength;
          state.out.waiting.push({ data: text ? data : data.slice(0), payload: payload,
            left: WSPEER_SIM.frameBytes(payload, 4), under: 0 });
          WSPEER_SIM.advance(socket);
        },
        close: function (code, reason) {
          state.closing = true;
          state.out.waiting.push({ close: [code, reason], payload: 0, under: 0,
            left: 6 + (code ? 2 + WSPEER.encode(reason || '').length : 0) });
          WSPEER_SIM.advance(socket);
        }
      };
      below.onmessage = function (event) {
        var payload = typeof event.data === 'string' ? WSPEER.encode(event.data).length : event.data.byteLength,
          bytes = WSPEER_SIM.frameBytes(payload, 0);
        WSPEER_SIM.advance(socket);
        state.back.items.push({ event: event, under: 0, left: bytes });
        WSPEER_SIM.takeOver(state.back, state.back.items.length - 1, WSPEER_SIM.now(socket));
        WSPEER_SIM.advance(socket);
      };
      below.onclose = function (event) {
        if (state.back.end) return;
        state.back.end = event;
        state.back.endAt = WSPEER_SIM.end(state.back.line, WSPEER_SIM.now(socket));
        WSPEER_SIM.advance(socket);
      };
      return socket;
    },
    // Bytes of a message's frame (RFC 6455 section 5.2). `mask`: of the masking key.
    frameBytes: function (payload, mask) { return payload + mask + (payload < 126 ? 2 : payload < 65536 ? 4 : 10); },
    now: function (socket) { return Math.floor((performance.now() - socket.line.origin) * 1000); },
    // Takes and passes on what is due, in both directions.
    advance: function (socket) {
      var state = socket.line, now = WSPEER_SIM.now(socket), item, count;
      WSPEER_SIM.accept(state.out, now);
      count = WSPEER_SIM.due(state.out.line, now);
      WSPEER_SIM.take(state.out.line, count);
      WSPEER_SIM.deliver(state.out, count, function (item) { WSPEER_SIM.pass(state.below, item); });
      if (state.out.line.cut) return WSPEER_SIM.cut(socket);
      WSPEER_SIM.accept(state.out, now);
      count = WSPEER_SIM.due(state.back.line, now);
      WSPEER_SIM.take(state.back.line, count);
      WSPEER_SIM.deliver(state.back, count, function (item) {
        if (socket.onmessage) socket.onmessage(item.event);
      });
      if (state.back.line.cut) return WSPEER_SIM.cut(socket);
      item = state.back.end;
      if (!item || state.back.items.length || state.back.endAt > now) return;
      state.back.end = null;
      state.back.endAt = Infinity;
      if (socket.onclose) socket.onclose(item);
    },
    // Has the line accept what waits.
    accept: function (half, now) {
      var item, taken;
      while (half.waiting.length) {
        item = half.waiting[0];
        taken = WSPEER_SIM.offer(half.line, now, item.left, false);
        item.left -= taken;
        item.under += taken;
        if (item.under && half.items[half.items.length - 1] !== item) half.items.push(item);
        if (item.left) return;
        half.waiting.shift();
      }
    },
    // Has the line accept received items, from one on. What is behind a cut waits: a change of the line may undo it.
    takeOver: function (half, from, now) {
      var item, taken;
      for (; from < half.items.length; from++) {
        item = half.items[from];
        taken = WSPEER_SIM.offer(half.line, now, item.left, true);
        item.left -= taken;
        item.under += taken;
      }
    },
    // Delivers the items whose bytes have all arrived: `count` more have.
    deliver: function (half, count, then) {
      var item, taken;
      while (count > 0 && half.items.length) {
        item = half.items[0];
        taken = Math.min(count, item.under);
        item.under -= taken;
        count -= taken;
        if (item.under || item.left) return;
        half.items.shift();
        then(item);
      }
    },
    pass: function (below, item) {
      try {
        if (!item.close) below.send(item.data);
        else if (item.close[0]) below.close(item.close[0], item.close[1]);
        else below.close();
      } catch (error) {
        WSPEER.note(1, 'the browser did not close (' + error.name + ')');
      }
    },
    // Cuts the link. A browser's socket says of such an end only that it was not clean.
    cut: function (socket) {
      var state = socket.line, then = socket.onclose;
      state.below.onmessage = state.below.onclose = null;
      state.below.close();
      state.out.waiting = [];
      state.out.items = [];
      state.back.items = [];
      socket.onmessage = socket.onclose = null;
      if (then) then({ code: 1006, reason: '', wasClean: false });
    },
    // Removes the line of a connection: what it holds is passed on at once, in order.
    remove: function (peer) {
      var socket = peer.socket, state = socket.line, end;
      if (!state) return;
      peer.socket = state.below;
      state.below.onmessage = socket.onmessage;
      state.below.onclose = socket.onclose;
      state.out.items.concat(state.out.waiting.filter(function (item) {
        return state.out.items.indexOf(item) < 0;
      })).forEach(function (item) { WSPEER_SIM.pass(state.below, item); });
      state.back.items.forEach(function (item) {
        if (state.below.onmessage) state.below.onmessage(item.event);
      });
      end = state.back.end;
      if (end && state.below.onclose) state.below.onclose(end);
    },
    // Bytes that the lines of a connection hold, and packets that were lost on them.
    counts: function (peer) {
      var state = peer.socket.line, behind;
      if (!state) return [0, 0];
      behind = state.back.items.reduce(function (sum, item) { return sum + item.left; }, 0);
      return [state.out.line.held + state.back.line.held + behind, state.out.line.losses + state.back.line.losses];
    }
  }
});
