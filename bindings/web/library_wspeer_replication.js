// wspeer in the browser: what Godot's MultiplayerSpawner and MultiplayerSynchronizer of other peers send. A port of
// src/multiplayer/scene/replication/{declared,received,report}.rs; library_wspeer_nodes.js has the nodes of this program.
// See library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER_REPLICATION: {
    // The first byte of packets.
    SPAWN: 4,
    DESPAWN: 5,
    SYNC: 6,
    DELTA: 0x16,
    // This bit of a synchronizer's number means that the others are that of its path.
    BY_PATH: 0x80000000,
    // Maximum number of declared scenes, and of synchronizers declared by path.
    MAX_DECLARED: 65536,
    // Maximum number of synchronizers of a scene. What a state counts among the items of a packet.
    MAX_SYNCHRONIZERS: 4096,
    STATE_ITEMS: 16,
    // Maximum number of properties of a synchronizer, and of those with the mode "change": its packets have a bit for
    // each.
    MAX_PROPERTIES: 4096,
    MAX_CHANGE: 64,
    // Maximum bytes of a node's name, and number of nodes that one peer has spawned.
    MAX_NAME: 4096,
    MAX_NODES: 65536,
    // The engine refuses packets of SYNC that have no more bytes.
    SHORTEST_SYNC: 10,
    // Bytes in front of the first node of a message.
    HEAD: 5,

    // `spawners`: by path, { authority, scenes }, where 0 is this program; `count`: number of their scenes. `lone`:
    // synchronizers that no spawn lists, by path. `reported`: by peer, the causes for which an ERROR about replication was
    // reported: one is enough, as packets come all the time.
    declared: function () { return { spawners: new Map(), lone: new Map(), count: 0, reported: new Map() }; },

    // ---- Declarations ----

    // Calls `body` with the connection and its scene, and turns what it throws into a result.
    act: function (h, body) {
      var peer = WSPEER.find(h), scene;
      if (!peer) return WSPEER_C.ERR_HANDLE;
      scene = WSPEER_SCENE.of(peer);
      if (typeof scene === 'number') return scene;
      try {
        return body(peer, scene) || WSPEER_C.OK;
      } catch (fault) {
        return WSPEER_CALL.failed(fault, '');
      }
    },
    limit: function (words) { return { words: words, code: WSPEER_C.ERR_LIMIT }; },
    checkRoom: function (count) {
      if (count >= WSPEER_REPLICATION.MAX_DECLARED)
        throw WSPEER_REPLICATION.limit(WSPEER_REPLICATION.MAX_DECLARED + ' are declared: forget some');
    },
    // 0 if a number can be that of a scene, else an error result.
    checkScene: function (scene) {
      return scene <= WSPEER_C.CUSTOM_SCENE ? 0 :
        WSPEER.fail(WSPEER_C.ERR_ARG, scene + ' is no scene: use an index from 0 on, or WS_CUSTOM_SCENE');
    },
    // Called before each declaration.
    checkAuthority: function (scene, authority) {
      if (scene.raw) {
        throw { code: WSPEER_C.ERR_KIND, words: WSPEER.named('WS_RAW_REPLICATION') +
          ' is set here: the program reads the packets of replication itself' };
      }
      if (authority < 0) throw WSPEER_VARIANT.bad(authority + ' is not the id of a peer');
      scene.declared.reported.clear();
    },
    // Reads "name mode mode, name": the names of the properties, their indices by name, and the indices of those that a
    // spawn brings, that are sent always and that are sent on change.
    synchronizer: function (list) {
      var modes = ['spawn', 'always', 'change'], of = { names: [], places: new Map(), lists: [[], [], []], text: '' };
      if (!list.trim()) return of;
      list.split(',').forEach(function (part, index) {
        var name = part.trim(), has = [false, false, false], found, mode;
        while ((found = /^([\s\S]*)\s(\S+)$/.exec(name)) && (mode = modes.indexOf(found[2])) >= 0) {
          has[mode] = true;
          name = found[1].trim();
        }
        if (!has[0] && !has[1] && !has[2]) has = [true, true, false];
        if (!name || of.places.has(name))
          throw WSPEER_VARIANT.bad('the property ' + WSPEER_SCENE.shown(name) + ' is empty or named twice');
        if (has[1] && has[2])
          throw WSPEER_VARIANT.bad(WSPEER_SCENE.shown(name) + ' is sent always and on change: choose one');
        if (index >= WSPEER_REPLICATION.MAX_PROPERTIES)
          throw WSPEER_VARIANT.bad('a synchronizer has at most ' + WSPEER_REPLICATION.MAX_PROPERTIES + ' properties');
        of.names.push(name);
        of.places.set(name, index);
        has.forEach(function (is, mode) { if (is) of.lists[mode].push(index); });
      });
      if (of.lists[2].length > WSPEER_REPLICATION.MAX_CHANGE) {
        throw WSPEER_VARIANT.bad('a synchronizer has at most ' + WSPEER_REPLICATION.MAX_CHANGE +
          ' properties with "change"');
      }
      of.text = JSON.stringify([of.names, of.lists]);
      return of;
    },
    spawn: function (synchronizer) { return synchronizer.lists[0]; },
    always: function (synchronizer) { return synchronizer.lists[1]; },
    change: function (synchronizer) { return synchronizer.lists[2]; },
    // Declares a node without methods, such as a spawner, unless one is declared there; 0, or an error result.
    declarePath: function (scene, path) { return scene.nodes.has(path) ? 0 : WSPEER_SCENE.add(scene, path, ''); },
    declareScene: function (h, spawnerAt, authority, index, listAt) {
      var wrong = WSPEER_REPLICATION.checkScene(index), path, list;
      if (wrong) return wrong;
      path = WSPEER_CALL.text('spawner', spawnerAt);
      if (typeof path === 'number') return path;
      list = listAt ? WSPEER_CALL.text('synchronizers', listAt) : null;
      if (typeof list === 'number') return list;
      path = WSPEER_SCENE.relative(path);
      return WSPEER_REPLICATION.act(h, function (peer, scene) {
        if (authority === peer.join.id) authority = 0;
        WSPEER_REPLICATION.checkAuthority(scene, authority);
        if (list === null) return WSPEER_REPLICATION.forget(scene.declared, path, index);
        return WSPEER_REPLICATION.declarePath(scene, path) ||
          WSPEER_REPLICATION.declare(scene.declared, path, authority, index, list);
      });
    },
    declare: function (declared, path, authority, index, list) {
      var synchronizers = list.trim() ? list.split(';').map(WSPEER_REPLICATION.synchronizer) : [],
        spawner = declared.spawners.get(path), before, text;
      if (synchronizers.length > WSPEER_REPLICATION.MAX_SYNCHRONIZERS)
        throw WSPEER_VARIANT.bad('a scene has at most ' + WSPEER_REPLICATION.MAX_SYNCHRONIZERS + ' synchronizers');
      text = synchronizers.map(function (one) { return one.text; }).join(';');
      if (spawner && spawner.authority !== authority)
        throw WSPEER_VARIANT.bad(WSPEER_SCENE.shown(path) + ' was declared with another authority');
      before = spawner && spawner.scenes.get(index);
      if (before) {
        if (before.text === text && before.synchronizers.length === synchronizers.length) return;
        throw WSPEER_VARIANT.bad('scene ' + index + ' of ' + WSPEER_SCENE.shown(path) +
          ' was declared with other properties: forget it first, with NULL');
      }
      WSPEER_REPLICATION.checkRoom(declared.count);
      declared.count++;
      if (!spawner) declared.spawners.set(path, spawner = { authority: authority, scenes: new Map() });
      spawner.scenes.set(index, { path: path, scene: index, synchronizers: synchronizers, text: text });
    },
    forget: function (declared, path, index) {
      var spawner = declared.spawners.get(path);
      if (!spawner || !spawner.scenes.delete(index))
        throw WSPEER_VARIANT.bad('scene ' + index + ' of ' + WSPEER_SCENE.shown(path) + ' is not declared');
      declared.count--;
      if (!spawner.scenes.size) declared.spawners.delete(path);
    },
    declareSynchronizer: function (h, pathAt, authority, listAt, nodeAt) {
      var path, list;
      if (nodeAt) WSPEER.setWord(nodeAt, 0);
      path = WSPEER_CALL.text('path', pathAt);
      if (typeof path === 'number') return path;
      list = listAt ? WSPEER_CALL.text('properties', listAt) : null;
      if (typeof list === 'number') return list;
      path = WSPEER_SCENE.relative(path);
      return WSPEER_REPLICATION.act(h, function (peer, scene) {
        var wrong, number;
        if (authority === peer.join.id) authority = 0;
        WSPEER_REPLICATION.checkAuthority(scene, authority);
        if (list === null) return WSPEER_REPLICATION.forgetLone(scene, path);
        wrong = WSPEER_REPLICATION.declarePath(scene, path);
        if (wrong) return wrong;
        WSPEER_REPLICATION.declareLone(scene.declared, path, authority, list);
        number = authority ? 0 : WSPEER_NODES.addByPath(peer, scene, path);
        if (nodeAt) WSPEER.setWord(nodeAt, number);
      });
    },
    // time: that of the authority's last packet; -1: none.
    declareLone: function (declared, path, authority, list) {
      var synchronizer = WSPEER_REPLICATION.synchronizer(list), before = declared.lone.get(path);
      if (before) {
        if (before.authority === authority && before.synchronizer.text === synchronizer.text) return;
        throw WSPEER_VARIANT.bad(WSPEER_SCENE.shown(path) + ' was declared otherwise: forget it first, with NULL');
      }
      WSPEER_REPLICATION.checkRoom(declared.lone.size);
      declared.lone.set(path, { path: path, authority: authority, synchronizer: synchronizer, time: -1 });
    },
    forgetLone: function (scene, path) {
      WSPEER_NODES.forgetPath(scene.own, path);
      if (!scene.declared.lone.delete(path))
        throw WSPEER_VARIANT.bad('the synchronizer ' + WSPEER_SCENE.shown(path) + ' is not declared');
    },

    // ---- The packets of other peers ----

    // A peer has gone, or (undefined) all have.
    leave: function (scene, id) {
      if (id === undefined) {
        scene.received = new Map();
        scene.declared.reported.clear();
      } else {
        scene.received.delete(id);
        scene.declared.reported.delete(id);
      }
      // Another peer of this id, such as a host that is started again, counts its packets from the beginning.
      scene.declared.lone.forEach(function (lone) { if (id === undefined || lone.authority === id) lone.time = -1; });
    },
    // Thrown for a packet that does not reach the program. What WSPEER_VARIANT.bad() makes breaks the format instead.
    lost: function (cause, words) { return { cause: cause, lost: words }; },
    take: function (peer, from, bytes) {
      var scene = peer.join.scene, declared = scene.declared, cursor = { bytes: bytes, at: 1 }, why;
      if (scene.raw) return WSPEER.pushMessage(peer, WSPEER_C.REPLICATION, bytes, from);
      try {
        if (!declared.spawners.size && !declared.lone.size) {
          throw WSPEER_REPLICATION.lost(WSPEER_C.CAUSE_UNSUPPORTED, 'peer ' + from +
            ' replicates nodes (MultiplayerSpawner, MultiplayerSynchronizer), and no scene is declared: ' +
            'use ws_declare_scene');
        }
        switch (bytes[0]) {
          case WSPEER_REPLICATION.SPAWN: WSPEER_REPLICATION.takeSpawn(peer, scene, from, cursor); break;
          case WSPEER_REPLICATION.DESPAWN: WSPEER_REPLICATION.takeDespawn(peer, scene, from, cursor); break;
          case WSPEER_REPLICATION.SYNC:
          case WSPEER_REPLICATION.DELTA: why = WSPEER_REPLICATION.takeStates(peer, scene, from, cursor); break;
          default: throw WSPEER_VARIANT.bad('a packet of replication has unknown flags');
        }
      } catch (fault) {
        if (!fault.lost) throw fault;
        why = fault;
      }
      if (why) WSPEER_REPLICATION.note(peer, from, why);
    },
    // Reports what is lost, unless the program has taken such an ERROR already.
    note: function (peer, from, why) {
      var reported = peer.join.scene.declared.reported, causes = reported.get(from);
      if (!causes) reported.set(from, causes = new Set());
      if (causes.has(why.cause) && !WSPEER_SCENE.noted(peer, from, why.cause)) return;
      causes.add(why.cause);
      WSPEER_SCENE.note(peer, from, why.cause, why.lost);
    },
    skip: function (cursor, count) {
      if (count > cursor.bytes.length - cursor.at)
        throw WSPEER_VARIANT.bad('a packet of replication is shorter than it says');
      cursor.at += count;
      return cursor.at - count;
    },
    number: function (cursor) { return WSPEER.number(cursor.bytes, WSPEER_REPLICATION.skip(cursor, 4)) >>> 0; },
    piece: function (cursor, count) {
      var at = WSPEER_REPLICATION.skip(cursor, count);
      return cursor.bytes.subarray(at, at + count);
    },
    // Whether the engine accepts it as the name of a node.
    isName: function (name) { return name !== '' && !/[.:\/"%\0]/.test(name); },
    // Reads the name of a node, which a NUL ends.
    name: function (bytes) {
      var end = bytes.length - 1, name = null;
      if (end >= 0 && end <= WSPEER_REPLICATION.MAX_NAME && !bytes[end]) name = WSPEER.decode(bytes.slice(0, end));
      if (name === null || !WSPEER_REPLICATION.isName(name)) throw WSPEER_VARIANT.bad('a spawn has an invalid name');
      return name;
    },
    whose: function (authority) { return authority ? 'peer ' + authority : 'this program'; },
    pathOf: function (scene, from, number) {
      var known = scene.peers.get(from);
      return known && known.paths.get(number);
    },
    // The end of the value at `at`. Its items are taken from those that are `left`.
    valueEnd: function (bytes, at, end, left) {
      var reader = WSPEER_VARIANT.reader(bytes, at, end - at, true), item = WSPEER_VARIANT.item();
      do {
        WSPEER_VARIANT.read(reader, item);
        if (!left.items) throw WSPEER_VARIANT.foreign('its values are more than ' + WSPEER.named('max_call_items'));
        left.items--;
      } while (!WSPEER_VARIANT.isOutside(reader));
      return reader.at;
    },
    takeSpawn: function (peer, scene, from, cursor) {
      var bytes = cursor.bytes, index = bytes[WSPEER_REPLICATION.skip(cursor, 1)],
        spawner = WSPEER_REPLICATION.number(cursor), node = WSPEER_REPLICATION.number(cursor),
        count = WSPEER_REPLICATION.number(cursor), len = WSPEER_REPLICATION.number(cursor),
        numbers = WSPEER_REPLICATION.piece(cursor, 4 * count),
        name = WSPEER_REPLICATION.name(WSPEER_REPLICATION.piece(cursor, len)),
        path = WSPEER_REPLICATION.pathOf(scene, from, spawner), of, declaration, report, left, data, remote, others;
      function lost(cause, why) {
        return WSPEER_REPLICATION.lost(cause, 'peer ' + from + ' spawned ' + WSPEER_SCENE.shown(name) + ': ' + why);
      }
      function other() {
        return lost(WSPEER_C.CAUSE_CHECKSUM, 'scene ' + index + ' of ' + WSPEER_SCENE.shown(path) +
          ' has other synchronizers or properties than were declared');
      }
      if (path === undefined)
        throw lost(WSPEER_C.CAUSE_NO_NODE, 'its spawner is not declared: use ws_declare_scene');
      of = scene.declared.spawners.get(path);
      if (!of) {
        throw lost(WSPEER_C.CAUSE_NO_NODE,
          'the spawner ' + WSPEER_SCENE.shown(path) + ' is not declared: use ws_declare_scene');
      }
      if (of.authority !== from) {
        throw lost(WSPEER_C.CAUSE_AUTHORITY,
          'the authority of ' + WSPEER_SCENE.shown(path) + ' is ' + WSPEER_REPLICATION.whose(of.authority));
      }
      declaration = of.scenes.get(index);
      if (!declaration) {
        throw lost(WSPEER_C.CAUSE_NO_NODE,
          'scene ' + index + ' of ' + WSPEER_SCENE.shown(path) + ' is not declared: use ws_declare_scene');
      }
      if (count !== declaration.synchronizers.length) throw other();
      report = WSPEER_REPLICATION.report(WSPEER_REPLICATION.SPAWN);
      WSPEER_REPLICATION.begin(report, node, path, name, index, index === WSPEER_C.CUSTOM_SCENE);
      left = { items: peer.options[WSPEER_C.OPT_MAX_CALL_ITEMS] };
      if (index === WSPEER_C.CUSTOM_SCENE) {
        data = WSPEER_REPLICATION.piece(cursor, WSPEER_REPLICATION.number(cursor));
        try {
          len = WSPEER_REPLICATION.valueEnd(data, 0, data.length, left);
        } catch (fault) {
          if (!fault.words) throw fault;
          throw lost(WSPEER_C.CAUSE_UNSUPPORTED, 'its data cannot be read: ' + fault.words);
        }
        if (len !== data.length) throw lost(WSPEER_C.CAUSE_UNSUPPORTED, 'its data is more than one value');
        WSPEER_REPLICATION.put(report, data);
      }
      declaration.synchronizers.forEach(function (synchronizer) {
        WSPEER_REPLICATION.takeState(report, synchronizer, WSPEER_REPLICATION.spawn(synchronizer), cursor, left, other,
          function (why) { return lost(WSPEER_C.CAUSE_UNSUPPORTED, why); });
      });
      if (cursor.at !== bytes.length) throw other();
      remote = scene.received.get(from);
      if (!remote) scene.received.set(from, remote = { nodes: new Map(), synchronizers: new Map() });
      if (remote.nodes.size >= WSPEER_REPLICATION.MAX_NODES)
        throw WSPEER_VARIANT.bad('it has spawned more than ' + WSPEER_REPLICATION.MAX_NODES + ' nodes');
      if (remote.nodes.has(node)) throw WSPEER_VARIANT.bad('it gives the number ' + node + ' to a second node');
      others = declaration.synchronizers.map(function (synchronizer, i) {
        return WSPEER.number(numbers, 4 * i) >>> 0;
      });
      if (others.some(function (number) {
        return number >= WSPEER_REPLICATION.BY_PATH || remote.synchronizers.has(number);
      })) throw WSPEER_VARIANT.bad('it gives a number to a second synchronizer');
      others.forEach(function (number, i) {
        remote.synchronizers.set(number, { node: node, path: path, scene: index,
          synchronizer: declaration.synchronizers[i], time: -1 });
      });
      remote.nodes.set(node, { declaration: declaration, synchronizers: others });
      WSPEER_REPLICATION.finish(peer, WSPEER_C.SPAWN, from, report);
    },
    takeDespawn: function (peer, scene, from, cursor) {
      var node = WSPEER_SCENE.word(cursor.bytes, 1) >>> 0, remote = scene.received.get(from),
        gone = remote && remote.nodes.get(node), report;
      if (!gone) {
        throw WSPEER_REPLICATION.lost(WSPEER_C.CAUSE_NO_NODE,
          'peer ' + from + ' despawned node ' + node + ', whose spawn was dropped or never came');
      }
      remote.nodes.delete(node);
      gone.synchronizers.forEach(function (number) { remote.synchronizers.delete(number); });
      report = WSPEER_REPLICATION.report(WSPEER_REPLICATION.DESPAWN);
      WSPEER_REPLICATION.begin(report, node, gone.declaration.path, '', gone.declaration.scene, false);
      WSPEER_REPLICATION.finish(peer, WSPEER_C.DESPAWN, from, report);
    },
    // The synchronizer that a peer means: { node, path, scene, synchronizer, place }, where `place` keeps the time of its
    // last packet. Throws what is lost if there is none.
    meant: function (scene, from, number) {
      var remote = scene.received.get(from), place, path;
      if (number < WSPEER_REPLICATION.BY_PATH) {
        place = remote && remote.synchronizers.get(number);
        if (place)
          return { node: place.node, path: place.path, scene: place.scene, synchronizer: place.synchronizer,
            place: place };
      } else {
        path = WSPEER_REPLICATION.pathOf(scene, from, number - WSPEER_REPLICATION.BY_PATH);
        place = path === undefined ? undefined : scene.declared.lone.get(path);
        if (place && place.authority !== from) {
          throw WSPEER_REPLICATION.lost(WSPEER_C.CAUSE_AUTHORITY, 'peer ' + from + ' synchronized ' +
            WSPEER_SCENE.shown(path) + ', whose authority is ' + WSPEER_REPLICATION.whose(place.authority));
        }
        if (place)
          return { node: number, path: path, scene: WSPEER_C.NO_SCENE, synchronizer: place.synchronizer, place: place };
      }
      throw WSPEER_REPLICATION.lost(WSPEER_C.CAUSE_NO_NODE, 'peer ' + from +
        ' synchronized what is not declared: use ws_declare_scene or ws_declare_synchronizer');
    },
    // Reads the states of synchronizers: all properties with "always" (SYNC), or those with "change" in a mask (DELTA).
    // Returns what of it is lost.
    takeStates: function (peer, scene, from, cursor) {
      var isDelta = cursor.bytes[0] === WSPEER_REPLICATION.DELTA, left = { items: peer.options[WSPEER_C.OPT_MAX_CALL_ITEMS] },
        report = WSPEER_REPLICATION.report(WSPEER_REPLICATION.SYNC), time = -1, at, lost;
      function unreadable(why) {
        return WSPEER_REPLICATION.lost(WSPEER_C.CAUSE_UNSUPPORTED, 'peer ' + from + ' synchronized a node: ' + why);
      }
      function next() {
        var number = WSPEER_REPLICATION.number(cursor), mask = [0, 0], of, list, state;
        function other() {
          return WSPEER_REPLICATION.lost(WSPEER_C.CAUSE_CHECKSUM, 'a synchronizer of ' + WSPEER_SCENE.shown(of.path) +
            ' has other properties at peer ' + from + ' than were declared');
        }
        if (isDelta) mask = [WSPEER_REPLICATION.number(cursor), WSPEER_REPLICATION.number(cursor)];
        state = { bytes: WSPEER_REPLICATION.piece(cursor, WSPEER_REPLICATION.number(cursor)), at: 0 };
        left.items -= WSPEER_REPLICATION.STATE_ITEMS;
        if (left.items < 0) {
          throw WSPEER_VARIANT.bad('a packet of replication has more states and values than ' +
            WSPEER.named('max_call_items'));
        }
        try {
          of = WSPEER_REPLICATION.meant(scene, from, number);
        } catch (fault) {
          if (!fault.lost) throw fault;
          lost = lost || fault;
          return;
        }
        if (!isDelta) {
          if (of.place.time > time && of.place.time - time < 32767) return;
          of.place.time = time;
        }
        list = isDelta ? WSPEER_REPLICATION.change(of.synchronizer).filter(function (property, bit) {
          return WSPEER_REPLICATION.hasBit(mask, bit);
        }) : WSPEER_REPLICATION.always(of.synchronizer);
        WSPEER_REPLICATION.begin(report, of.node, of.path, '', of.scene, false);
        WSPEER_REPLICATION.takeState(report, of.synchronizer, list, state, left, other, unreadable);
        if (state.at !== state.bytes.length ||
          (isDelta && !WSPEER_REPLICATION.isBelow(mask, WSPEER_REPLICATION.change(of.synchronizer).length))) {
          throw other();
        }
      }
      if (!isDelta) {
        at = WSPEER_REPLICATION.skip(cursor, 2);
        time = cursor.bytes[at] | cursor.bytes[at + 1] << 8;
      }
      while (cursor.at < cursor.bytes.length) next();
      if (report.rows.length) WSPEER_REPLICATION.finish(peer, WSPEER_C.SYNC, from, report);
      return lost;
    },
    // A mask of 64 bits is two words.
    hasBit: function (mask, bit) { return (mask[bit >> 5] >>> (bit & 31) & 1) === 1; },
    // Whether a mask has no bit from this one on.
    isBelow: function (mask, bit) {
      return bit >= 64 || (bit >= 32 ? !(mask[1] >>> (bit - 32)) : !mask[1] && !(mask[0] >>> bit));
    },
    // Reads the values of these properties. Throws what other() returns if there are others, and what unreadable()
    // returns if one cannot be read.
    takeState: function (report, synchronizer, properties, cursor, left, other, unreadable) {
      properties.forEach(function (property) {
        var end;
        // The name of a property is an item too.
        left.items = Math.max(0, left.items - 1);
        try {
          end = WSPEER_REPLICATION.valueEnd(cursor.bytes, cursor.at, cursor.bytes.length, left);
        } catch (fault) {
          if (!fault.words) throw fault;
          throw fault.unsupported ? unreadable(fault.words) : other();
        }
        WSPEER_REPLICATION.pair(report, synchronizer, property, cursor.bytes.subarray(cursor.at, end));
        cursor.at = end;
      });
    },

    // ---- What the program gets and decodes with ws_decode_replication: as in src/multiplayer/scene/replication/report.rs ----

    // The first byte is the command, then follows the place of the names. A node: its number, places of the path and of
    // its name, the scene, whether data follows, the number of pairs, and each pair as the place of the name and the
    // value. `rows`: these bytes. `names`: those of the names, each of which stands once. `places`: where a path and the
    // names of a synchronizer begin. `head`: the row of the last node, whose last word counts its pairs.
    report: function (command) {
      return { command: command, rows: [], names: [[0]], size: 1, places: new Map(), head: null, pairs: 0 };
    },
    words: function (words) {
      var bytes = new Uint8Array(4 * words.length), view = new DataView(bytes.buffer);
      words.forEach(function (word, i) { view.setUint32(4 * i, word, true); });
      return bytes;
    },
    put: function (report, bytes) { report.rows.push(bytes); },
    // Appends a text to the names; returns its place.
    putName: function (report, text) {
      var bytes = WSPEER.encode(text + '\0'), at = report.size;
      report.names.push(bytes);
      report.size += bytes.length;
      return at;
    },
    begin: function (report, node, path, name, index, hasData) {
      WSPEER_REPLICATION.end(report);
      if (!report.places.has(path)) report.places.set(path, WSPEER_REPLICATION.putName(report, path));
      report.head = WSPEER_REPLICATION.words([node, report.places.get(path),
        name ? WSPEER_REPLICATION.putName(report, name) : 0, index, hasData ? 1 : 0, 0]);
      report.pairs = 0;
      WSPEER_REPLICATION.put(report, report.head);
    },
    pair: function (report, synchronizer, property, value) {
      var places = report.places.get(synchronizer);
      if (!places) {
        places = synchronizer.names.map(function (name) { return WSPEER_REPLICATION.putName(report, name); });
        report.places.set(synchronizer, places);
      }
      WSPEER_REPLICATION.put(report, WSPEER_REPLICATION.words([places[property]]));
      WSPEER_REPLICATION.put(report, value);
      report.pairs++;
    },
    end: function (report) {
      if (report.head) new DataView(report.head.buffer).setUint32(20, report.pairs, true);
    },
    finish: function (peer, kind, from, report) {
      var size = WSPEER_REPLICATION.HEAD;
      WSPEER_REPLICATION.end(report);
      report.rows.forEach(function (row) { size += row.length; });
      WSPEER.pushMessage(peer, kind,
        WSPEER.joined([[report.command], WSPEER_REPLICATION.words([size])].concat(report.rows, report.names)), from);
    },
    // ws_decode_replication. The bytes may be any.
    decode: function (data, len, atAt, out, items, cap) {
      var layout = WSPEER_LAYOUT.replicated, wrong, entry;
      if (WSPEER.isNull('out', out) || WSPEER.isNull('at', atAt)) return WSPEER_C.ERR_NULL;
      wrong = WSPEER_CALL.checkItems(items, cap) || WSPEER_CALL.checkBytes('data', data, len);
      if (wrong) return wrong;
      try {
        entry = WSPEER_REPLICATION.entry(HEAPU8.subarray(data, data + len), WSPEER.wordOfSize(atAt),
          function (index, item) { if (index < cap) WSPEER_CALL.store(items, index, item, data); });
      } catch (fault) {
        return WSPEER_CALL.failed(fault, 'these bytes cannot be read: ');
      }
      if (!entry) return WSPEER_C.EMPTY;
      WSPEER.setSize(out + layout.path, data + entry.path);
      WSPEER.setSize(out + layout.name, data + entry.name);
      WSPEER.setWord(out + layout.node, entry.node);
      WSPEER.setWord(out + layout.scene, entry.scene);
      WSPEER.setWord(out + layout.items, entry.items);
      WSPEER.setWord(out + layout.data_items, entry.dataItems);
      WSPEER.setSize(atAt, entry.next);
      return entry.items > cap ? WSPEER_C.TRUNCATED : WSPEER_C.OK;
    },
    // Reads the node at `at`, 0 for the first, and passes its items to `take`. Returns it with the places of its texts
    // and of the next one; null: there is no other.
    entry: function (bytes, at, take) {
      var len = bytes.length, item = WSPEER_VARIANT.item(), index = 0, names, entry, hasData, count;
      function strange() {
        return WSPEER_VARIANT.bad('it is no packet of type WS_SPAWN, WS_DESPAWN or WS_SYNC');
      }
      function word() {
        if (at > len - 4) throw strange();
        at += 4;
        return WSPEER.number(bytes, at - 4) >>> 0;
      }
      // The place in `bytes` of a text among the names. The last byte of all is a NUL.
      function text(place) {
        var from = names + place;
        if (from >= len || !WSPEER_VARIANT.isUtf8(bytes, from, bytes.indexOf(0, from) - from)) throw strange();
        return from;
      }
      function value() {
        var reader;
        if (at > names) throw strange();
        reader = WSPEER_VARIANT.reader(bytes, at, names - at, true);
        do {
          WSPEER_VARIANT.read(reader, item);
          take(index++, item);
        } while (!WSPEER_VARIANT.isOutside(reader));
        at = reader.at;
      }
      if (!len || bytes[len - 1] ||
        (bytes[0] !== WSPEER_REPLICATION.SPAWN && bytes[0] !== WSPEER_REPLICATION.DESPAWN &&
          bytes[0] !== WSPEER_REPLICATION.SYNC) || len < WSPEER_REPLICATION.HEAD) {
        throw strange();
      }
      names = WSPEER.number(bytes, 1) >>> 0;
      if (names >= len) throw strange();
      at = at || WSPEER_REPLICATION.HEAD;
      if (at === names) return null;
      if (at < WSPEER_REPLICATION.HEAD || at > names) throw strange();
      entry = { node: word(), path: text(word()), name: text(word()), scene: Math.min(word(), WSPEER_C.NO_SCENE),
        items: 0, dataItems: 0, next: 0 };
      hasData = word() !== 0;
      count = word();
      if (hasData) value();
      entry.dataItems = index;
      for (; count > 0; count--) {
        WSPEER_VARIANT.clear(item, WSPEER_C.VARIANT_STRING);
        item.at = text(word());
        item.len = bytes.indexOf(0, item.at) - item.at;
        take(index++, item);
        value();
      }
      if (at > names) throw strange();
      entry.items = index;
      entry.next = at;
      return entry;
    },

    // ---- WS_REPLICATION ----

    // What is wrong with a packet of replication that the program made, or ''.
    refuse: function (bytes) {
      var command = bytes.length ? bytes[0] & 7 : 0;
      if (command < 4 || command > 6) return 'it begins with none of the commands 4, 5 and 6';
      return command === WSPEER_REPLICATION.SYNC && bytes.length <= WSPEER_REPLICATION.SHORTEST_SYNC ?
        'the engine refuses a packet of command 6 with at most ' + WSPEER_REPLICATION.SHORTEST_SYNC + ' bytes' : '';
    }
  }
});
