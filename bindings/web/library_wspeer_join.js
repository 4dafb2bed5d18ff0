// wspeer in the browser: a connection that joins a multiplayer host. In Godot 4's format the first message is the id;
// in Godot 3's every message starts with 9 bytes (type, source, target). With WS_SCENE, library_wspeer_scene.js reads
// what follows the id. A port of src/multiplayer/join.rs. See library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER_JOIN: {
    MAX_OTHERS: 65536,
    MAX_MARKS: 4096,
    // The queue of events is compacted when at least one event in 8 has become obsolete since the last time.
    MARKS_PER_END: 8,

    join: function (flags) {
      return { godot3: (flags & WSPEER_C.GODOT3) !== 0,
        scene: flags & WSPEER_C.SCENE ? WSPEER_SCENE.scene(flags) : null, id: 0, others: new Set(), ends: 0 };
    },
    // Maximum number of bytes that the format puts in front of each message.
    headerBytes: function (join) { return join.godot3 ? 9 : join.scene ? 7 : 0; },
    cameToJoin: function (peer, text, bytes) {
      var join = peer.join, why = '';
      if (join.godot3) why = WSPEER_JOIN.read3(peer, text, bytes);
      else if (!join.id) why = WSPEER_JOIN.readId(peer, text, bytes, 0, bytes.length);
      else if (join.scene) why = WSPEER_SCENE.came(peer, text, bytes);
      else WSPEER.pushMessage(peer, text ? WSPEER_C.TEXT : WSPEER_C.BINARY, bytes, 1);
      WSPEER_JOIN.judge(peer, why);
    },
    // Processes the messages that were held during authentication.
    lookOn: function (peer) { WSPEER_JOIN.judge(peer, WSPEER_SCENE.lookOn(peer)); },
    judge: function (peer, why) {
      if (why)
        WSPEER_CONN.breakOff(peer, 1002, WSPEER_C.PHASE_WEBSOCKET, WSPEER_C.CAUSE_MULTIPLAYER,
          'the host broke the multiplayer format: ' + why);
      var marks = WSPEER.count(peer.marks);
      if (marks > WSPEER_JOIN.MAX_MARKS && peer.join.ends >= marks / WSPEER_JOIN.MARKS_PER_END)
        WSPEER_JOIN.shorten(peer);
    },
    // Compacts a long queue of events. Errors about other peers, and the CONNECTED and DISCONNECTED of a peer without a
    // message between them, are replaced by one SKIPPED event.
    shorten: function (peer) {
      var skipped = 0, marks = peer.marks, waiting = marks.items.slice(marks.first), at = peer.messages.first, message,
        connected = new Map(), drops = new Set();
      peer.join.ends = 0;
      waiting.forEach(function (mark) {
        for (; (message = peer.messages.items[at]) && message.number < mark.number; at++)
          connected.delete(message.peerId);
        if (mark.type === WSPEER_C.EVENT_CONNECTED) connected.set(mark.peerId, mark);
        if (mark.type === WSPEER_C.EVENT_DISCONNECTED && connected.has(mark.peerId)) {
          drops.add(mark).add(connected.get(mark.peerId));
          connected.delete(mark.peerId);
        }
        // Only errors about what a peer sent have a count.
        if (mark.type === WSPEER_C.EVENT_SKIPPED || mark.type === WSPEER_C.EVENT_ERROR && mark.count) drops.add(mark);
      });
      if (!drops.size) return;
      marks.items = waiting.filter(function (mark) { return !drops.has(mark); });
      marks.first = 0;
      drops.forEach(function (mark) { skipped += mark.count || 1; });
      WSPEER.pushMark(peer, WSPEER_C.EVENT_SKIPPED, { count: skipped });
    },
    // Forgets the id and all peers: the link to the host was lost. Declared nodes stay.
    leave: function (peer) {
      var join = peer.join;
      join.id = join.ends = 0;
      join.others = new Set();
      if (join.scene) WSPEER_SCENE.leave(peer);
    },
    isOpen: function (peer) {
      if (peer.state === WSPEER_C.CONNECTING || peer.state === WSPEER_C.LOST)
        peer.state = WSPEER_CONN.isUp(peer) ? WSPEER_C.OPEN : WSPEER_C.LOST;
      if (peer.retry) WSPEER_RETRY.isOpen(peer);
      WSPEER.pushMark(peer, WSPEER_C.EVENT_OPEN, { peerId: peer.join.id });
    },
    greet: function (peer, id) {
      peer.join.others.add(id);
      WSPEER.pushMark(peer, WSPEER_C.EVENT_CONNECTED, { peerId: id });
    },
    // Adds a peer unless it is known already; returns '' or what is wrong.
    arrived: function (peer, id) {
      var join = peer.join;
      if (join.others.size >= WSPEER_JOIN.MAX_OTHERS) return id + ' is one peer too many';
      if (id !== join.id && !join.others.has(id)) WSPEER_JOIN.greet(peer, id);
      return '';
    },
    left: function (peer, id) {
      if (!peer.join.others.delete(id)) return;
      peer.join.ends++;
      WSPEER.pushMark(peer, WSPEER_C.EVENT_DISCONNECTED, { peerId: id });
    },
    // Takes our id from the host's message; returns '' or what is wrong.
    readId: function (peer, text, bytes, at, len) {
      var id = WSPEER.number(bytes, at);
      if (text) return 'the first message is text and not an id of 4 bytes';
      if (len !== 4) return 'the first message has ' + len + ' bytes and not the 4 of an id';
      if (id < 2) return id + ' is not a client\'s id: clients have 2 and above';
      peer.join.id = id;
      if (peer.join.scene) {
        WSPEER_SCENE.enter(peer);
        return '';
      }
      WSPEER_JOIN.isOpen(peer);
      if (!peer.join.godot3) WSPEER_JOIN.greet(peer, 1);
      return '';
    },
    // Reads one message in Godot 3's format; returns '' or what is wrong.
    read3: function (peer, text, bytes) {
      var join = peer.join, kind = bytes[0], id, from;
      if (bytes.length < 9) return 'a message has ' + bytes.length + ' bytes and not the 9 of its header';
      if (text) return 'a message is text, and this format has none';
      if (kind > 3) return kind + ' is no kind of message';
      if (kind && bytes.length < 13) return 'a message about an id has ' + bytes.length + ' bytes and not 13';
      id = WSPEER.number(bytes, 9);
      if (kind === 3) return join.id ? 'it gave an id twice' : WSPEER_JOIN.readId(peer, false, bytes, 9, 4);
      if (!join.id) return 'its first message gives no id';
      if (kind === 0) {
        from = WSPEER.number(bytes, 1);
        if (from < 1) return from + ' is no sender';
        WSPEER.pushMessage(peer, WSPEER_C.BINARY, bytes.subarray(9), from);
        return '';
      }
      if (id < 1) return id + ' is no id of a peer';
      if (kind === 1) return WSPEER_JOIN.arrived(peer, id);
      WSPEER_JOIN.left(peer, id);
      return '';
    },
    frame3: function (from, to, data) {
      return WSPEER.joined([[0], WSPEER.littleEndian(from, 4), WSPEER.littleEndian(to, 4), data]);
    },
    checkTarget: function (join, target) {
      if (target === undefined || target === 1) return '';
      if (!join.godot3 && !join.scene)
        return 'a client can send only to the host (target 1) in Godot 4\'s format: let the game on the host pass it on';
      if (target === join.id) return target + ' is this peer itself';
      if (target > 0 && !join.others.has(target)) return 'no peer ' + target + ' is connected: it may have gone';
      return '';
    }
  }
});
