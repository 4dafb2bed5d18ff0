// wspeer in the browser: memory access, errors, log, and the queue of a connection with the memory that it lends. See
// library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER: {
    peers: {},
    nextHandle: 1,
    lastError: '',
    log: [],
    logLevel: 2,
    lostLines: 0,
    // The program's names for words of the header, by word (ws_set_name).
    names: {},
    began: 0,
    names: {},
    emptyText: 0,
    encoder: null,
    decoder: null,
    OFF: 4294967295,
    allows: function (limit, amount) { return limit === WSPEER.OFF || amount <= limit; },

    // ---- Memory: pointers and sizes have 32 bits or, with -sMEMORY64, 64; in JavaScript both are numbers ----

    isWide: function () { return WSPEER_LAYOUT.pointer === 8; },
    slot: function (at) { return WSPEER.isWide() ? at / 4 : at >>> 2; },
    // Converts an argument that is as wide as a pointer.
    size: function (value) { return WSPEER.isWide() ? value : value >>> 0; },
    // The minimum size of a ws_config: that of its first published version, which ended before this field.
    leastConfig: function () { return WSPEER_LAYOUT.config.max_call_bytes; },
    word: function (at) { return HEAPU32[WSPEER.slot(at)]; },
    setWord: function (at, value) { HEAPU32[WSPEER.slot(at)] = value; },
    setLong: function (at, value) {
      HEAPU32[WSPEER.slot(at)] = value % 4294967296;
      HEAPU32[WSPEER.slot(at + 4)] = Math.floor(value / 4294967296);
    },
    wordOfSize: function (at) { return WSPEER.word(at) + (WSPEER.isWide() ? WSPEER.word(at + 4) * 4294967296 : 0); },
    setSize: function (at, value) {
      if (WSPEER.isWide()) WSPEER.setLong(at, value);
      else WSPEER.setWord(at, value);
    },
    number: function (bytes, at) { return bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24; },
    littleEndian: function (number, width) {
      var bytes = [];
      for (var i = 0; i < width; i++) bytes.push(number >>> (8 * i) & 0xff);
      return bytes;
    },
    // Concatenates arrays of bytes.
    joined: function (rows) {
      var size = 0, all;
      rows.forEach(function (row) { size += row.length; });
      all = new Uint8Array(size);
      size = 0;
      rows.forEach(function (row) {
        all.set(row, size);
        size += row.length;
      });
      return all;
    },
    // A view of the program's memory; a copy if that memory is shared, as Web APIs refuse views of a SharedArrayBuffer.
    bytesAt: function (at, len) {
      if (typeof SharedArrayBuffer !== 'undefined' && HEAPU8.buffer instanceof SharedArrayBuffer)
        return HEAPU8.slice(at, at + len);
      return HEAPU8.subarray(at, at + len);
    },
    encode: function (text) {
      if (!WSPEER.encoder) WSPEER.encoder = new TextEncoder();
      return WSPEER.encoder.encode(text);
    },
    // Decodes UTF-8; returns null if it is invalid.
    decode: function (bytes) {
      if (!WSPEER.decoder) WSPEER.decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      try {
        return WSPEER.decoder.decode(bytes);
      } catch (error) {
        return null;
      }
    },
    // Reads a NUL-terminated text of the program; returns null for invalid UTF-8.
    textAt: function (at) {
      var end = at;
      while (HEAPU8[end]) end++;
      return WSPEER.decode(WSPEER.bytesAt(at, end - at));
    },
    // Copies a text into memory that is never freed.
    keepText: function (text) {
      var bytes = WSPEER.encode(text), at = _malloc(bytes.length + 1);
      if (!at) return 0;
      HEAPU8.set(bytes, at);
      HEAPU8[at + bytes.length] = 0;
      return at;
    },
    empty: function () {
      if (!WSPEER.emptyText) WSPEER.emptyText = WSPEER.keepText('');
      return WSPEER.emptyText;
    },
    copyText: function (text, buf, cap, len) {
      var bytes = WSPEER.encode(text), end = bytes.length;
      if (!buf && cap) return WSPEER.fail(WSPEER_C.ERR_NULL, 'buf is NULL and cap is not 0');
      if (len) WSPEER.setSize(len, bytes.length);
      if (!cap) return bytes.length ? WSPEER_C.TRUNCATED : WSPEER_C.OK;
      if (end > cap - 1) {
        end = cap - 1;
        while (end && (bytes[end] & 0xc0) === 0x80) end--;
      }
      HEAPU8.set(bytes.subarray(0, end), buf);
      HEAPU8[buf + end] = 0;
      return end < bytes.length ? WSPEER_C.TRUNCATED : WSPEER_C.OK;
    },

    // ---- Errors, log, time ----

    fail: function (code, sentence) {
      WSPEER.lastError = sentence;
      return code;
    },
    unsupported: function (what) {
      return WSPEER.fail(WSPEER_C.ERR_UNSUPPORTED, 'a browser cannot do this: ' + what + ' (see ws_get_features)');
    },
    // The program's name for a word of the header, else the word.
    named: function (word) {
      return Object.prototype.hasOwnProperty.call(WSPEER.names, word) ? WSPEER.names[word] : word;
    },
    badConfig: function (why) { return WSPEER.fail(WSPEER_C.ERR_CONFIG, 'the config cannot be used: ' + why); },
    isNull: function (name, at) {
      if (!at) WSPEER.fail(WSPEER_C.ERR_NULL, name + ' is NULL');
      return !at;
    },
    // The connection of a handle, or null after setting the error text.
    find: function (h) {
      h = h >>> 0;
      if (WSPEER.peers[h]) return WSPEER.peers[h];
      WSPEER.fail(WSPEER_C.ERR_HANDLE,
        h ? 'the handle was freed or has retired' : 'handle 0 was given: check the result of the call that opened it');
      return null;
    },
    // The level of globalThis.WSPEER_LOG: such lines are written to the console too. Quoted, as Closure changes names.
    consoleLevel: function () {
      var value = String(globalThis['WSPEER_LOG'] || '').toLowerCase();
      var level = ['off', 'error', 'warn', 'info', 'debug'].indexOf(value);
      return level >= 0 ? level : value === 'warning' ? 2 : Math.max(0, Math.min(4, value | 0));
    },
    note: function (level, line) {
      line = ['', 'error', 'warning', 'info', 'debug'][level] + ': ' + line;
      if (level <= WSPEER.consoleLevel()) {
        console[['', 'error', 'warn', 'info', 'debug'][level]]('wspeer ' + (WSPEER.now() / 1000).toFixed(3) + ' ' + line);
      }
      if (level > WSPEER.logLevel) return;
      if (WSPEER.log.length >= 1024) {
        WSPEER.log.shift();
        WSPEER.lostLines++;
      }
      WSPEER.log.push(line);
    },
    now: function () {
      var now = performance.now();
      if (!WSPEER.began) WSPEER.began = now;
      return now - WSPEER.began;
    },

    // ---- The queue of a connection: messages and other events, numbered in order ----

    fifo: function () { return { items: [], first: 0 }; },
    count: function (fifo) { return fifo.items.length - fifo.first; },
    peek: function (fifo) { return fifo.items[fifo.first]; },
    take: function (fifo) {
      var item = fifo.items[fifo.first];
      fifo.items[fifo.first++] = null;
      if (fifo.first === fifo.items.length) {
        fifo.items.length = 0;
        fifo.first = 0;
      } else if (fifo.first >= 1024 && fifo.first * 2 > fifo.items.length) {
        fifo.items.splice(0, fifo.first);
        fifo.first = 0;
      }
      return item;
    },
    push: function (peer, fifo, item) {
      item.number = peer.nextNumber++;
      item.time = WSPEER.now();
      fifo.items.push(item);
    },
    pushMark: function (peer, type, mark) {
      mark = mark || {};
      mark.type = type;
      if (mark.peerId === undefined) mark.peerId = peer.join ? 1 : 0;
      WSPEER.push(peer, peer.marks, mark);
    },
    pushMessage: function (peer, kind, bytes, from) {
      peer.bytesWaiting += bytes.length;
      WSPEER.push(peer, peer.messages, { kind: kind, bytes: bytes, peerId: from });
    },
    // Takes the next message (`messages`) or the next event of any type; undefined if there is none.
    next: function (peer, messages) {
      var message = WSPEER.peek(peer.messages), mark = messages ? undefined : WSPEER.peek(peer.marks);
      if (mark && (!message || mark.number < message.number)) return WSPEER.take(peer.marks);
      if (!message) return undefined;
      peer.bytesWaiting -= message.bytes.length;
      return WSPEER.take(peer.messages);
    },
    // Takes up to `cap` items, copies their bytes to the lent memory and writes the structs. Returns their number, or
    // -1 if memory ran out and nothing was taken.
    lend: function (peer, messages, out, cap) {
      var items = [], total = 0, item, i, at;
      // Sum up the sizes first, texts with their NUL: the memory must be available before anything is handed out.
      for (i = 0; i < cap; i++) {
        item = WSPEER.next(peer, messages);
        if (!item) break;
        if (item.type) item.bytes = item.data || (item.words ? WSPEER.encode(item.words + '\0') : null);
        items.push(item);
        total += item.bytes ? item.bytes.length : 0;
      }
      at = WSPEER.room(peer, total);
      if (total && !at) {
        WSPEER.putBack(peer, items);
        return -1;
      }
      for (i = 0; i < items.length; i++) {
        item = items[i];
        if (item.bytes) HEAPU8.set(item.bytes, at);
        if (messages)
          WSPEER.writePacket(peer, item, item.bytes.length ? at : WSPEER.empty(), out + i * WSPEER_LAYOUT.packet.size);
        else WSPEER.writeEvent(peer, item, item.bytes && item.bytes.length ? at : WSPEER.empty(),
          out + i * WSPEER_LAYOUT.event.size);
        if (item.bytes) at += item.bytes.length;
      }
      return items.length;
    },
    putBack: function (peer, items) {
      for (var i = items.length - 1; i >= 0; i--) {
        var fifo = items[i].type ? peer.marks : peer.messages;
        fifo.items.splice(fifo.first, 0, items[i]);
        if (!items[i].type) peer.bytesWaiting += items[i].bytes.length;
      }
    },
    // The connection's memory for lent bytes, grown to the next power of two; 0 if memory ran out.
    room: function (peer, len) {
      if (len <= peer.lentSize) return peer.lent;
      var size = 256;
      while (size < len) size *= 2;
      var at = _malloc(size);
      if (!at) return 0;
      if (peer.lent) _free(peer.lent);
      peer.lent = at;
      peer.lentSize = size;
      return at;
    },
    writePacket: function (peer, item, data, out) {
      var packet = WSPEER_LAYOUT.packet, mark = item.type;
      HEAPU8.fill(0, out, out + packet.size);
      WSPEER.setSize(out + packet.data, data);
      WSPEER.setSize(out + packet.len, item.bytes ? item.bytes.length - (mark ? 1 : 0) : 0);
      WSPEER.setWord(out + packet.type, mark ? 0 : item.kind);
      WSPEER.setWord(out + packet.peer_id, item.peerId);
      WSPEER.setWord(out + packet.conn, peer.handle);
      WSPEER.setLong(out + packet.user, peer.user);
    },
    // The event that reports a message of this type.
    reportedAs: function (kind) {
      switch (kind) {
        case WSPEER_C.SPAWN: return WSPEER_C.EVENT_SPAWN;
        case WSPEER_C.DESPAWN: return WSPEER_C.EVENT_DESPAWN;
        case WSPEER_C.SYNC: return WSPEER_C.EVENT_SYNC;
        default: return WSPEER_C.EVENT_MESSAGE;
      }
    },
    writeEvent: function (peer, item, data, out) {
      var event = WSPEER_LAYOUT.event;
      HEAPU8.fill(0, out, out + event.size);
      WSPEER.setWord(out + event.type, item.type || WSPEER.reportedAs(item.kind));
      WSPEER.setWord(out + event.conn, peer.handle);
      WSPEER.setWord(out + event.peer_id, item.peerId);
      WSPEER.writePacket(peer, item, data, out + event.packet);
      if (!item.type) return;
      WSPEER.setWord(out + event.code, item.code || 0);
      WSPEER.setWord(out + event.phase, item.phase || 0);
      WSPEER.setWord(out + event.cause, item.cause || 0);
      WSPEER.setWord(out + event.http_status, item.status || 0);
      WSPEER.setWord(out + event.unsent, item.unsent || 0);
      WSPEER.setWord(out + event.clean, item.clean ? 1 : 0);
      WSPEER.setLong(out + event.time_ns, Math.round(item.time * 1e6));
      WSPEER.setLong(out + event.count, item.count || 0);
    },
    // ws_get_packet, ws_next_event and their batch forms.
    read: function (h, messages, out, cap, count) {
      var peer = WSPEER.find(h), taken;
      if (!peer) return WSPEER_C.ERR_HANDLE;
      taken = WSPEER.lend(peer, messages, out, cap);
      if (taken < 0)
        return WSPEER.fail(WSPEER_C.ERR_LIMIT,
          'there is no memory for what came: allow the memory to grow (-sALLOW_MEMORY_GROWTH)');
      if (count) WSPEER.setSize(count, taken);
      return taken ? WSPEER_C.OK : WSPEER_C.EMPTY;
    },
    readBatch: function (h, messages, out, cap, count) {
      if (WSPEER.isNull('count', count)) return WSPEER_C.ERR_NULL;
      WSPEER.setSize(count, 0);
      if (WSPEER.isNull('out', out)) return WSPEER_C.ERR_NULL;
      if (!cap) return WSPEER.fail(WSPEER_C.ERR_ARG, 'cap is 0: give room for at least one item');
      return WSPEER.read(h, messages, out, WSPEER.size(cap), count);
    }
  }
});
