// wspeer in the browser: reads and writes Godot's Variants. A port of
// src/multiplayer/scene/{variant,read,write,call}.rs, tested with the same recorded vectors. A 64-bit integer is two
// halves: `lo` (unsigned) and `hi` (signed). See library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER_VARIANT: {
    MAX_DEPTH: 64,
    // How a container's elements are encoded: as values with types; as strings without types; or as such strings whose
    // length counts a NUL.
    VALUES: 0,
    NAMES: 1,
    STRINGS: 2,
    TYPES: ['Nil', 'bool', 'int', 'float', 'String', 'Vector2', 'Vector2i', 'Rect2', 'Rect2i', 'Vector3', 'Vector3i',
      'Transform2D', 'Vector4', 'Vector4i', 'Plane',
      'Quaternion', 'AABB', 'Basis', 'Transform3D', 'Projection', 'Color', 'StringName', 'NodePath', 'RID', 'Object',
      'Callable', 'Signal', 'Dictionary', 'Array',
      'PackedByteArray', 'PackedInt32Array', 'PackedInt64Array', 'PackedFloat32Array', 'PackedFloat64Array',
      'PackedStringArray', 'PackedVector2Array',
      'PackedVector3Array', 'PackedColorArray', 'PackedVector4Array'],
    // Number of components of the types from 0 on; negative: integers.
    COMPONENTS: [0, 0, 0, 0, 0, 2, -2, 4, -4, 3, -3, 6, 4, -4, 4, 4, 6, 9, 12, 16, 4],
    // Bytes per element of the packed arrays from type 29 on: with single and with double precision.
    ELEMENTS: [[1, 1], [4, 4], [8, 8], [4, 4], [8, 8], null, [8, 16], [12, 24], [16, 16], [16, 32]],
    scratch: null,

    name: function (kind) { return WSPEER_VARIANT.TYPES[kind] || 'not a Variant type of Godot'; },
    components: function (kind) { return WSPEER_VARIANT.COMPONENTS[kind] || 0; },
    element: function (kind) { return WSPEER_VARIANT.ELEMENTS[kind - WSPEER_C.VARIANT_PACKED_BYTE_ARRAY] || null; },
    strange: function (kind) {
      if (kind < 0 || kind >= WSPEER_VARIANT.TYPES.length)
        return 'has type ' + kind + ', which is none: use WS_VARIANT_*';
      return 'is of type ' + WSPEER_VARIANT.name(kind) + ' (' + kind +
        '), which means nothing to another program: send its name, its path or its properties';
    },
    // Faults thrown for bytes that are no valid value, or items that cannot be written; `words` says why.
    bad: function (words) { return { words: words, unsupported: false }; },
    foreign: function (words) { return { words: words, unsupported: true }; },
    short: function () { return WSPEER_VARIANT.bad('it is shorter than it says'); },
    item: function () {
      return { kind: 0, count: 0, lo: 0, hi: 0, number: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], at: 0,
        len: 0 };
    },
    // Empties an item, of this type.
    clear: function (item, kind) {
      item.kind = kind;
      item.count = item.lo = item.hi = item.at = item.len = 0;
      for (var i = 0; i < 16; i++) item.number[i] = 0;
    },
    // Scratch memory for converting floating-point numbers.
    view: function () {
      if (!WSPEER_VARIANT.scratch) WSPEER_VARIANT.scratch = new DataView(new ArrayBuffer(8));
      return WSPEER_VARIANT.scratch;
    },
    isUtf8: function (bytes, at, len) {
      for (var end = at + len, byte, more, low, high; at < end; at++) {
        byte = bytes[at];
        if (byte < 0x80) continue;
        if (byte < 0xc2 || byte > 0xf4) return false;
        more = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
        low = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
        high = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
        if (at + more >= end || bytes[at + 1] < low || bytes[at + 1] > high) return false;
        for (at++; --more; at++) if ((bytes[at + 1] & 0xc0) !== 0x80) return false;
      }
      return true;
    },

    // ---- The open containers at a position: how many elements each still needs ----

    nest: function () { return { lacks: [], inside: [] }; },
    enter: function (nest, count, inside) {
      if (!count) return WSPEER_VARIANT.leave(nest);
      if (nest.lacks.length === WSPEER_VARIANT.MAX_DEPTH) throw WSPEER_VARIANT.bad('it is nested more than 64 deep');
      nest.lacks.push(count);
      nest.inside.push(inside);
    },
    leave: function (nest) {
      while (nest.lacks.length && !--nest.lacks[nest.lacks.length - 1]) {
        nest.lacks.pop();
        nest.inside.pop();
      }
    },

    // ---- From bytes to items ----

    reader: function (bytes, at, len, compact) {
      return { bytes: bytes, at: at, end: at + len, compact: compact, nest: WSPEER_VARIANT.nest() };
    },
    isOutside: function (reader) { return !reader.nest.lacks.length; },
    take: function (reader, count) {
      if (count > reader.end - reader.at) throw WSPEER_VARIANT.short();
      reader.at += count;
      return reader.at - count;
    },
    pad: function (len) { return (4 - len % 4) % 4; },
    readWord: function (reader) { return WSPEER.number(reader.bytes, WSPEER_VARIANT.take(reader, 4)) >>> 0; },
    readFloat: function (reader, wide) {
      var view = WSPEER_VARIANT.view();
      view.setUint32(0, WSPEER_VARIANT.readWord(reader), true);
      if (!wide) return view.getFloat32(0, true);
      view.setUint32(4, WSPEER_VARIANT.readWord(reader), true);
      return view.getFloat64(0, true);
    },
    // Reads the next item into `item`.
    read: function (reader, item) {
      var depth = reader.nest.inside.length, inside = depth ? reader.nest.inside[depth - 1] : WSPEER_VARIANT.VALUES,
        kind;
      WSPEER_VARIANT.clear(item, WSPEER_C.VARIANT_STRING);
      item.at = reader.at;
      if (inside !== WSPEER_VARIANT.VALUES)
        return WSPEER_VARIANT.readString(reader, item, inside === WSPEER_VARIANT.STRINGS);
      if (depth || !reader.compact) return WSPEER_VARIANT.readFull(reader, item);
      if (reader.at === reader.end) throw WSPEER_VARIANT.short();
      kind = reader.bytes[reader.at] & 0x3f;
      if (kind !== WSPEER_C.VARIANT_BOOL && kind !== WSPEER_C.VARIANT_INT) return WSPEER_VARIANT.readFull(reader, item);
      WSPEER_VARIANT.readCompact(reader, item, kind, reader.bytes[reader.at] >> 6);
      WSPEER_VARIANT.leave(reader.nest);
    },
    readCompact: function (reader, item, kind, mode) {
      var at;
      item.kind = kind;
      if (kind === WSPEER_C.VARIANT_BOOL) {
        WSPEER_VARIANT.take(reader, 1);
        item.lo = mode >> 1;
        return;
      }
      at = WSPEER_VARIANT.take(reader, 1 + (1 << mode)) + 1;
      if (mode === 0) item.lo = reader.bytes[at] << 24 >> 24;
      else if (mode === 1) item.lo = (reader.bytes[at] | reader.bytes[at + 1] << 8) << 16 >> 16;
      else item.lo = WSPEER.number(reader.bytes, at);
      item.hi = mode === 3 ? WSPEER.number(reader.bytes, at + 4) : item.lo >> 31;
      item.lo >>>= 0;
    },
    readFull: function (reader, item) {
      var head = WSPEER_VARIANT.readWord(reader), kind = head & 0xff, wide = (head & 0x10000) !== 0,
        count = WSPEER_VARIANT.components(kind), size = WSPEER_VARIANT.element(kind), i;
      item.kind = kind;
      if (count) {
        for (i = 0; i < Math.abs(count); i++) {
          item.number[i] = count < 0 ? WSPEER_VARIANT.readWord(reader) | 0 :
            WSPEER_VARIANT.readFloat(reader, wide && kind !== WSPEER_C.VARIANT_COLOR);
        }
        return WSPEER_VARIANT.leave(reader.nest);
      }
      if (size) {
        item.count = WSPEER_VARIANT.readWord(reader);
        item.len = item.count * size[wide ? 1 : 0];
        item.at = WSPEER_VARIANT.take(reader, item.len);
        WSPEER_VARIANT.take(reader, WSPEER_VARIANT.pad(item.len));
        return WSPEER_VARIANT.leave(reader.nest);
      }
      switch (kind) {
        case WSPEER_C.VARIANT_NIL: break;
        case WSPEER_C.VARIANT_BOOL: item.lo = WSPEER_VARIANT.readWord(reader) ? 1 : 0; break;
        case WSPEER_C.VARIANT_INT:
          item.lo = WSPEER_VARIANT.readWord(reader);
          item.hi = wide ? WSPEER_VARIANT.readWord(reader) | 0 : item.lo >> 31;
          break;
        case WSPEER_C.VARIANT_FLOAT: item.number[0] = WSPEER_VARIANT.readFloat(reader, wide); break;
        case WSPEER_C.VARIANT_STRING:
        case WSPEER_C.VARIANT_STRING_NAME: return WSPEER_VARIANT.readString(reader, item, false);
        case WSPEER_C.VARIANT_NODE_PATH: return WSPEER_VARIANT.readNodePath(reader, item);
        case WSPEER_C.VARIANT_PACKED_STRING_ARRAY:
          item.count = WSPEER_VARIANT.readCount(reader, 4);
          return WSPEER_VARIANT.enter(reader.nest, item.count, WSPEER_VARIANT.STRINGS);
        case WSPEER_C.VARIANT_ARRAY:
          item.lo = WSPEER_VARIANT.readElementType(reader, head >>> 16, 'Array');
          item.count = WSPEER_VARIANT.readCount(reader, 4);
          return WSPEER_VARIANT.enter(reader.nest, item.count, WSPEER_VARIANT.VALUES);
        case WSPEER_C.VARIANT_DICTIONARY:
          item.lo = WSPEER_VARIANT.readElementType(reader, head >>> 16, 'Dictionary');
          item.lo |= WSPEER_VARIANT.readElementType(reader, head >>> 18, 'Dictionary') << 8;
          item.count = WSPEER_VARIANT.readCount(reader, 8);
          return WSPEER_VARIANT.enter(reader.nest, 2 * item.count, WSPEER_VARIANT.VALUES);
        default:
          if (kind < WSPEER_VARIANT.TYPES.length)
            throw WSPEER_VARIANT.foreign('a value ' + WSPEER_VARIANT.strange(kind));
          throw WSPEER_VARIANT.bad(kind + ' is not a Variant type of Godot');
      }
      WSPEER_VARIANT.leave(reader.nest);
    },
    readNodePath: function (reader, item) {
      var names = WSPEER_VARIANT.readWord(reader), subNames = WSPEER_VARIANT.readWord(reader),
        flags = WSPEER_VARIANT.readWord(reader), property = flags >>> 1 & 1;
      if (names < 0x80000000) throw WSPEER_VARIANT.bad('a NodePath is in the form of Godot 2');
      item.count = names - 0x80000000 + subNames + property;
      if (item.count > Math.floor((reader.end - reader.at) / 4)) throw WSPEER_VARIANT.short();
      item.lo = flags & 1;
      item.number[0] = subNames + property;
      WSPEER_VARIANT.enter(reader.nest, item.count, WSPEER_VARIANT.NAMES);
    },
    readString: function (reader, item, countsNul) {
      var len = WSPEER_VARIANT.readWord(reader);
      item.at = WSPEER_VARIANT.take(reader, len);
      WSPEER_VARIANT.take(reader, WSPEER_VARIANT.pad(len));
      item.len = countsNul && len && !reader.bytes[item.at + len - 1] ? len - 1 : len;
      if (!WSPEER_VARIANT.isUtf8(reader.bytes, item.at, item.len))
        throw WSPEER_VARIANT.bad('a ' + WSPEER_VARIANT.name(item.kind) + ' is not valid UTF-8');
      WSPEER_VARIANT.leave(reader.nest);
    },
    // The element type of a typed container, 0 for any.
    readElementType: function (reader, mode, what) {
      var kind;
      if (!(mode & 3)) return 0;
      kind = (mode & 3) === 1 ? WSPEER_VARIANT.readWord(reader) : WSPEER_C.VARIANT_OBJECT;
      if (kind === WSPEER_C.VARIANT_OBJECT)
        throw WSPEER_VARIANT.foreign('a typed ' + what + ' of objects means nothing to another program');
      if (!kind || kind >= WSPEER_VARIANT.TYPES.length)
        throw WSPEER_VARIANT.bad(kind + ' is no type for the elements of a typed ' + what);
      return kind;
    },
    // Reads a count of elements that have at least `least` bytes each.
    readCount: function (reader, least) {
      // In Godot 2 the highest bit marked a shared Dictionary.
      var count = WSPEER_VARIANT.readWord(reader) & 0x7fffffff;
      if (count > Math.floor((reader.end - reader.at) / least)) throw WSPEER_VARIANT.short();
      return count;
    },

    // ---- From items to bytes; bytes beyond the capacity are counted but not written ----

    // `out`: the bytes to write to, such as HEAPU8, which does not grow meanwhile.
    sink: function (out, at, cap) { return { out: out, at: at, cap: cap, len: 0 }; },
    putByte: function (sink, byte) {
      if (sink.len < sink.cap) sink.out[sink.at + sink.len] = byte;
      sink.len++;
    },
    putWord: function (sink, word) {
      for (var i = 0; i < 4; i++) WSPEER_VARIANT.putByte(sink, word >>> (8 * i) & 0xff);
    },
    putMemory: function (sink, at, len) {
      if (sink.len + len <= sink.cap) sink.out.set(HEAPU8.subarray(at, at + len), sink.at + sink.len);
      sink.len += len;
    },
    putZeros: function (sink, count) {
      while (count-- > 0) WSPEER_VARIANT.putByte(sink, 0);
    },
    putFloat: function (sink, value, wide) {
      var view = WSPEER_VARIANT.view();
      if (wide) view.setFloat64(0, value, true);
      else view.setFloat32(0, value, true);
      WSPEER_VARIANT.putWord(sink, view.getUint32(0, true));
      if (wide) WSPEER_VARIANT.putWord(sink, view.getUint32(4, true));
    },
    // Writes the items that next() returns until it returns null; returns the number of outermost values.
    write: function (next, compact, sink) {
      var nest = WSPEER_VARIANT.nest(), values = 0, item, depth;
      for (var index = 0; (item = next()); index++) {
        depth = nest.inside.length;
        try {
          WSPEER_VARIANT.writeItem(item, nest, depth ? nest.inside[depth - 1] : WSPEER_VARIANT.VALUES,
            compact && !depth, sink);
        } catch (fault) {
          if (fault.words) fault.words = 'item ' + index + ' (' + WSPEER_VARIANT.name(item.kind) + ') ' + fault.words;
          throw fault;
        }
        if (!depth) values++;
      }
      if (nest.lacks.length)
        throw WSPEER_VARIANT.bad('the last container lacks ' + nest.lacks[nest.lacks.length - 1] + ' items');
      return values;
    },
    writeItem: function (item, nest, inside, compact, sink) {
      if (inside !== WSPEER_VARIANT.VALUES) {
        if (item.kind !== WSPEER_C.VARIANT_STRING)
          throw WSPEER_VARIANT.bad('is not the String that the container before it wants');
        WSPEER_VARIANT.writeString(item, sink, inside === WSPEER_VARIANT.STRINGS);
        return WSPEER_VARIANT.leave(nest);
      }
      if (compact && item.kind === WSPEER_C.VARIANT_BOOL) WSPEER_VARIANT.putByte(sink, item.lo || item.hi ? 0x81 : 1);
      else if (compact && item.kind === WSPEER_C.VARIANT_INT) WSPEER_VARIANT.writeCompact(item, sink);
      else if (!WSPEER_VARIANT.writeFull(item, nest, sink)) return;
      WSPEER_VARIANT.leave(nest);
    },
    writeCompact: function (item, sink) {
      var low = item.lo | 0, is32 = item.hi === low >> 31,
        mode = !is32 ? 3 : low << 24 >> 24 === low ? 0 : low << 16 >> 16 === low ? 1 : 2;
      WSPEER_VARIANT.putByte(sink, 2 | mode << 6);
      for (var i = 0; i < 1 << mode; i++)
        WSPEER_VARIANT.putByte(sink, (i < 4 ? low >>> (8 * i) : item.hi >>> (8 * (i - 4))) & 0xff);
    },
    // Returns false for a container, whose elements follow.
    writeFull: function (item, nest, sink) {
      var kind = item.kind, count = WSPEER_VARIANT.components(kind), size = WSPEER_VARIANT.element(kind), wide, types,
        i;
      if (count) {
        WSPEER_VARIANT.putWord(sink, kind);
        for (i = 0; i < Math.abs(count); i++) {
          if (count < 0 && (item.number[i] | 0) !== item.number[i])
            throw WSPEER_VARIANT.bad('has ' + item.number[i] + ' in it, which is no integer of 32 bits');
          if (count < 0) WSPEER_VARIANT.putWord(sink, item.number[i]);
          else WSPEER_VARIANT.putFloat(sink, item.number[i], false);
        }
        return true;
      }
      if (size) {
        wide = item.count * size[0] !== item.len;
        if (wide && item.count * size[1] !== item.len) {
          throw WSPEER_VARIANT.bad('has ' + item.len + ' bytes for ' + item.count + ' elements: ' + size[0] +
            ' belong to each');
        }
        WSPEER_VARIANT.putWord(sink, kind | (wide ? 0x10000 : 0));
        WSPEER_VARIANT.putWord(sink, item.count);
        WSPEER_VARIANT.putMemory(sink, item.at, item.len);
        WSPEER_VARIANT.putZeros(sink, WSPEER_VARIANT.pad(item.len));
        return true;
      }
      switch (kind) {
        case WSPEER_C.VARIANT_NIL: WSPEER_VARIANT.putWord(sink, kind); return true;
        case WSPEER_C.VARIANT_BOOL:
          WSPEER_VARIANT.putWord(sink, kind);
          WSPEER_VARIANT.putWord(sink, item.lo || item.hi ? 1 : 0);
          return true;
        case WSPEER_C.VARIANT_INT:
          wide = item.hi !== (item.lo | 0) >> 31;
          WSPEER_VARIANT.putWord(sink, kind | (wide ? 0x10000 : 0));
          WSPEER_VARIANT.putWord(sink, item.lo);
          if (wide) WSPEER_VARIANT.putWord(sink, item.hi);
          return true;
        case WSPEER_C.VARIANT_FLOAT:
          wide = item.number[0] === item.number[0] && Math.fround(item.number[0]) !== item.number[0];
          WSPEER_VARIANT.putWord(sink, kind | (wide ? 0x10000 : 0));
          WSPEER_VARIANT.putFloat(sink, item.number[0], wide);
          return true;
        case WSPEER_C.VARIANT_STRING:
        case WSPEER_C.VARIANT_STRING_NAME:
          WSPEER_VARIANT.putWord(sink, kind);
          WSPEER_VARIANT.writeString(item, sink, false);
          return true;
        case WSPEER_C.VARIANT_NODE_PATH:
          if (!(item.number[0] >= 0 && item.number[0] <= item.count) || item.count >= 0x80000000) {
            throw WSPEER_VARIANT.bad('has ' + item.count + ' names, and ' + item.number[0] +
              ' of them are said to be sub-names');
          }
          WSPEER_VARIANT.putWord(sink, kind);
          WSPEER_VARIANT.putWord(sink, item.count - Math.floor(item.number[0]) + 0x80000000);
          WSPEER_VARIANT.putWord(sink, item.number[0]);
          WSPEER_VARIANT.putWord(sink, item.lo || item.hi ? 1 : 0);
          WSPEER_VARIANT.enter(nest, item.count, WSPEER_VARIANT.NAMES);
          return false;
        case WSPEER_C.VARIANT_PACKED_STRING_ARRAY:
          WSPEER_VARIANT.putWord(sink, kind);
          WSPEER_VARIANT.putWord(sink, item.count);
          WSPEER_VARIANT.enter(nest, item.count, WSPEER_VARIANT.STRINGS);
          return false;
        case WSPEER_C.VARIANT_ARRAY:
        case WSPEER_C.VARIANT_DICTIONARY:
          count = kind === WSPEER_C.VARIANT_ARRAY ? 1 : 2;
          types = WSPEER_VARIANT.elementTypes(item, count);
          WSPEER_VARIANT.putWord(sink, kind | (types[0] ? 0x10000 : 0) | (types[1] ? 0x40000 : 0));
          for (i = 0; i < 2; i++) if (types[i]) WSPEER_VARIANT.putWord(sink, types[i]);
          WSPEER_VARIANT.putWord(sink, item.count);
          WSPEER_VARIANT.enter(nest, item.count * count, WSPEER_VARIANT.VALUES);
          return false;
        default: throw WSPEER_VARIANT.bad(WSPEER_VARIANT.strange(kind));
      }
    },
    writeString: function (item, sink, countsNul) {
      if (!WSPEER_VARIANT.isUtf8(HEAPU8, item.at, item.len)) throw WSPEER_VARIANT.bad('is not valid UTF-8');
      WSPEER_VARIANT.putWord(sink, item.len + (countsNul ? 1 : 0));
      WSPEER_VARIANT.putMemory(sink, item.at, item.len);
      if (countsNul) WSPEER_VARIANT.putByte(sink, 0);
      WSPEER_VARIANT.putZeros(sink, WSPEER_VARIANT.pad(item.len + (countsNul ? 1 : 0)));
    },
    // The element types of an Array, or of a Dictionary's keys and values.
    elementTypes: function (item, count) {
      var types = [item.lo & 0xff, count > 1 ? item.lo >>> 8 & 0xff : 0],
        rest = count > 1 ? item.lo >>> 16 : item.lo >>> 8;
      if (item.hi || rest ||
        types.some(
          function (kind) { return kind >= WSPEER_VARIANT.TYPES.length || kind === WSPEER_C.VARIANT_OBJECT; })) {
        throw WSPEER_VARIANT.bad('has ' + (item.hi * 4294967296 + item.lo) +
          ' as the type of its elements, which is none');
      }
      return types;
    }
  }
});
