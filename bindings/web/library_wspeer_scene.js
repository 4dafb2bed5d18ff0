// wspeer in the browser: the protocol of Godot 4's SceneMultiplayer on top of a join, with WS_SCENE: authentication,
// peers relayed by the host, nodes and calls. A port of src/multiplayer/{scene_join,scene_packets}.rs and
// scene/{packet,cache}.rs. library_wspeer_replication.js has spawners and synchronizers. docs/godot-scene.md describes the
// bytes. See library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER_SCENE: {
    MAX_NODES: 65536,
    MAX_PATH: 4096,
    // How many numbers of one peer for one node are kept: the engine assigns a new one when a node leaves the tree and
    // returns.
    NUMBERS: 4,
    MAX_AUTH_UNREAD: 64,
    MAX_AUTH_BYTES: 65536,
    FIRST_OWN: 32768,
    SYS: 7,

    // `nodes`: our nodes by path. `paths`: their paths by our number. `peers`: for each peer its numbers (`paths`,
    // `given`), the nodes whose methods differ there (`others`), and the numbers that we sent it (`reported`; true:
    // confirmed). `held`: messages that have not been processed; the first `waiting` of them are no authentication
    // messages. `raw`: the program reads the packets of replication itself. `declared`, `received` and `own`: what
    // library_wspeer_replication.js knows of scenes and of the nodes of each peer, and library_wspeer_nodes.js of our own.
    scene: function (flags) {
      return {
        auth: (flags & WSPEER_C.AUTH) !== 0, relay: !(flags & WSPEER_C.NO_RELAY), isIn: false, local: false,
        remote: false, waiting: 0,
        held: [], heldBytes: 0, nodes: new Map(), paths: new Map(), lastId: 0, peers: new Map(),
        raw: (flags & WSPEER_C.RAW_REPLICATION) !== 0, declared: WSPEER_REPLICATION.declared(), received: new Map(),
        own: WSPEER_NODES.own()
      };
    },
    // Forgets what it knows of peers, and the messages that it holds.
    leave: function (peer) {
      var scene = peer.join.scene;
      if (WSPEER_SCENE.notAdmitted(peer)) {
        peer.messagesIn -= scene.held.length;
        peer.bytesIn -= scene.heldBytes;
        peer.dropped += scene.held.length;
      } else {
        peer.admittedBefore = { messages: peer.messagesIn, bytes: peer.bytesIn };
      }
      scene.isIn = scene.local = scene.remote = false;
      scene.waiting = scene.heldBytes = 0;
      scene.held = [];
      scene.peers = new Map();
      WSPEER_REPLICATION.leave(scene);
      WSPEER_NODES.leave(scene.own);
    },
    // Whether no held message can be processed: before admission, the first `waiting` are skipped.
    keepsWaiting: function (scene) { return scene.held.length <= (scene.local || scene.isIn ? 0 : scene.waiting); },

    // ---- Nodes and numbers ----

    relative: function (path) { return path.indexOf('/root/') === 0 ? path.slice(6) : path; },
    known: function (scene, peerId) {
      if (!scene.peers.has(peerId))
        scene.peers.set(peerId, { paths: new Map(), given: new Map(), others: new Set(), reported: new Map() });
      return scene.peers.get(peerId);
    },
    // A text that a peer may have chosen, for an error text: at most 256 bytes, cut at a code point.
    shown: function (text) {
      var bytes = WSPEER.encode(text), end = 253;
      if (bytes.length <= 256) return text;
      while ((bytes[end] & 0xC0) === 0x80) end--;
      return WSPEER.decode(bytes.slice(0, end)) + '\u2026';
    },
    undeclared: function (path) {
      return WSPEER.fail(WSPEER_C.ERR_ARG,
        'the node ' + WSPEER_SCENE.shown(path) + ' is not declared: use ws_declare_node first');
    },
    // The error text for a node whose methods differ between the two programs.
    otherMethods: function (peerId, path) {
      return WSPEER_SCENE.shown(path) + ' has other methods at peer ' + peerId +
        ' than were declared here: name all that its script has as RPCs, and no other';
    },
    byCodePoint: function (a, b) {
      var left = WSPEER.encode(a), right = WSPEER.encode(b), i = 0;
      while (i < left.length && i < right.length && left[i] === right[i]) i++;
      return (i < left.length ? left[i] : -1) - (i < right.length ? right[i] : -1);
    },
    // Parses a list of methods: their numbers, names and checksum, or an error text.
    methods: function (text) {
      var semicolon = text.indexOf(';'), script = semicolon < 0 ? text : text.slice(0, semicolon),
        own = semicolon < 0 ? '' : text.slice(semicolon + 1);
      var numbers = new Map(), names = new Map(), all = '', wrong = '';
      // Like the engine, number those of rpc_config() first.
      [[own, WSPEER_SCENE.FIRST_OWN], [script, 0]].forEach(function (part) {
        var list = part[0].split(',').map(function (name) {
          return name.trim();
        }).filter(function (name) { return name; }).sort(WSPEER_SCENE.byCodePoint);
        if (list.length > WSPEER_SCENE.FIRST_OWN)
          wrong = wrong || 'a node has at most ' + WSPEER_SCENE.FIRST_OWN + ' methods';
        list.forEach(function (name, i) {
          if (numbers.has(name)) wrong = wrong || 'the method ' + WSPEER_SCENE.shown(name) + ' is named twice';
          numbers.set(name, part[1] + i);
          names.set(part[1] + i, name);
          all += name;
        });
      });
      return wrong || { numbers: numbers, names: names, checksum: WSPEER_SCENE.md5(WSPEER.encode(all)) };
    },
    declare: function (h, pathAt, methodsAt) {
      var path = WSPEER_CALL.text('path', pathAt), text = methodsAt ? WSPEER_CALL.text('methods', methodsAt) : null,
        peer, scene;
      if (typeof path === 'number') return path;
      if (typeof text === 'number') return text;
      peer = WSPEER.find(h);
      if (!peer) return WSPEER_C.ERR_HANDLE;
      scene = WSPEER_SCENE.of(peer);
      if (typeof scene === 'number') return scene;
      path = WSPEER_SCENE.relative(path);
      return text === null ? WSPEER_SCENE.forget(scene, path) : WSPEER_SCENE.add(scene, path, text);
    },
    // Declares a node with these methods.
    add: function (scene, path, text) {
      var methods, node, same;
      if (!path || WSPEER.encode(path).length > WSPEER_SCENE.MAX_PATH)
        return WSPEER.fail(WSPEER_C.ERR_ARG, 'the path of a node must have 1 to ' + WSPEER_SCENE.MAX_PATH + ' bytes');
      methods = WSPEER_SCENE.methods(text);
      if (typeof methods === 'string') return WSPEER.fail(WSPEER_C.ERR_ARG, methods);
      node = scene.nodes.get(path);
      if (node) {
        same = node.methods.checksum === methods.checksum && node.methods.numbers.size === methods.numbers.size;
        methods.numbers.forEach(function (number, name) { same = same && node.methods.numbers.get(name) === number; });
        return same ? WSPEER_C.OK :
          WSPEER.fail(WSPEER_C.ERR_ARG,
            WSPEER_SCENE.shown(path) + ' is declared with other methods: forget it first, with NULL');
      }
      if (scene.nodes.size >= WSPEER_SCENE.MAX_NODES)
        return WSPEER.fail(WSPEER_C.ERR_LIMIT, WSPEER_SCENE.MAX_NODES + ' nodes are declared: forget some');
      node = { path: path, id: ++scene.lastId, methods: methods };
      scene.nodes.set(path, node);
      scene.paths.set(node.id, path);
      return WSPEER_C.OK;
    },
    forget: function (scene, path) {
      var node = scene.nodes.get(path);
      if (!node) return WSPEER_SCENE.undeclared(path);
      scene.nodes.delete(path);
      scene.paths.delete(node.id);
      scene.peers.forEach(function (known) {
        (known.given.get(path) || []).forEach(function (number) { known.paths.delete(number); });
        known.given.delete(path);
        known.others.delete(path);
        known.reported.delete(node.id);
      });
      return WSPEER_C.OK;
    },
    // The scene of a connection, or an error result (a negative number).
    of: function (peer) {
      if (!peer.join)
        return WSPEER.fail(WSPEER_C.ERR_KIND,
          'remote calls, authentication and nodes are for ws_host and ws_join with ' + WSPEER.named('WS_SCENE'));
      return peer.join.scene ||
        WSPEER.fail(WSPEER_C.ERR_KIND,
          'remote calls, authentication and replication need ' + WSPEER.named('WS_SCENE') + ' in the flags of the config');
    },

    // ---- Receiving ----

    // Takes a message that follows the id; returns '' or how the host broke the format.
    came: function (peer, text, bytes) {
      var scene = peer.join.scene;
      scene.held.push({ text: text, bytes: bytes });
      scene.heldBytes += bytes.length;
      return WSPEER_SCENE.lookOn(peer);
    },
    // The scene of a join whose host is not admitted, else null. Until then the program gets only authentication events
    // and the end of the connection, and statistics count no messages.
    notAdmitted: function (peer) {
      var scene = peer.join && peer.join.scene;
      return scene && scene.auth && !scene.isIn ? scene : null;
    },
    lookOn: function (peer) {
      var scene = peer.join.scene, why = '';
      while (!why && !WSPEER_SCENE.keepsWaiting(scene)) why = WSPEER_SCENE.lookAtHeld(peer, scene);
      return why;
    },
    lookAtHeld: function (peer, scene) {
      var at = scene.local || scene.isIn ? 0 : scene.waiting, message = scene.held[at], done = true;
      try {
        if (!scene.isIn && !scene.local) done = WSPEER_SCENE.takeAuth(peer, scene, message);
        else {
          // Anything but authentication means that the host has completed it.
          if (!scene.isIn) WSPEER_SCENE.beAdmitted(peer);
          if (message.text) throw WSPEER_VARIANT.bad('a message is text, and the scene has none');
          WSPEER_SCENE.take(peer, message.bytes);
        }
      } catch (fault) {
        if (!fault.words) throw fault;
        return fault.words;
      }
      if (!done) scene.waiting++;
      else scene.heldBytes -= scene.held.splice(at, 1)[0].bytes.length;
      return '';
    },
    enter: function (peer) {
      var time = peer.options[WSPEER_C.OPT_AUTH_TIMEOUT_MS];
      if (!peer.join.scene.auth) return WSPEER_SCENE.beAdmitted(peer);
      peer.deadline = time === WSPEER.OFF ? Infinity : WSPEER.now() + time;
      WSPEER.pushMark(peer, WSPEER_C.EVENT_AUTHENTICATING, { peerId: 1 });
    },
    beAdmitted: function (peer) {
      peer.join.scene.isIn = true;
      WSPEER_SCENE.known(peer.join.scene, 1);
      WSPEER_JOIN.isOpen(peer);
      WSPEER_JOIN.greet(peer, 1);
      WSPEER_NODES.meet(peer.join.scene.own, 1);
    },
    // Takes an authentication message; returns false for any other message.
    takeAuth: function (peer, scene, message) {
      var bytes = message.bytes;
      if (message.text || (bytes[0] & 7) !== WSPEER_SCENE.SYS || bytes.length < 2 || bytes[1]) return false;
      if (bytes.length === 2) {
        scene.remote = true;
        return true;
      }
      if (bytes.length - 2 > WSPEER_SCENE.MAX_AUTH_BYTES || WSPEER_SCENE.unreadAuth(peer) >= WSPEER_SCENE.MAX_AUTH_UNREAD) {
        throw WSPEER_VARIANT.bad('it sent more authentication data than ' + WSPEER_SCENE.MAX_AUTH_UNREAD +
          ' messages of ' + WSPEER_SCENE.MAX_AUTH_BYTES + ' bytes before it was answered');
      }
      WSPEER.pushMark(peer, WSPEER_C.EVENT_AUTH, { peerId: 1, data: WSPEER.joined([bytes.subarray(2), [0]]) });
      return true;
    },
    // Number of authentication events that wait to be read.
    unreadAuth: function (peer) {
      return peer.marks.items.filter(function (mark) { return mark && mark.type === WSPEER_C.EVENT_AUTH; }).length;
    },
    take: function (peer, bytes) {
      var scene = peer.join.scene, from;
      if ((bytes[0] & 7) !== WSPEER_SCENE.SYS || bytes.length < 2 || !bytes[1] || bytes[1] > 3)
        return WSPEER_SCENE.takePacket(peer, 1, bytes);
      from = WSPEER_SCENE.readAbout(bytes);
      if (!scene.relay)
        return WSPEER_SCENE.note(peer, 1, WSPEER_C.CAUSE_UNSUPPORTED,
          'the host passes on what others send, and ' + WSPEER.named('WS_NO_RELAY') + ' is set here');
      if (bytes[1] === 1) {
        WSPEER_SCENE.meet(peer, from);
      } else if (bytes[1] === 2) {
        WSPEER_JOIN.left(peer, from);
        scene.peers.delete(from);
        WSPEER_REPLICATION.leave(scene, from);
        WSPEER_NODES.leave(scene.own, from);
      } else {
        if (from === 1 || !peer.join.others.has(from))
          throw WSPEER_VARIANT.bad('it passed on what ' + from + ' sent, who is not there');
        // The host relays without checking, so an error in a relayed packet is the sender's.
        try {
          WSPEER_SCENE.takePacket(peer, from, bytes.subarray(6));
        } catch (fault) {
          if (!fault.words) throw fault;
          WSPEER_SCENE.note(peer, from, WSPEER_C.CAUSE_MULTIPLAYER,
            'peer ' + from + ' broke the format of the scene: ' + fault.words);
        }
      }
    },
    meet: function (peer, id) {
      var isKnown = id === peer.join.id || peer.join.others.has(id), wrong = WSPEER_JOIN.arrived(peer, id);
      if (wrong) throw WSPEER_VARIANT.bad(wrong);
      if (!isKnown) WSPEER_NODES.meet(peer.join.scene.own, id);
    },
    word: function (bytes, at) {
      if (bytes.length < at + 4) throw WSPEER_VARIANT.bad('a packet is cut off in a number');
      return WSPEER.number(bytes, at);
    },
    // Reads and checks the peer id of a packet that announces a peer or is relayed.
    readAbout: function (bytes) {
      var id = WSPEER_SCENE.word(bytes, 2);
      if (bytes[1] < 3 && id < 2) throw WSPEER_VARIANT.bad(id + ' is not a client\'s id: clients have 2 and above');
      if (bytes[1] === 3 && bytes.length === 6) throw WSPEER_VARIANT.bad('what is to be passed on is empty');
      if (bytes[1] === 3 && (bytes[6] & 7) === WSPEER_SCENE.SYS)
        throw WSPEER_VARIANT.bad('what is to be passed on is of the system itself');
      return id;
    },
    takePacket: function (peer, from, bytes) {
      if (!bytes.length) throw WSPEER_VARIANT.bad('a packet is empty');
      switch (bytes[0] & 7) {
        case 0:
          WSPEER_SCENE.checkSize(peer, 'call', bytes);
          return WSPEER_SCENE.takeCall(peer, from, WSPEER_CALL.readPacket(bytes));
        case 1: return WSPEER_SCENE.takePath(peer, from, bytes);
        case 2: return WSPEER_SCENE.takeConfirmed(peer, from, bytes);
        case 3:
          if (bytes.length === 1) throw WSPEER_VARIANT.bad('a packet of raw bytes is empty');
          return WSPEER.pushMessage(peer, WSPEER_C.BINARY, bytes.subarray(1), from);
        case WSPEER_SCENE.SYS: return WSPEER_SCENE.takeLateAuth(peer, from, bytes);
        default:
          WSPEER_SCENE.checkSize(peer, 'packet of replication', bytes);
          WSPEER_REPLICATION.take(peer, from, bytes);
      }
    },
    checkSize: function (peer, what, bytes) {
      var most = peer.options[WSPEER_C.OPT_MAX_CALL_BYTES];
      if (WSPEER.allows(most, bytes.length)) return;
      throw WSPEER_VARIANT.bad('its ' + what + ' has ' + bytes.length + ' bytes: ' + WSPEER.named('max_call_bytes') +
        ' is ' + most);
    },
    takeLateAuth: function (peer, from, bytes) {
      if (bytes.length < 2) throw WSPEER_VARIANT.bad('a packet of the system is cut off');
      if (bytes[1]) {
        WSPEER_SCENE.word(bytes, 2);
        throw WSPEER_VARIANT.bad(bytes[1] + ' is no packet of the system');
      }
      // A second "authentication complete" is harmless.
      if (bytes.length === 2) return;
      WSPEER_SCENE.note(peer, from, WSPEER_C.CAUSE_UNSUPPORTED,
        peer.join.scene.auth ? 'peer ' + from + ' sent authentication data after the end of it' :
        'peer ' + from + ' wants an authentication, and ' + WSPEER.named('WS_AUTH') + ' is not set here');
    },
    takePath: function (peer, from, bytes) {
      var scene = peer.join.scene, id, path, node, known, before, same;
      if (bytes.length < 33) throw WSPEER_VARIANT.bad('a path to be simplified is cut off');
      if (bytes.length < 34 || bytes[33]) throw WSPEER_VARIANT.bad('the checksum of a path has no end');
      id = WSPEER_SCENE.word(bytes, 34) >>> 0;
      path = WSPEER_CALL.readPath(bytes.subarray(38));
      node = scene.nodes.get(path);
      known = scene.peers.get(from);
      before = known && known.paths.get(id);
      if (before !== undefined && before !== path)
        throw WSPEER_VARIANT.bad('it gives the number ' + id + ' to a second path');
      // A node that is not declared is never confirmed, so that the peer always sends its path.
      if (!node) return;
      known = WSPEER_SCENE.known(scene, from);
      if (before === undefined) {
        known.paths.set(id, path);
        if (!known.given.has(path)) known.given.set(path, []);
        if (known.given.get(path).push(id) > WSPEER_SCENE.NUMBERS) known.paths.delete(known.given.get(path).shift());
      }
      same = WSPEER.joined([bytes.subarray(1, 33)]).every(function (byte, i) {
        return byte === node.methods.checksum.charCodeAt(i);
      });
      if (same) known.others.delete(path);
      else known.others.add(path);
      if (!same) WSPEER_SCENE.note(peer, from, WSPEER_C.CAUSE_CHECKSUM, WSPEER_SCENE.otherMethods(from, path));
      // If this confirmation cannot be sent, the peer goes on sending the path, which works too.
      WSPEER_CONN.putNow(peer,
        WSPEER.joined([WSPEER_SCENE.headTo(from), [2, same ? 1 : 0], WSPEER.littleEndian(id, 4)]));
    },
    takeConfirmed: function (peer, from, bytes) {
      var scene = peer.join.scene, id, path, known;
      if (bytes.length !== 6) throw WSPEER_VARIANT.bad('a confirmed path has ' + bytes.length + ' bytes and not 6');
      id = WSPEER_SCENE.word(bytes, 2) >>> 0;
      WSPEER_NODES.confirmed(scene.own, from, id);
      path = scene.paths.get(id);
      // We may have dropped the node since then.
      if (path === undefined) return;
      known = scene.peers.get(from);
      if (!known || !known.reported.has(id))
        throw WSPEER_VARIANT.bad('it confirms the number ' + id + ', which it was not told');
      known.reported.set(id, true);
      if (!bytes[1]) WSPEER_SCENE.note(peer, from, WSPEER_C.CAUSE_CHECKSUM, WSPEER_SCENE.otherMethods(from, path));
    },
    takeCall: function (peer, from, rpc) {
      var scene = peer.join.scene, known = scene.peers.get(from),
        path = rpc.path === null ? known && known.paths.get(rpc.node) : rpc.path, node, method, call;
      function lost(cause, why) { WSPEER_SCENE.note(peer, from, cause, why); }
      if (path === undefined)
        return lost(WSPEER_C.CAUSE_NO_NODE,
          'peer ' + from + ' called a node by the number ' + rpc.node + ', which it gave to none that is declared');
      node = scene.nodes.get(path);
      if (!node)
        return lost(WSPEER_C.CAUSE_NO_NODE, 'peer ' + from + ' called the node ' + WSPEER_SCENE.shown(path) +
          ', which is not declared: use ws_declare_node');
      if (known && known.others.has(path)) return lost(WSPEER_C.CAUSE_CHECKSUM, WSPEER_SCENE.otherMethods(from, path));
      method = node.methods.names.get(rpc.method);
      if (method === undefined) {
        return lost(WSPEER_C.CAUSE_NO_NODE, 'peer ' + from + ' called method ' + rpc.method + ' of ' +
          WSPEER_SCENE.shown(path) + ', which has ' + node.methods.names.size + ' methods');
      }
      try {
        call = WSPEER_CALL.expand(rpc, path, method, peer.options[WSPEER_C.OPT_MAX_CALL_ITEMS]);
      } catch (fault) {
        if (!fault.words) throw fault;
        method = WSPEER_SCENE.shown(method) + ' on ' + WSPEER_SCENE.shown(path);
        if (!fault.unsupported) throw WSPEER_VARIANT.bad('its call of ' + method + ' cannot be read: ' + fault.words);
        return lost(WSPEER_C.CAUSE_UNSUPPORTED,
          'peer ' + from + ' called ' + method + ' with an argument that cannot be read: ' + fault.words);
      }
      WSPEER.pushMessage(peer, WSPEER_C.CALL, call, from);
    },
    // The ERROR about packets of this sender that has not been taken, or undefined.
    noted: function (peer, from, cause) {
      return peer.marks.items.slice(peer.marks.first).filter(function (mark) {
        return mark.type === WSPEER_C.EVENT_ERROR && mark.cause === cause && mark.peerId === from;
      })[0];
    },
    // Reports a packet that the program does not get: one ERROR event per sender and cause, with a count, until it is
    // taken.
    note: function (peer, from, cause, why) {
      var mark = WSPEER_SCENE.noted(peer, from, cause);
      if (mark) {
        mark.count++;
        return;
      }
      peer.join.ends++;
      WSPEER.pushMark(peer, WSPEER_C.EVENT_ERROR, {
        peerId: from, phase: cause === WSPEER_C.CAUSE_MULTIPLAYER ? WSPEER_C.PHASE_WEBSOCKET : WSPEER_C.PHASE_APP,
        cause: cause, count: 1, words: why
      });
    },

    // ---- Sending ----

    // The head of a packet that the host relays to one peer or several; empty for the host itself.
    headTo: function (to) { return to === 1 ? [] : [WSPEER_SCENE.SYS, 3].concat(WSPEER.littleEndian(to, 4)); },
    // The packet that assigns our number to a node.
    announcement: function (node) {
      return WSPEER.joined([[1], WSPEER.encode(node.methods.checksum), [0], WSPEER.littleEndian(node.id, 4),
        WSPEER.encode(node.path), [0]]);
    },
    // Sends raw bytes, like Godot's send_bytes, to a target that has been checked.
    putRaw: function (peer, target, text, data, key) {
      if (text)
        return WSPEER.fail(WSPEER_C.ERR_ARG,
          'a scene has no text messages: send it as WS_BINARY, or as an argument of a call');
      if (!data.length) return WSPEER.fail(WSPEER_C.ERR_ARG, 'a scene has no empty packets: Godot refuses them');
      return WSPEER_SCENE.putFramed(peer, target, [3], data, key);
    },
    // Sends a packet of replication that the program made; undefined: to everyone.
    putReplication: function (peer, target, data) {
      var scene = WSPEER_SCENE.of(peer), wrong;
      if (typeof scene === 'number') return scene;
      if (!scene.isIn) return WSPEER_CONN.notOpen();
      wrong = WSPEER_JOIN.checkTarget(peer.join, target);
      return wrong ? WSPEER.fail(WSPEER_C.ERR_TARGET, wrong) : WSPEER_SCENE.putFramed(peer, target, [], data);
    },
    putFramed: function (peer, target, head, data, key) {
      var relays = peer.join.scene.relay;
      // Without relaying there is no peer but the host.
      if (!relays && target === -1) return WSPEER_C.OK;
      data = WSPEER.joined([WSPEER_SCENE.headTo(relays ? target || 0 : 1), head, data]);
      return WSPEER_CONN.mayPut(peer) ? WSPEER_CONN.sendCounted(peer, data, data.length, key) : WSPEER_CONN.notOpen();
    },
    // Sends a call to a target; undefined: to everyone.
    putCall: function (peer, target, data) {
      var call, scene = peer.join.scene, wrong, path, node, method, targets = [], known, i, result, reported, packets,
        most = peer.options[WSPEER_C.OPT_MAX_CALL_BYTES];
      if (data.length + 16 > most) {
        return WSPEER.fail(WSPEER_C.ERR_TOO_BIG, 'the call has ' + data.length + ' bytes and needs 16 more: ' +
          WSPEER.named('max_call_bytes') + ' is ' + most + ': send less, or raise it at both ends');
      }
      try {
        call = WSPEER_CALL.read(data, peer.options[WSPEER_C.OPT_MAX_CALL_ITEMS]);
      } catch (fault) {
        if (!fault.words) throw fault;
        if (fault.code) return WSPEER.fail(fault.code, fault.words + ': send less, or raise it at both ends');
        return WSPEER.fail(WSPEER_C.ERR_ARG, 'this is no call of ws_encode_call(): ' + fault.words);
      }
      if (!scene) return WSPEER_SCENE.of(peer);
      if (!scene.isIn || !WSPEER_CONN.mayPut(peer)) return WSPEER_CONN.notOpen();
      wrong = WSPEER_JOIN.checkTarget(peer.join, target || 0);
      if (wrong) return WSPEER.fail(WSPEER_C.ERR_TARGET, wrong);
      path = WSPEER.decode(call.path.slice());
      node = scene.nodes.get(WSPEER_SCENE.relative(path));
      if (!node) return WSPEER_SCENE.undeclared(path);
      method = WSPEER.decode(call.name.slice());
      if (!node.methods.numbers.has(method)) {
        return WSPEER.fail(WSPEER_C.ERR_ARG, WSPEER_SCENE.shown(path) + ' was declared without a method ' +
          WSPEER_SCENE.shown(method) + ': name all methods that the game\'s script has as RPCs');
      }
      if (target > 0) targets = [target];
      else peer.join.others.forEach(function (id) { if (id !== -target) targets.push(id); });
      targets.sort(function (a, b) { return a - b; });
      known = targets.map(function (id) { return WSPEER_SCENE.known(scene, id); });
      for (i = 0; i < targets.length; i++) {
        if (known[i].reported.has(node.id)) continue;
        result = WSPEER_CONN.putNow(peer,
          WSPEER.joined([WSPEER_SCENE.headTo(targets[i]), WSPEER_SCENE.announcement(node)]));
        if (result !== WSPEER_C.OK) return result;
        known[i].reported.set(node.id, false);
      }
      reported = known.every(function (one) { return one.reported.get(node.id); });
      packets = targets.map(function (id, i) {
        var isKnown = known[i].reported.get(node.id), number = node.methods.numbers.get(method);
        return WSPEER.joined([WSPEER_SCENE.headTo(id),
          WSPEER_CALL.packet(
            call, isKnown ? node.id : 0, number, !reported, isKnown ? null : WSPEER.encode(node.path))]);
      });
      return WSPEER_CONN.putTogether(peer, packets);
    },
    // 0 if the host is being authenticated, else an error result.
    checkAuth: function (peer, id) {
      var scene = WSPEER_SCENE.of(peer);
      if (typeof scene === 'number') return scene;
      if (id === 1 && !scene.isIn && peer.join.id && scene.auth) return 0;
      return WSPEER.fail(WSPEER_C.ERR_TARGET,
        'peer ' + id + ' is not being authenticated: one who joins knows AUTHENTICATING of peer 1 alone');
    },
    isOver: function (id) {
      return WSPEER.fail(WSPEER_C.ERR_STATE,
        'the authentication of peer ' + id + ' was completed already: no more can be sent');
    },
    sendAuth: function (h, id, data, len) {
      var peer, wrong = WSPEER_CALL.checkBytes('data', data, len);
      if (wrong) return wrong;
      if (!len)
        return WSPEER.fail(WSPEER_C.ERR_ARG, 'there is no data to send: ws_complete_auth ends an authentication');
      if (len > WSPEER_SCENE.MAX_AUTH_BYTES) {
        return WSPEER.fail(WSPEER_C.ERR_TOO_BIG,
          len + ' bytes are too many for an authentication: at most ' + WSPEER_SCENE.MAX_AUTH_BYTES);
      }
      peer = WSPEER.find(h);
      if (!peer) return WSPEER_C.ERR_HANDLE;
      wrong = WSPEER_SCENE.checkAuth(peer, id);
      if (wrong) return wrong;
      if (peer.join.scene.local || peer.join.scene.remote) return WSPEER_SCENE.isOver(id);
      return WSPEER_CONN.putNow(peer, WSPEER.joined([[WSPEER_SCENE.SYS, 0], HEAPU8.subarray(data, data + len)]));
    },
    completeAuth: function (h, id) {
      var peer = WSPEER.find(h), scene, wrong, result;
      if (!peer) return WSPEER_C.ERR_HANDLE;
      wrong = WSPEER_SCENE.checkAuth(peer, id);
      if (wrong) return wrong;
      scene = peer.join.scene;
      if (scene.local) return WSPEER_SCENE.isOver(id);
      result = WSPEER_CONN.putNow(peer, new Uint8Array([WSPEER_SCENE.SYS, 0]));
      if (result !== WSPEER_C.OK) return result;
      scene.local = true;
      if (scene.remote) WSPEER_SCENE.beAdmitted(peer);
      WSPEER_JOIN.lookOn(peer);
      return WSPEER_C.OK;
    },

    // ---- MD5, RFC 1321, as 32 hexadecimal digits ----

    md5: function (bytes) {
      var shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21], size = (bytes.length + 72 >> 6) * 64,
        padded = new Uint8Array(size), view = new DataView(padded.buffer);
      var state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476], a, b, c, d, mixed, word, next, round, block, i;
      padded.set(bytes);
      padded[bytes.length] = 0x80;
      view.setUint32(size - 8, bytes.length * 8, true);
      view.setUint32(size - 4, Math.floor(bytes.length / 536870912), true);
      for (block = 0; block < size; block += 64) {
        a = state[0];
        b = state[1];
        c = state[2];
        d = state[3];
        for (i = 0; i < 64; i++) {
          round = i >> 4;
          mixed = round === 0 ? b & c | ~b & d : round === 1 ? d & b | ~d & c : round === 2 ? b ^ c ^ d : c ^ (b | ~d);
          word = [i, 5 * i + 1, 3 * i + 5, 7 * i][round] % 16;
          mixed = mixed + a + Math.floor(Math.abs(Math.sin(i + 1)) * 4294967296) +
            view.getUint32(block + 4 * word, true) | 0;
          next = shifts[round * 4 + i % 4];
          a = d;
          d = c;
          c = b;
          b = b + (mixed << next | mixed >>> 32 - next) | 0;
        }
        state = [state[0] + a | 0, state[1] + b | 0, state[2] + c | 0, state[3] + d | 0];
      }
      return state.map(function (word) {
        return WSPEER.littleEndian(word, 4).map(function (byte) {
          return (byte + 256).toString(16).slice(1);
        }).join('');
      }).join('');
    }
  }
});
