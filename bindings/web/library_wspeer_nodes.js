// wspeer in the browser: the nodes that this program spawns and synchronizes, and what each peer has been told of them. A
// port of src/multiplayer/scene/replication/{values,own}.rs. See library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER_NODES: {
    // Maximum bytes of a packet that several nodes or synchronizers share, as in the engine.
    SHARED: 1350,
    // Bytes by which a packet may exceed the values in it.
    HEAD: 32,
    // Bytes in front of a packet that the host passes on.
    RELAY_HEAD: 6,

    // `nodes`: by number, `order`: their numbers, sorted; those of synchronizers by path have BY_PATH. `last`: the number
    // given last. `peers`: by id, `ids`: their ids, sorted. `due`: ids of those that have to be told something, sorted, from
    // `next` on. `time`: the time in packets; it moves on with each poll in which something was synchronized (`moves`).
    //
    // A node is { declaration, name, data, path, parts, isPublic }: `declaration` is null for a synchronizer by path. A part
    // is { number, synchronizer, values }, with the value of each property in compact form, undefined if it was never
    // given. See `peer` for the rest.
    own: function () {
      return { nodes: new Map(), order: [], last: 0, peers: new Map(), ids: [], due: [], next: 0, time: 0,
        moves: false };
    },
    // What a peer has been told. `nodes`: those that it has (true: it lacks values of properties with "change").
    // `changed`: the sorted numbers of those that may have to be shown, hidden or updated. `from`: the number from which
    // on all have to, too (Infinity: none). `shown`: nodes that are shown to it, beside those that are shown to all.
    peer: function (from) { return { nodes: new Map(), changed: [], from: from, shown: new Set() }; },

    // ---- Sorted lists ----

    // The place of the first number that is not below this one.
    place: function (list, number) {
      var low = 0, high = list.length, middle;
      while (low < high) {
        middle = low + high >> 1;
        if (list[middle] < number) low = middle + 1;
        else high = middle;
      }
      return low;
    },
    insert: function (list, number) {
      var at = WSPEER_NODES.place(list, number);
      if (list[at] !== number) list.splice(at, 0, number);
    },
    remove: function (list, number) {
      var at = WSPEER_NODES.place(list, number);
      if (list[at] === number) list.splice(at, 1);
    },

    // ---- Values as the program gives them ----

    // Reads the program's items: pairs of the name of a property and its value, behind the data of a custom spawn
    // (`hasData`).
    values: function (items, count, hasData) {
      var item = WSPEER_VARIANT.item(), values = { data: null, pairs: [] }, wrong = WSPEER_CALL.checkItems(items, count),
        at, name;
      function take() {
        var found = WSPEER_NODES.value(items, at, count);
        at = found.next;
        return found.bytes;
      }
      if (wrong) return wrong;
      try {
        for (at = 0; at < count; at++) WSPEER_CALL.load(items, at, item);
        at = 0;
        if (hasData) values.data = take();
        while (at < count) {
          WSPEER_CALL.load(items, at, item);
          name = item.kind === WSPEER_C.VARIANT_STRING ? WSPEER.decode(HEAPU8.slice(item.at, item.at + item.len)) : null;
          if (name === null) {
            throw WSPEER_VARIANT.bad('item ' + at + ' (' + WSPEER_VARIANT.name(item.kind) +
              ') is not the name of a property, a String');
          }
          at++;
          values.pairs.push({ name: name, value: take() });
        }
      } catch (fault) {
        return WSPEER_CALL.failed(fault, '');
      }
      return values;
    },
    // Encodes the value that begins with item `from`; `next` is the item behind it.
    value: function (items, from, count) {
      var item = WSPEER_VARIANT.item(), next = from, lacks = 1, sink = WSPEER_VARIANT.sink(null, 0, 0);
      function encode() {
        var at = from;
        try {
          WSPEER_VARIANT.write(function () { return at < next ? WSPEER_CALL.load(items, at++, item) : null; }, true, sink);
        } catch (fault) {
          if (fault.words) fault.words = 'the value at item ' + from + ': ' + fault.words;
          throw fault;
        }
      }
      for (; lacks > 0; next++) {
        if (next >= count) throw WSPEER_VARIANT.bad('the value at item ' + from + ' lacks ' + lacks + ' items');
        lacks += WSPEER_NODES.inside(WSPEER_CALL.load(items, next, item)) - 1;
      }
      encode();
      sink = WSPEER_VARIANT.sink(new Uint8Array(sink.len), 0, sink.len);
      encode();
      return { bytes: sink.out, next: next };
    },
    // Number of items that belong to one.
    inside: function (item) {
      switch (item.kind) {
        case WSPEER_C.VARIANT_ARRAY:
        case WSPEER_C.VARIANT_PACKED_STRING_ARRAY:
        case WSPEER_C.VARIANT_NODE_PATH: return item.count;
        case WSPEER_C.VARIANT_DICTIONARY: return 2 * item.count;
        default: return 0;
      }
    },

    // ---- The functions of the header ----

    spawn: function (h, spawnerAt, index, nameAt, items, count, nodeAt) {
      var wrong, path, name, values;
      if (WSPEER.isNull('node', nodeAt)) return WSPEER_C.ERR_NULL;
      WSPEER.setWord(nodeAt, 0);
      wrong = WSPEER_REPLICATION.checkScene(index);
      if (wrong) return wrong;
      path = WSPEER_CALL.text('spawner', spawnerAt);
      if (typeof path === 'number') return path;
      name = WSPEER_CALL.text('name', nameAt);
      if (typeof name === 'number') return name;
      values = WSPEER_NODES.values(items, count, index === WSPEER_C.CUSTOM_SCENE);
      if (typeof values === 'number') return values;
      return WSPEER_REPLICATION.act(h, function (peer, scene) {
        WSPEER.setWord(nodeAt, WSPEER_NODES.make(peer, scene, WSPEER_SCENE.relative(path), index, name, values));
      });
    },
    make: function (peer, scene, path, index, name, values) {
      var own = scene.own, spawner = scene.declared.spawners.get(path),
        declaration = spawner && spawner.scenes.get(index), number = own.last + 1, node;
      if (!declaration) {
        throw WSPEER_VARIANT.bad('scene ' + index + ' of ' + WSPEER_SCENE.shown(path) +
          ' is not declared: use ws_declare_scene');
      }
      if (spawner.authority) {
        throw WSPEER_VARIANT.bad('another peer is the authority of ' + WSPEER_SCENE.shown(path) +
          ': declare it with 0');
      }
      if (!WSPEER_REPLICATION.isName(name))
        throw WSPEER_VARIANT.bad(WSPEER_SCENE.shown(name) + ' cannot be the name of a node');
      WSPEER_NODES.checkRoom(own);
      node = { declaration: declaration, name: name, data: values.data, path: path, isPublic: true,
        parts: declaration.synchronizers.map(function (synchronizer, i) {
          return { number: number + 1 + i, synchronizer: synchronizer, values: [] };
        }) };
      WSPEER_NODES.store(node, values.pairs);
      node.parts.forEach(function (part) {
        WSPEER_NODES.checkGiven(part, WSPEER_REPLICATION.spawn(part.synchronizer), null);
      });
      WSPEER_NODES.checkSize(peer, node, []);
      own.last = number + node.parts.length;
      WSPEER_NODES.add(peer, scene, number, node);
      return number;
    },
    despawn: function (h, number) {
      return WSPEER_REPLICATION.act(h, function (peer, scene) {
        if (number >= WSPEER_REPLICATION.BY_PATH) {
          throw WSPEER_VARIANT.bad(
            'a synchronizer by path is forgotten with ws_declare_synchronizer, not despawned');
        }
        WSPEER_NODES.find(scene, number);
        scene.own.nodes.delete(number);
        WSPEER_NODES.remove(scene.own.order, number);
        scene.own.peers.forEach(function (told) { told.shown.delete(number); });
        WSPEER_NODES.tellAll(peer, scene, number);
      });
    },
    setVisible: function (h, number, id, visible) {
      return WSPEER_REPLICATION.act(h, function (peer, scene) {
        var node = WSPEER_NODES.find(scene, number), told;
        if (!id) {
          node.isPublic = visible;
          return WSPEER_NODES.tellAll(peer, scene, number);
        }
        told = scene.own.peers.get(id);
        if (!told) throw { words: 'no peer ' + id + ' is connected', code: WSPEER_C.ERR_TARGET };
        if (visible) told.shown.add(number);
        else told.shown.delete(number);
        WSPEER_NODES.insert(told.changed, number);
        WSPEER_NODES.tell(peer, scene, id, Infinity);
      });
    },
    sync: function (h, number, items, count) {
      var values = WSPEER_NODES.values(items, count, false);
      if (typeof values === 'number') return values;
      return WSPEER_REPLICATION.act(h, function (peer, scene) {
        WSPEER_NODES.send(peer, scene, number, WSPEER_NODES.find(scene, number), values.pairs);
      });
    },
    // Sends new values of a node.
    send: function (peer, scene, number, node, pairs) {
      var own = scene.own, sync = [], bytes = 0, seers = [], told, delta;
      WSPEER_NODES.checkSize(peer, node, pairs);
      // Nothing is sent unless all can be.
      node.parts.forEach(function (part) {
        var always = WSPEER_REPLICATION.always(part.synchronizer), given = new Set();
        pairs.forEach(function (pair) { given.add(part.synchronizer.places.get(pair.name)); });
        if (always.some(function (property) { return given.has(property); })) WSPEER_NODES.checkGiven(part, always, given);
      });
      told = WSPEER_NODES.store(node, pairs);
      node.parts.forEach(function (part, i) {
        var state = told[i].always ?
          WSPEER_NODES.state(part, WSPEER_REPLICATION.always(part.synchronizer)) : [];
        if (state.length) WSPEER_NODES.share(sync, [WSPEER_REPLICATION.SYNC].concat(WSPEER.littleEndian(own.time, 2)),
          [WSPEER_REPLICATION.words([part.number, state.length]), state]);
      });
      own.moves = own.moves || sync.length > 0;
      delta = WSPEER_NODES.delta(node, told.map(function (one) { return one.mask; }));
      sync.forEach(function (packet) { bytes += packet.length; });
      own.ids.forEach(function (id) {
        var seen = own.peers.get(id);
        if (!seen.nodes.has(number)) return;
        if (sync.length && WSPEER_NODES.hasRoom(peer, bytes)) seers.push(id);
        if (delta.length && !seen.nodes.get(number) && !WSPEER_NODES.putAll(peer, id, delta)) {
          seen.nodes.set(number, true);
          WSPEER_NODES.insert(seen.changed, number);
          WSPEER_NODES.insert(own.due, id);
        }
      });
      sync.forEach(function (packet) {
        seers.every(function (id) { return WSPEER_NODES.put(peer, id, packet); });
      });
    },
    // Adds a synchronizer by path, unless it is there; returns its number.
    addByPath: function (peer, scene, path) {
      var number = scene.nodes.get(path).id + WSPEER_REPLICATION.BY_PATH;
      if (scene.own.nodes.has(number)) return number;
      WSPEER_NODES.checkRoom(scene.own);
      WSPEER_NODES.add(peer, scene, number, { declaration: null, path: path, isPublic: true,
        parts: [{ number: number, synchronizer: scene.declared.lone.get(path).synchronizer, values: [] }] });
      return number;
    },
    forgetPath: function (own, path) {
      own.nodes.forEach(function (node, number) {
        if (node.declaration || node.path !== path) return;
        own.nodes.delete(number);
        WSPEER_NODES.remove(own.order, number);
        own.peers.forEach(function (told) {
          told.nodes.delete(number);
          told.shown.delete(number);
        });
      });
    },
    find: function (scene, number) {
      var node = scene.own.nodes.get(number);
      if (!node) throw WSPEER_VARIANT.bad(number + ' is no node of ws_spawn or ws_declare_synchronizer');
      return node;
    },
    checkRoom: function (own) {
      var most = WSPEER_REPLICATION.MAX_NODES;
      if (own.nodes.size >= most || own.last >= WSPEER_REPLICATION.BY_PATH - 65536)
        throw WSPEER_REPLICATION.limit('there are ' + most + ' nodes: despawn some');
    },
    // Throws if packets about a node would be too long once it has these values too. They go to all players, those to
    // come included.
    checkSize: function (peer, node, pairs) {
      var bytes = WSPEER_NODES.longest(node, pairs), limit = [
        { name: 'max_call_bytes', most: peer.options[WSPEER_C.OPT_MAX_CALL_BYTES] },
        { name: 'max_message_bytes', most: peer.options[WSPEER_C.OPT_MAX_MESSAGE_BYTES] },
        { name: 'max_put_bytes', most: peer.options[WSPEER_C.OPT_MAX_PUT_BYTES] }
      ].reduce(function (lowest, one) { return one.most < lowest.most ? one : lowest; });
      if (WSPEER.allows(limit.most, bytes + WSPEER_NODES.HEAD)) return;
      throw { code: WSPEER_C.ERR_TOO_BIG,
        words: 'the node needs packets of ' + bytes + ' bytes: ' + WSPEER.named(limit.name) + ' is ' + limit.most };
    },
    // Bytes of the longest packet about a node once it has these values too.
    longest: function (node, pairs) {
      var given = new Map(), spawn = 0, longest = 0;
      pairs.forEach(function (pair) { given.set(pair.name, pair.value.length); });
      function state(part, properties) {
        return properties.reduce(function (sum, property) {
          var size = given.get(part.synchronizer.names[property]);
          return sum + (size === undefined ? (part.values[property] || []).length : size);
        }, 0);
      }
      node.parts.forEach(function (part) {
        spawn += 4 + state(part, WSPEER_REPLICATION.spawn(part.synchronizer));
        longest = Math.max(longest, 11 + state(part, WSPEER_REPLICATION.always(part.synchronizer)),
          17 + state(part, WSPEER_REPLICATION.change(part.synchronizer)));
      });
      if (!node.declaration) return longest;
      spawn += 19 + WSPEER.encode(node.name).length + (node.data ? 4 + node.data.length : 0);
      return Math.max(longest, spawn);
    },
    // Throws if one of these properties has no value, and is not `given` either.
    checkGiven: function (part, properties, given) {
      properties.forEach(function (property) {
        if (part.values[property] || (given && given.has(property))) return;
        throw WSPEER_VARIANT.bad('the property ' + WSPEER_SCENE.shown(part.synchronizer.names[property]) +
          ' has no value yet: give it too');
      });
    },
    // Stores values. Returns of each part whether one with "always" was given, and a mask of those with "change" that have
    // changed.
    store: function (node, pairs) {
      var told = node.parts.map(function () { return { always: false, mask: [0, 0] }; });
      pairs.map(function (pair) {
        for (var i = 0; i < node.parts.length; i++)
          if (node.parts[i].synchronizer.places.has(pair.name)) return i;
        throw WSPEER_VARIANT.bad('the property ' + WSPEER_SCENE.shown(pair.name) + ' is not declared');
      }).forEach(function (of, i) {
        var part = node.parts[of], property = part.synchronizer.places.get(pairs[i].name), value = pairs[i].value,
          bit = WSPEER_REPLICATION.change(part.synchronizer).indexOf(property), before = part.values[property];
        if (WSPEER_REPLICATION.always(part.synchronizer).indexOf(property) >= 0) told[of].always = true;
        if (bit >= 0 && !(before && before.length === value.length &&
          before.every(function (byte, at) { return byte === value[at]; }))) told[of].mask[bit >> 5] |= 1 << (bit & 31);
        part.values[property] = value;
      });
      return told;
    },

    // ---- Packets ----

    // The values of these properties.
    state: function (part, properties) {
      return WSPEER.joined(properties.map(function (property) { return part.values[property] || []; }));
    },
    // Appends a state to the last packet, or to a new one with this head.
    share: function (packets, head, rows) {
      var last = packets.length - 1, state = WSPEER.joined(rows);
      if (last >= 0 && packets[last].length + state.length <= WSPEER_NODES.SHARED)
        packets[last] = WSPEER.joined([packets[last], state]);
      else packets.push(WSPEER.joined([head, state]));
    },
    // The packets with the values of properties with "change" in these masks, one for each part.
    delta: function (node, masks) {
      var packets = [];
      node.parts.forEach(function (part, i) {
        var mask = masks[i], state;
        if (!mask[0] && !mask[1]) return;
        state = WSPEER_NODES.state(part, WSPEER_REPLICATION.change(part.synchronizer).filter(function (property, bit) {
          return WSPEER_REPLICATION.hasBit(mask, bit);
        }));
        WSPEER_NODES.share(packets, [WSPEER_REPLICATION.DELTA],
          [WSPEER_REPLICATION.words([part.number, mask[0], mask[1], state.length]), state]);
      });
      return packets;
    },
    // The same of all properties with "change" that have a value.
    allDelta: function (node) {
      return WSPEER_NODES.delta(node, node.parts.map(function (part) {
        var mask = [0, 0];
        WSPEER_REPLICATION.change(part.synchronizer).forEach(function (property, bit) {
          if (part.values[property]) mask[bit >> 5] |= 1 << (bit & 31);
        });
        return mask;
      }));
    },
    spawnPacket: function (node, number, spawner) {
      var name = WSPEER.encode(node.name + '\0'), rows = [[WSPEER_REPLICATION.SPAWN, node.declaration.scene],
        WSPEER_REPLICATION.words([spawner, number, node.parts.length, name.length].concat(
          node.parts.map(function (part) { return part.number; }))), name];
      if (node.data) rows.push(WSPEER_REPLICATION.words([node.data.length]), node.data);
      node.parts.forEach(function (part) {
        rows.push(WSPEER_NODES.state(part, WSPEER_REPLICATION.spawn(part.synchronizer)));
      });
      return WSPEER.joined(rows);
    },
    hasRoom: function (peer, bytes) { return WSPEER_CONN.hasRoom(peer, bytes + WSPEER_NODES.RELAY_HEAD, 1); },
    // Sends a packet, unless the queue has no room for it. A connection that takes none, because it has ended, has room.
    put: function (peer, id, packet) {
      if (!WSPEER_CONN.mayPut(peer)) return true;
      return WSPEER_NODES.hasRoom(peer, packet.length) &&
        WSPEER_CONN.putNow(peer, WSPEER.joined([WSPEER_SCENE.headTo(id), packet])) === WSPEER_C.OK;
    },
    putAll: function (peer, id, packets) {
      return packets.every(function (packet) { return WSPEER_NODES.put(peer, id, packet); });
    },

    // ---- What peers have to be told ----

    // A peer may get packets from now on: it gets all nodes that it may see.
    meet: function (own, id) {
      if (!own.nodes.size) return;
      own.peers.set(id, WSPEER_NODES.peer(0));
      WSPEER_NODES.insert(own.ids, id);
      WSPEER_NODES.insert(own.due, id);
    },
    // A peer has gone, or (undefined) all have. The nodes stay, for those to come.
    leave: function (own, id) {
      if (id === undefined) {
        own.peers = new Map();
        own.ids = [];
        own.due = [];
        return;
      }
      own.peers.delete(id);
      WSPEER_NODES.remove(own.ids, id);
      WSPEER_NODES.remove(own.due, id);
    },
    // A peer has confirmed the number of a path.
    confirmed: function (own, id, number) {
      var told = own.peers.get(id);
      number += WSPEER_REPLICATION.BY_PATH;
      if (!told || !own.nodes.has(number)) return;
      WSPEER_NODES.insert(told.changed, number);
      WSPEER_NODES.insert(own.due, id);
    },
    add: function (peer, scene, number, node) {
      var own = scene.own;
      if (!own.nodes.size && scene.isIn) {
        // The first one: since when there was none, nobody was met.
        peer.join.others.forEach(function (id) {
          if (!own.peers.has(id)) own.peers.set(id, WSPEER_NODES.peer(Infinity));
          WSPEER_NODES.insert(own.ids, id);
        });
      }
      own.nodes.set(number, node);
      WSPEER_NODES.insert(own.order, number);
      WSPEER_NODES.tellAll(peer, scene, number);
    },
    tellAll: function (peer, scene, number) {
      scene.own.ids.slice().forEach(function (id) {
        WSPEER_NODES.insert(scene.own.peers.get(id).changed, number);
        WSPEER_NODES.tell(peer, scene, id, Infinity);
      });
    },
    // Called by each ws_poll(): tells peers what they have to be told, as far as the queue has room, at least one thing,
    // until the budget is exhausted.
    tellDue: function (peer, scene) {
      var own = scene.own, until = WSPEER.now() + peer.options[WSPEER_C.OPT_POLL_BUDGET_US] / 1000, count = own.due.length, id;
      if (own.moves) own.time = own.time + 1 & 0xffff;
      own.moves = false;
      while (count-- > 0 && own.due.length) {
        id = own.due[WSPEER_NODES.place(own.due, own.next) % own.due.length];
        own.next = id + 1;
        if (WSPEER_NODES.tell(peer, scene, id, until) || WSPEER.now() >= until) return;
      }
    },
    // Tells a peer what it has to be told. Returns whether `until` was reached before the end.
    tell: function (peer, scene, id, until) {
      var own = scene.own, told = own.peers.get(id), ofAll, number;
      for (;;) {
        ofAll = told.from === Infinity ? undefined : own.order[WSPEER_NODES.place(own.order, told.from)];
        if (ofAll === undefined) told.from = Infinity;
        if (ofAll === undefined && !told.changed.length) break;
        number = !told.changed.length || ofAll < told.changed[0] ? ofAll : told.changed[0];
        if (!WSPEER_NODES.tellOf(peer, scene, id, told, number)) {
          WSPEER_NODES.insert(own.due, id);
          return false;
        }
        WSPEER_NODES.remove(told.changed, number);
        if (ofAll === number) told.from = number + 1;
        if (WSPEER.now() >= until) return true;
      }
      WSPEER_NODES.remove(own.due, id);
      return false;
    },
    // Brings what a peer knows of a node up to date. Returns false if the queue has no room.
    tellOf: function (peer, scene, id, told, number) {
      var node = scene.own.nodes.get(number), has = told.nodes.has(number), lacks = told.nodes.get(number), route, known;
      if (!node || !(node.isPublic || told.shown.has(number))) {
        if (has && number < WSPEER_REPLICATION.BY_PATH &&
          !WSPEER_NODES.put(peer, id, WSPEER.joined([[WSPEER_REPLICATION.DESPAWN], WSPEER.littleEndian(number, 4)]))) {
          return false;
        }
        told.nodes.delete(number);
        return true;
      }
      if (!has) {
        route = scene.nodes.get(node.path);
        if (!route) return true;
        known = WSPEER_SCENE.known(scene, id);
        if (!known.reported.has(route.id)) {
          if (!WSPEER_NODES.put(peer, id, WSPEER_SCENE.announcement(route))) return false;
          known.reported.set(route.id, false);
        }
        if (node.declaration) {
          if (!WSPEER_NODES.put(peer, id, WSPEER_NODES.spawnPacket(node, number, route.id))) return false;
        } else if (!known.reported.get(route.id)) {
          // Its confirmation comes here again.
          return true;
        }
        told.nodes.set(number, true);
      }
      if ((!has || lacks) && !WSPEER_NODES.putAll(peer, id, WSPEER_NODES.allDelta(node))) return false;
      told.nodes.set(number, false);
      return true;
    }
  }
});
