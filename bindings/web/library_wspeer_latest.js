// wspeer in the browser: messages that a newer one with the same key replaces until they leave (ws_put_latest). They are
// given to the browser at the pace at which the line takes them. A port of src/link/latest.rs. See library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER_LATEST: {
    // Bytes that may wait to be sent at first, and at least.
    FIRST: 1400,
    LEAST: 256,
    MOST: 1048576,
    // Milliseconds over which is measured what the line takes: less than a frame.
    WINDOW: 10,

    // A message that waits is { data, size, key, waits, queue }. key: undefined for one that stays. waits: a newer one may
    // take its place. queue: what it waits in: peer.early, peer.held or peer.session. peer.latest has those with a key.

    // Queues a message that is sent on an open link without a session; behind others that wait.
    give: function (peer, data, size, key) {
      if (!WSPEER.count(peer.held) && (key === undefined || WSPEER_LATEST.leaves(peer)))
        return WSPEER_CONN.transmit(peer, data, size);
      peer.held.items.push(WSPEER_LATEST.item(peer, peer.held, data, size, key));
      peer.heldBytes += size;
    },
    item: function (peer, queue, data, size, key) {
      var item = { data: WSPEER_LATEST.copy(data), size: size, key: key, waits: key !== undefined, queue: queue };
      if (item.waits) peer.latest.set(key, item);
      return item;
    },
    // The program's memory changes under a view of it.
    copy: function (data) {
      return typeof data !== 'string' && data.buffer === HEAPU8.buffer ? data.slice() : data;
    },
    // The message that one with this key replaces, or null.
    find: function (peer, key) {
      var item = key === undefined ? undefined : peer.latest.get(key);
      if (!item || !item.waits) return null;
      return item.queue === peer.early || item.queue === peer.held || item.queue === peer.session ? item : null;
    },
    replace: function (peer, item, data, size) {
      var more = size - item.size;
      if (item.queue === peer.early) peer.earlyBytes += more;
      else if (item.queue === peer.held) peer.heldBytes += more;
      else peer.session.logBytes += more;
      item.data = WSPEER_LATEST.copy(data);
      item.size = size;
      peer.replaced++;
    },
    // It is given to a link: no other takes its place.
    forget: function (peer, item) {
      item.waits = false;
      if (item.key !== undefined && peer.latest.get(item.key) === item) peer.latest.delete(item.key);
    },

    // Whether such a message leaves at once, if none waits in front of it.
    leaves: function (peer) { return !peer.options[WSPEER_C.OPT_COALESCE] && !WSPEER_LATEST.isBehind(peer); },
    // The next message to be given to the link; undefined: none waits.
    next: function (peer) {
      var session = peer.session;
      return session ? session.log.items[session.log.first + session.handed - session.removed] :
        WSPEER.peek(peer.held);
    },
    // Gives the browser what waits, up to a message that is held back; all: those too.
    release: function (peer, all) {
      var item;
      if (!WSPEER_CONN.isUp(peer) || peer.socket.readyState !== 1) return;
      while ((item = WSPEER_LATEST.next(peer)) && (all || !item.waits || !WSPEER_LATEST.isBehind(peer))) {
        if (peer.session) {
          WSPEER_SESSION.hand(peer, item);
        } else {
          peer.heldBytes -= WSPEER.take(peer.held).size;
          WSPEER_LATEST.forget(peer, item);
          WSPEER_CONN.transmit(peer, item.data, item.size);
        }
      }
    },
    // Called by each ws_poll() and ws_flush().
    poll: function (peer) {
      if (peer.pace && WSPEER_CONN.isUp(peer)) WSPEER_LATEST.measure(peer);
      WSPEER_LATEST.release(peer, false);
    },
    // Number and bytes of the messages that an open link was not given.
    counts: function (peer) {
      var session = peer.session, bytes = 0, i, log;
      if (!session) return [WSPEER.count(peer.held), peer.heldBytes];
      if (!WSPEER_CONN.isUp(peer)) return [0, 0];
      log = session.log;
      for (i = log.first + session.handed - session.removed; i < log.items.length; i++) bytes += log.items[i].size;
      return [session.removed + WSPEER.count(log) - session.handed, bytes];
    },
    // Forgets what waits for a link that was lost.
    drop: function (peer) {
      peer.held = WSPEER.fifo();
      peer.heldBytes = 0;
    },

    // ---- The pace ----

    // Whether as much was given to the link as it takes for now.
    isBehind: function (peer) {
      if (!peer.pace) {
        peer.pace = { until: peer.linkBytes, target: WSPEER_LATEST.FIRST, since: WSPEER.now(), waited: 0,
          end: peer.linkBytes, starved: false };
        WSPEER_LATEST.measure(peer);
      }
      return peer.linkBytes >= peer.pace.until;
    },
    // until: number of the link's bytes up to which such messages are given to it. target: bytes that may wait to be sent:
    // what the line takes from one poll to the next. since, waited, end: when the last measurement began, the bytes that
    // waited then, and the number of the link's bytes. starved: nothing waited although messages were held back.
    measure: function (peer) {
      var pace = peer.pace, now = WSPEER.now(), end = peer.linkBytes, waits = WSPEER_LATEST.unsent(peer), taken;
      pace.starved = pace.starved || (waits === 0 && end >= pace.until);
      if (now >= pace.since + WSPEER_LATEST.WINDOW) {
        taken = Math.max(0, pace.waited + end - pace.end - waits);
        // A little more than the line takes, so that it has always something to do.
        if (waits > 0) pace.target = taken + taken / 8;
        else if (pace.starved) pace.target += pace.target / 2;
        pace.target = Math.min(Math.max(pace.target, WSPEER_LATEST.LEAST), WSPEER_LATEST.MOST);
        pace.since = now;
        pace.waited = waits;
        pace.end = end;
        pace.starved = false;
      }
      pace.until = end + Math.max(0, pace.target - waits);
    },
    // Bytes that wait to be sent, as far as the browser says it: in the browser, and on a simulated line.
    unsent: function (peer) { return WSPEER_CONN.buffered(peer) + WSPEER_SIM.waiting(peer.socket); }
  }
});
