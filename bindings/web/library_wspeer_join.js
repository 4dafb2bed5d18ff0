// wspeer in the browser: a connection that joins a multiplayer host. See library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER_JOIN: {
    // ---- Multiplayer: Godot 4's format, where the first message is the id, and Godot 3's, where every message has 9 bytes in front (kind, from, to) ----

    cameToJoin: function (peer, text, bytes) {
      var join = peer.join, why = join.godot3 ? WSPEER_JOIN.read3(peer, text, bytes) : join.id ? '' : WSPEER_JOIN.readId(peer, text, bytes, 0, bytes.length);
      if (why) return WSPEER_CONN.breakOff(peer, 1002, WSPEER_C.PHASE_WEBSOCKET, WSPEER_C.CAUSE_MULTIPLAYER, 'the host broke the multiplayer format: ' + why);
      if (why === '') WSPEER.pushMessage(peer, text, bytes, 1);
    },
    number: function (bytes, at) { return bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24; },
    // Takes the id in; null when it is one, else why not.
    readId: function (peer, text, bytes, at, len) {
      var id = WSPEER_JOIN.number(bytes, at);
      if (text) return 'the first message is text and not an id of 4 bytes';
      if (len !== 4) return 'the first message has ' + len + ' bytes and not the 4 of an id';
      if (id < 2) return id + ' is no id for one who joins: those are 2 and above';
      peer.join.id = id;
      if (peer.state === WSPEER_C.CONNECTING) peer.state = WSPEER_C.OPEN;
      WSPEER.pushMark(peer, WSPEER_C.EVENT_OPEN, { peerId: id });
      if (!peer.join.godot3) WSPEER.pushMark(peer, WSPEER_C.EVENT_CONNECTED, { peerId: 1 });
      return null;
    },
    // One message in Godot 3's format; null: done, else what is wrong with it.
    read3: function (peer, text, bytes) {
      var join = peer.join, kind = bytes[0], id, from;
      if (bytes.length < 9) return 'a message has ' + bytes.length + ' bytes and not the 9 of its header';
      if (text) return 'a message is text, and this format has none';
      if (kind > 3) return kind + ' is no kind of message';
      if (kind && bytes.length < 13) return 'a message about an id has ' + bytes.length + ' bytes and not 13';
      id = WSPEER_JOIN.number(bytes, 9);
      if (kind === 3) return join.id ? 'it gave an id twice' : WSPEER_JOIN.readId(peer, false, bytes, 9, 4);
      if (!join.id) return 'its first message gives no id';
      if (kind === 0) {
        from = WSPEER_JOIN.number(bytes, 1);
        if (from < 1) return from + ' is no sender';
        WSPEER.pushMessage(peer, false, bytes.subarray(9), from);
        return null;
      }
      if (id < 1) return id + ' is no id of a peer';
      if (kind === 1 && id !== join.id && !join.others[id]) {
        join.others[id] = true;
        WSPEER.pushMark(peer, WSPEER_C.EVENT_CONNECTED, { peerId: id });
      } else if (kind === 2 && join.others[id]) {
        delete join.others[id];
        WSPEER.pushMark(peer, WSPEER_C.EVENT_DISCONNECTED, { peerId: id });
      }
      return null;
    },
    frame3: function (from, to, data) {
      var framed = new Uint8Array(9 + data.length);
      for (var i = 0; i < 4; i++) {
        framed[1 + i] = from >> (8 * i);
        framed[5 + i] = to >> (8 * i);
      }
      framed.set(data, 9);
      return framed;
    },
    checkTarget: function (join, target) {
      if (target === undefined || target === 1) return '';
      if (!join.godot3) return 'one who joins reaches only the host, target 1, in Godot 4\'s format: let the game on the host pass it on';
      if (target === join.id) return target + ' is this peer itself';
      if (target > 0 && !join.others[target]) return 'no peer ' + target + ' is here: it may have gone';
      return '';
    }
  }
});
