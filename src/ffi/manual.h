/*
 * wspeer.h: WebSockets that a game engine polls from its frame loop.
 *
 * It provides a client, a server and Godot's multiplayer peer, over ws:// and wss:// (RFC 6455). No call blocks, except
 * ws_wait(). The library never calls the program back, on any thread: once a frame the program polls, takes what was
 * received, and sends what it has to send. "The program" is the code that calls these functions; "the host" is a
 * multiplayer host, opened by ws_host().
 *
 *   #include "wspeer.h"
 *   #include <stdio.h>
 *
 *   int main(void) {
 *     ws_handle h;
 *     if (ws_connect("ws://127.0.0.1:9080", NULL, &h) < 0) return 1;
 *     int answered = 0;
 *     for (int running = 1; running;) {                    // the game's loop
 *       ws_poll(h);
 *       ws_event e;
 *       while (ws_next_event(h, &e) == WS_OK) {
 *         if (e.type == WS_EVENT_OPEN) ws_put_packet(h, (const uint8_t *)"hello", 5, WS_TEXT);
 *         if (e.type == WS_EVENT_MESSAGE) {
 *           printf("%.*s\n", (int)e.packet.len, (const char *)e.packet.data);
 *           answered = 1;
 *           ws_close(h, 1000, NULL);
 *         }
 *         if (e.type == WS_EVENT_CLOSED) { printf("%s\n", (const char *)e.packet.data); running = 0; }
 *       }
 *       ws_wait(&h, 1, 16);                                // a game updates, draws and waits for its next frame
 *     }
 *     ws_free(h);
 *     return answered ? 0 : 1;
 *   }
 *
 * HANDLES. A ws_handle is a number. A stale one gives WS_ERR_HANDLE, never a crash. ws_connect(), ws_listen(),
 * ws_host(), ws_join(), ws_join_local(), ws_pair(), ws_attach() and ws_diagnose() open handles; ws_free() frees one in
 * any state. Each client of a server has a handle too, which CONNECTED reports. It retires by itself in the server's
 * next ws_poll() after its DISCONNECTED was taken, so a program that frees none of these leaks none.
 *
 * ORDER. Each connection has one queue of items: OPEN, messages, CLOSE_REQUEST, and last CLOSED (a server's client:
 * CONNECTED ... DISCONNECTED). Messages received before a close can still be read after it. ws_next_event() takes the
 * next item; ws_get_packet() takes the next message and leaves other items in the queue. A program that takes only
 * messages and checks states works too, and leaks nothing.
 *
 * LOANS. data in a packet or event is lent to the program: it is valid until the next call that takes items through the
 * same handle (even if it returns WS_EMPTY), or until ws_free() of the handle. ws_poll() does not end a loan, with one
 * exception: what was taken through the handle of a server's client is lent until that handle retires. Lent bytes may
 * be sent again through any handle. One thread at a time may take items through a handle.
 *
 * NOTHING IS LOST SILENTLY. A message is either accepted for sending (WS_OK) or not (WS_ERR_FULL: send it again after
 * WRITABLE). Accepted messages leave before a later close; CLOSED has the number of those that did not. If the program
 * does not take items, the queue fills up to inbound_packets or inbound_bytes, reading pauses, and TCP slows down the
 * peer. To be sure of delivery, call ws_close() and poll until CLOSED before ws_free().
 *
 * THREADS. "Thread-safe" functions may be called from any thread at any time. The handles of a server and its clients
 * share one lock, as do the two of a pair; all others work in parallel. Memory that a call reads must not change until
 * the call returns. After fork() all handles are stale in the child.
 *
 * MEMORY. A pointer with a length refers to that many readable bytes, one with a capacity (`cap`) to that many writable
 * elements. NULL is allowed with a length or capacity of 0, and where a comment says so; else it is WS_ERR_NULL.
 * Outputs must not be read or written by another thread during the call.
 *
 * ERRORS. Results of 0 and above are successes. ws_last_error() has the text of this thread's last failed call, which
 * says what to do. The last event of a connection, and WS_GET_ERROR, say why it ended. Outputs are written only on
 * success, but counts and lengths always. Any function may return WS_ERR_PANIC; their comments do not repeat it.
 *
 * TEXT is UTF-8 and NUL-terminated; a text over 16 MiB is WS_ERR_TOO_BIG. If a buffer is too short, the copied text is
 * cut at a code point and NUL-terminated, and the result is WS_TRUNCATED. A length never counts the NUL.
 *
 * CALLS AND HANDLES (- : WS_ERR_KIND). "conn" is a handle of ws_connect(), ws_pair() or ws_attach(). One of
 * ws_diagnose() is like it, but has no messages: its items are STEP events and CLOSED, and a put is WS_ERR_STATE.
 *
 *                           conn                    server                        client of a server
 *   ws_poll                 polls it                polls it and all clients      polls its server
 *   ws_get_packet(s),
 *   ws_next_event(s),
 *   ws_get_available        its items               items of all clients in turn  its items
 *   ws_put_packet(s)        to the peer             to all clients                to this client
 *   ws_put_packet_to        -                       one, all, all but one         -
 *   ws_put_latest           to the peer             one, all, all but one         to this client
 *   ws_publish,
 *   ws_publish_latest       -                       subscribers of a topic        -
 *   ws_subscribe,
 *   ws_unsubscribe          -                       -                             its topics
 *   ws_get_topics           -                       all that have subscribers     its topics
 *   ws_flush                its output              output of all clients         its output
 *   ws_close                closing handshake       closes it and all clients     closing handshake
 *   ws_disconnect           -                       one, all, all but one         -
 *   ws_free                 frees it                frees it and all clients      drops and forgets it
 *   ws_get_state            its state               OPEN while it listens         its state
 *   ws_get_text             yes                     URL and local address         yes
 *   ws_get_header           the peer's headers      -                             of the request
 *   ws_get_end              yes                     -                             yes
 *   ws_get_stats            its counters            sum over all clients          its counters
 *   ws_get/set_option       its options             also for later clients        its options
 *   ws_get_conns,
 *   ws_get_waiting          -                       its clients                   -
 *   ws_set_certificate      -                       wss:// only                   -
 *   ws_serve                -                       its files                     -
 *   ws_accept, ws_reply     -                       -                             with WS_ASK, once
 *   ws_set_url,
 *   ws_set_header           with WS_RECONNECT       -                             -
 *   ws_set_sim              its network             of all clients, also later    its network
 *   ws_advance_time         ws_pair() and
 *                           ws_attach() only        -                             -
 *   ws_feed,
 *   ws_take_output          ws_attach() only        -                             -
 *   ws_wait                 yes                     yes                           waits for its server
 *
 * A host (ws_host) is a server and a join (ws_join, ws_join_local) is a client, with these differences. A host's client
 * is like a server's client.
 *
 *                           host                    host's client    join, Godot 4's      join, WS_SCENE
 *                                                                    format               or WS_GODOT3
 *   ws_put_packet(s)        to all clients          to this client   to the host          to everyone
 *   ws_put_packet_to        id, all, all but id     -                only 1; else         id, all, all but id
 *                                                                    WS_ERR_TARGET
 *   ws_put_latest           id, all, all but id     to this client   only 1 or 0; else    id, all, all but id
 *                                                                    WS_ERR_TARGET
 *   ws_publish(_latest)     to a topic, but an id   -                -                    -
 *   ws_disconnect           id, all, all but id     -                -                    -
 *   ws_get_state            OPEN while it listens   its state        OPEN with its id     OPEN with its id
 *   ws_get_conn             the client of an id     -                itself for 1         itself for 1
 *   ws_get_peer_id          1                       its id           its id; before: 0    its id; before: 0
 *   WS_OPT_TRANSFER_...     yes                     -                yes                  yes
 *   ws_join_local           adds a local player     -                -                    -
 *
 * With WS_SCENE (- : WS_ERR_KIND; without WS_SCENE all of them):
 *
 *                           host                    host's client    join
 *   ws_put_packet(s)
 *   with WS_CALL            all clients             this client      everyone
 *   ws_put_packet_to
 *   with WS_CALL            id, all, all but id     -                id, all, all but id
 *   ws_publish
 *   with WS_CALL            subscribers of a topic  -                -
 *   ws_declare_node         yes                     -                yes
 *   ws_declare_scene,
 *   ws_declare_synchronizer,
 *   ws_spawn, ws_despawn,
 *   ws_sync,
 *   ws_set_visible          yes                     -                yes
 *   ws_send_auth,
 *   ws_complete_auth        for a client            -                for the host (1)
 *
 * MULTIPLAYER. A target above 0 is one peer, 0 is everyone, and below 0 is everyone but that peer, which need not
 * exist. The peer_id of a packet is its sender; that of an event is the peer that it is about. A host reports a client
 * as a server does: CONNECTED, its packets, DISCONNECTED, in this order. ws_disconnect() with code -1 is Godot's
 * `force`. A join reports OPEN and CONNECTED of peer 1 once it has its id, and CLOSED last. A peer that violates the
 * format is closed with 1002 and WS_CAUSE_MULTIPLAYER. With WS_SCENE and WS_GODOT3, messages that a client addresses to
 * an absent peer are dropped, and one ERROR with WS_CAUSE_NO_PEER counts them. If the queue of a relayed message's
 * target is full, on_full decides; by default that target is disconnected.
 *
 * SCENES. With WS_SCENE a host or join speaks the protocol of Godot 4's SceneMultiplayer, so it can take part in a game
 * made with an unmodified Godot:
 *
 *   ws_join("ws://127.0.0.1:9080", &config, &h);                  // config.flags = WS_SCENE
 *   ws_declare_node(h, "/root/Game", "hello, move, shoot");       // every @rpc of that node's script
 *   ...
 *   if (e.type == WS_EVENT_MESSAGE && e.packet.type == WS_CALL) {
 *     ws_call call;
 *     ws_variant args[16];
 *     if (ws_decode_call(e.packet.data, e.packet.len, &call, args, 16) == WS_OK &&
 *         !strcmp(call.method, "hello") && args[0].type == WS_VARIANT_INT)
 *       printf("%d says hello %lld\n", e.peer_id, (long long)args[0].integer);
 *   }
 *
 * CONNECTED and DISCONNECTED report every peer to every peer, and every peer can send to every other: the host relays
 * messages, and sets the id of their sender itself. A packet of type WS_BINARY is what Godot sends with send_bytes()
 * and receives with the signal peer_packet; one of type WS_CALL is a remote call. Any peer may call any declared
 * method: check peer_id where Godot has @rpc("authority"), which is its default. With WS_AUTH, AUTHENTICATING and AUTH
 * come before CONNECTED, and a join is OPEN once it is admitted; a peer that ends before it is admitted has no
 * CONNECTED. Valid packets that a program cannot use produce one ERROR per cause, which counts them until it is taken.
 * docs/godot-scene.md describes the bytes.
 *
 * REPLICATION. What a MultiplayerSpawner spawns and a MultiplayerSynchronizer synchronizes arrives as SPAWN, SYNC and
 * DESPAWN, once ws_declare_scene() has said which properties there are; ws_decode_replication() has their names and
 * values. A program that is the authority calls ws_spawn(), ws_sync() and ws_despawn() instead: peers that come later
 * get what is there. Nodes of a peer are gone with the peer.
 *
 * This file is generated from the library's sources. Within a major version the interface only grows.
 */
