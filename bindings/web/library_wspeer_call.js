// wspeer in the browser: the functions that encode and decode Variants and calls in the program's memory, and the
// packet format of calls. A port of src/ffi/scene.rs and src/multiplayer/scene/call.rs. See library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER_CALL: {
    // ---- Items in the program's memory ----

    memory: function () { return new DataView(HEAPU8.buffer); },
    // Reads the program's ws_variant number `index` into `item`. Throws a fault with a result code for invalid data or
    // len.
    load: function (at, index, item) {
      var variant = WSPEER_LAYOUT.variant, view = WSPEER_CALL.memory(), start = at + index * variant.size, i;
      item.kind = view.getInt32(start + variant.type, true);
      item.count = view.getUint32(start + variant.count, true);
      item.lo = view.getUint32(start + variant.integer, true);
      item.hi = view.getInt32(start + variant.integer + 4, true);
      for (i = 0; i < 16; i++) item.number[i] = view.getFloat64(start + variant.number + 8 * i, true);
      item.at = WSPEER.wordOfSize(start + variant.data);
      item.len = WSPEER.wordOfSize(start + variant.len);
      if (item.len && !item.at)
        throw { words: 'item ' + index + ': data is NULL and its length is not 0', code: WSPEER_C.ERR_NULL };
      if (item.len > 0x7fffffff)
        throw { words: 'item ' + index + ': the length of data is over what memory can hold',
          code: WSPEER_C.ERR_TOO_BIG };
      return item;
    },
    // Writes `item` as ws_variant number `index`; `base` is the address of the first byte of the reader.
    store: function (at, index, item, base) {
      var variant = WSPEER_LAYOUT.variant, view = WSPEER_CALL.memory(), start = at + index * variant.size, i;
      view.setInt32(start + variant.type, item.kind, true);
      view.setUint32(start + variant.count, item.count, true);
      view.setUint32(start + variant.integer, item.lo, true);
      view.setInt32(start + variant.integer + 4, item.hi, true);
      for (i = 0; i < 16; i++) view.setFloat64(start + variant.number + 8 * i, item.number[i], true);
      WSPEER.setSize(start + variant.data, base + item.at);
      WSPEER.setSize(start + variant.len, item.len);
    },
    // Converts a thrown fault into a result; rethrows any other exception.
    failed: function (fault, prefix) {
      if (!fault.words) throw fault;
      if (fault.code) return WSPEER.fail(fault.code, fault.words);
      if (fault.unsupported) return WSPEER.fail(WSPEER_C.ERR_UNSUPPORTED, fault.words);
      return WSPEER.fail(WSPEER_C.ERR_ARG, prefix + fault.words);
    },
    // The text at a pointer argument, or an error result (a negative number).
    text: function (name, at) {
      var text;
      if (WSPEER.isNull(name, at)) return WSPEER_C.ERR_NULL;
      text = WSPEER.textAt(at);
      return text === null ? WSPEER.fail(WSPEER_C.ERR_UTF8, name + ' is not valid UTF-8') : text;
    },
    // 0 if pointer and length are valid, else an error result.
    checkBytes: function (name, at, len) {
      if (len && !at) return WSPEER.fail(WSPEER_C.ERR_NULL, name + ' is NULL and its length is not 0');
      return len > 0x7fffffff ?
        WSPEER.fail(WSPEER_C.ERR_TOO_BIG, 'the length of ' + name + ' is over what memory can hold') : 0;
    },
    checkItems: function (items, count) {
      if (count && WSPEER.isNull('items', items)) return WSPEER_C.ERR_NULL;
      return count * WSPEER_LAYOUT.variant.size > 0x7fffffff ?
        WSPEER.fail(WSPEER_C.ERR_TOO_BIG, 'there are more items than memory can hold') : 0;
    },

    // ---- ws_encode_call, ws_encode_variant: `body` writes the items that next() returns to a sink ----

    encode: function (items, count, buf, cap, len, body) {
      var index = 0, item = WSPEER_VARIANT.item(), sink, wrong;
      if (WSPEER.isNull('len', len)) return WSPEER_C.ERR_NULL;
      WSPEER.setSize(len, 0);
      wrong = WSPEER_CALL.checkItems(items, count) || WSPEER_CALL.checkBytes('buf', buf, cap);
      if (wrong) return wrong;
      sink = WSPEER_VARIANT.sink(HEAPU8, buf, cap);
      try {
        body(function () { return index === count ? null : WSPEER_CALL.load(items, index++, item); }, sink);
      } catch (fault) {
        return WSPEER_CALL.failed(fault, '');
      }
      WSPEER.setSize(len, sink.len);
      return sink.len > cap ?
        WSPEER.fail(WSPEER_C.ERR_TOO_BIG, 'buf has ' + cap + ' bytes and ' + sink.len + ' are needed') : WSPEER_C.OK;
    },
    encodeCall: function (path, method, items, count, buf, cap, len) {
      var texts = [WSPEER_CALL.text('path', path), 0];
      if (typeof texts[0] === 'number') return texts[0];
      texts[1] = WSPEER_CALL.text('method', method);
      if (typeof texts[1] === 'number') return texts[1];
      return WSPEER_CALL.encode(items, WSPEER.size(count), buf, WSPEER.size(cap), len, function (next, sink) {
        var place, values;
        if (!texts[0] || !texts[1])
          throw WSPEER_VARIANT.bad('a call needs the path of a node and the name of a method');
        texts.forEach(function (text) {
          var bytes = WSPEER.encode(text);
          for (var i = 0; i < bytes.length; i++) WSPEER_VARIANT.putByte(sink, bytes[i]);
          WSPEER_VARIANT.putByte(sink, 0);
        });
        place = sink.len;
        WSPEER_VARIANT.putByte(sink, 0);
        values = WSPEER_VARIANT.write(next, true, sink);
        if (values > 255) throw WSPEER_VARIANT.bad(values + ' arguments are too many: a call has at most 255');
        if (place < sink.cap) sink.out[sink.at + place] = values;
      });
    },
    encodeVariant: function (items, count, buf, cap, len) {
      return WSPEER_CALL.encode(items, WSPEER.size(count), buf, WSPEER.size(cap), len, function (next, sink) {
        var values = WSPEER_VARIANT.write(next, false, sink);
        if (values !== 1)
          throw WSPEER_VARIANT.bad('the items are ' + values + ' values and not one: put them into an Array');
      });
    },

    // ---- ws_decode_call, ws_decode_variant ----

    decodeCall: function (data, len, out, items, cap) {
      var bytes, call, reader, item, i, at = WSPEER_LAYOUT.call, wrong;
      len = WSPEER.size(len);
      cap = WSPEER.size(cap);
      if (WSPEER.isNull('out', out)) return WSPEER_C.ERR_NULL;
      wrong = WSPEER_CALL.checkItems(items, cap) || WSPEER_CALL.checkBytes('data', data, len);
      if (wrong) return wrong;
      bytes = HEAPU8.subarray(data, data + len);
      try {
        call = WSPEER_CALL.read(bytes, Infinity);
      } catch (fault) {
        return WSPEER_CALL.failed(fault, 'these bytes cannot be read: ');
      }
      reader = WSPEER_VARIANT.reader(bytes, call.start, bytes.length - call.start, true);
      item = WSPEER_VARIANT.item();
      for (i = 0; i < call.items && i < cap; i++) {
        WSPEER_VARIANT.read(reader, item);
        WSPEER_CALL.store(items, i, item, data);
      }
      WSPEER.setSize(out + at.path, data);
      WSPEER.setSize(out + at.method, data + call.method);
      WSPEER.setWord(out + at.arguments, call.count);
      WSPEER.setWord(out + at.items, call.items);
      return call.items > cap ? WSPEER_C.TRUNCATED : WSPEER_C.OK;
    },
    decodeVariant: function (data, len, items, cap, count, used) {
      var reader, item = WSPEER_VARIANT.item(), index = 0, wrong;
      len = WSPEER.size(len);
      cap = WSPEER.size(cap);
      if (WSPEER.isNull('count', count)) return WSPEER_C.ERR_NULL;
      WSPEER.setSize(count, 0);
      wrong = WSPEER_CALL.checkItems(items, cap) || WSPEER_CALL.checkBytes('data', data, len);
      if (wrong) return wrong;
      reader = WSPEER_VARIANT.reader(HEAPU8.subarray(data, data + len), 0, len, false);
      try {
        do {
          WSPEER_VARIANT.read(reader, item);
          if (index < cap) WSPEER_CALL.store(items, index, item, data);
          index++;
        } while (!WSPEER_VARIANT.isOutside(reader));
      } catch (fault) {
        return WSPEER_CALL.failed(fault, 'these bytes cannot be read: ');
      }
      WSPEER.setSize(count, index);
      if (used) WSPEER.setSize(used, reader.at);
      return index > cap ? WSPEER_C.TRUNCATED : WSPEER_C.OK;
    },

    // ---- A call as ws_encode_call() makes it: path, NUL, method, NUL, argument count (1 byte), compact arguments ----

    // Validates the whole call and returns the offsets of method and arguments and the counts of arguments and items.
    // Throws when there are more than `maxItems` items.
    read: function (bytes, maxItems) {
      var first = bytes.indexOf(0), second = first < 0 ? -1 : bytes.indexOf(0, first + 1),
        pathEnd = first < 0 ? bytes.length : first, end = second < 0 ? bytes.length : second;
      if (!pathEnd || first < 0 || end === first + 1 || !WSPEER_VARIANT.isUtf8(bytes, 0, pathEnd) ||
        !WSPEER_VARIANT.isUtf8(bytes, first + 1, end - first - 1)) {
        throw WSPEER_VARIANT.bad('it has no path and method in front');
      }
      if (second < 0 || second + 1 === bytes.length) throw WSPEER_VARIANT.bad('it has no count of arguments');
      return {
        path: bytes.subarray(0, first), method: first + 1, name: bytes.subarray(first + 1, second),
        count: bytes[second + 1], start: second + 2, bytes: bytes,
        items: WSPEER_CALL.check(bytes, second + 1, maxItems)
      };
    },
    // Reads the argument count at `at` and all arguments; returns the number of items.
    check: function (bytes, at, maxItems) {
      var reader = WSPEER_VARIANT.reader(bytes, at + 1, bytes.length - at - 1, true), item = WSPEER_VARIANT.item(),
        items = 0;
      for (var count = bytes[at]; count > 0; count--) {
        do {
          WSPEER_VARIANT.read(reader, item);
          if (++items > maxItems)
            throw { words: 'its arguments are more than max_call_items (' + maxItems + ')',
              code: WSPEER_C.ERR_TOO_BIG };
        } while (!WSPEER_VARIANT.isOutside(reader));
      }
      if (reader.at !== reader.end)
        throw WSPEER_VARIANT.bad(reader.end - reader.at + ' bytes follow the last argument');
      return items;
    },

    // ---- A call as a packet ----

    // Encodes a call. The node is given by its number (in 32 bits if `full`) or, if `path` is set, by its path.
    packet: function (call, node, method, full, path) {
      var width = full || path || node > 0xffff ? 2 : node > 0xff ? 1 : 0, bytes = WSPEER_CALL.onlyBytes(call), body,
        place;
      body = bytes || call.bytes.subarray(call.start - 1);
      var head = [width << 4 | (method > 0xff ? 0x40 : 0) | (bytes ? 0x80 : 0)].concat(
        WSPEER.littleEndian(node, 1 << width),
        WSPEER.littleEndian(method, method > 0xff ? 2 : 1));
      if (!path) return WSPEER.joined([head, body]);
      place = WSPEER.littleEndian(head.length + body.length + 0x80000000, 4);
      for (var i = 0; i < 4; i++) head[1 + i] = place[i];
      return WSPEER.joined([head, body, path, [0]]);
    },
    // If the only argument is a PackedByteArray, its bytes, which a packet holds without an argument count; [] if there
    // are no arguments; else null.
    onlyBytes: function (call) {
      var item = WSPEER_VARIANT.item();
      if (!call.count) return [];
      if (call.count > 1) return null;
      WSPEER_VARIANT.read(WSPEER_VARIANT.reader(call.bytes, call.start, call.bytes.length - call.start, true), item);
      return item.kind === WSPEER_C.VARIANT_PACKED_BYTE_ARRAY ? call.bytes.subarray(item.at, item.at + item.len) : null;
    },
    // Splits a packet into its fields; the arguments stay encoded. The node is `path`, or the number `node` if `path`
    // is null.
    readPacket: function (bytes) {
      var width = 1 << (bytes[0] >> 4 & 3), methodWidth = bytes[0] & 0x40 ? 2 : 1, head = 1 + width + methodWidth, rpc,
        place;
      if (width === 8 || bytes.length < head)
        throw WSPEER_VARIANT.bad('the head of a call is cut off, or has a width that is none');
      rpc = { node: 0, path: null, method: bytes[1 + width] | (methodWidth > 1 ? bytes[2 + width] << 8 : 0),
        onlyBytes: (bytes[0] & 0x80) !== 0, args: bytes.subarray(head) };
      for (var i = 0; i < width; i++) rpc.node += bytes[1 + i] * Math.pow(256, i);
      if (rpc.node < 0x80000000) return rpc;
      place = rpc.node - 0x80000000;
      if (place < head || place >= bytes.length)
        throw WSPEER_VARIANT.bad('a call has the path of its node outside of itself');
      rpc.path = WSPEER_CALL.readPath(bytes.subarray(place));
      rpc.args = bytes.subarray(head, place);
      return rpc;
    },
    // Reads a NUL-terminated path.
    readPath: function (bytes) {
      var end = bytes.indexOf(0);
      if (!bytes.length || bytes[bytes.length - 1]) throw WSPEER_VARIANT.bad('a path has no end');
      if (end < 1 || end !== bytes.length - 1 || !WSPEER_VARIANT.isUtf8(bytes, 0, end))
        throw WSPEER_VARIANT.bad('a path is empty, has a NUL in it or is not valid UTF-8');
      return WSPEER.decode(bytes.slice(0, end));
    },
    // Converts a received packet to the form of ws_encode_call(), after checking its arguments.
    expand: function (rpc, path, method, maxItems) {
      var texts = WSPEER.encode(path + '\0' + method + '\0'), args = rpc.args;
      if (rpc.onlyBytes && !args.length) return WSPEER.joined([texts, [0]]);
      if (rpc.onlyBytes) {
        return WSPEER.joined([texts, [1], WSPEER.littleEndian(WSPEER_C.VARIANT_PACKED_BYTE_ARRAY, 4),
          WSPEER.littleEndian(args.length, 4), args,
          [0, 0, 0].slice(0, WSPEER_VARIANT.pad(args.length))]);
      }
      if (!args.length) throw WSPEER_VARIANT.bad('it has no count of arguments');
      WSPEER_CALL.check(args, 0, maxItems);
      return WSPEER.joined([texts, args]);
    }
  }
});
