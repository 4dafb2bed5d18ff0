/*
 * wspeer.h: WebSockets that a game engine polls from its frame loop.
 *
 * A client, a server and Godot's multiplayer peer over ws:// and wss://. No call blocks (save ws_wait), no thread of the library touches the host, and the library
 * never calls the host back: once a frame the host polls, takes what came, and puts what it wants to send.
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
 * HANDLES. A ws_handle is a number: a stale one is WS_ERR_HANDLE, never a crash. ws_connect, ws_listen, ws_host, ws_join, ws_pair and ws_attach give one; ws_free
 * takes it back in any state. Each client of a server has a handle of its own, told by CONNECTED; it retires by itself in the server's next
 * ws_poll after its DISCONNECTED was taken, so a host that frees none of them leaks none.
 *
 * ORDER. Each connection has one queue: OPEN, messages, CLOSE_REQUEST, and last CLOSED (a server's client: CONNECTED ... DISCONNECTED). Messages that
 * came before a close stay readable after it. ws_next_event takes whatever is next; ws_get_packet takes the next message and leaves the rest. A host
 * that reads only packets and asks for states works and leaks nothing.
 *
 * LOANS. data in a packet or event is lent: it stays valid until the next call that reads items through the same handle (WS_EMPTY included), or its
 * ws_free. ws_poll does not end a loan, but for one: what was read through the handle of a server's client is lent until that handle retires. Lent
 * bytes may be put again into any handle. One thread at a time reads from a handle.
 *
 * NOTHING IS LOST SILENTLY. A put is accepted (WS_OK) or not (WS_ERR_FULL: put it again after WRITABLE). What was accepted leaves before the close
 * that follows it; CLOSED says how many accepted messages did not. When the host does not read, its queue fills up to inbound_packets or
 * inbound_bytes, reading stops, and TCP slows the peer down. To be sure of delivery, ws_close and poll until CLOSED before ws_free.
 *
 * THREADS. Any function from any thread. A server with its clients, or the ends of a pair, share one lock; others run in parallel. What a call reads
 * stays as it is until it returns. After fork all handles are stale in the child.
 *
 * ERRORS. Results of 0 and above are successes. ws_last_error gives this thread's last failure as a sentence that says what to do; an ended connection
 * says why in its last event and by ws_get_text(WS_GET_ERROR). Outputs are written only on success; counts and lengths always.
 *
 * TEXT is UTF-8 and NUL-terminated. Copied text is cut at a code point if the buffer is short, always terminated, and the result is then WS_TRUNCATED.
 * A length never counts the NUL.
 *
 * WHICH CALL ON WHICH HANDLE (- : WS_ERR_KIND)
 *
 *                         client, end of a pair    server                        server's client            attached
 *   ws_poll               moves it on              moves it and all clients on   polls its server           moves it on
 *   ws_get_packet(s),
 *   ws_next_event(s),
 *   ws_get_available      its own                  of all clients in turn        its own                    its own
 *   ws_put_packet         to the peer              to all clients                to that client             to the peer
 *   ws_put_packet_to      -                        one, all, all but one         -                          -
 *   ws_flush              its output               all clients' output           its output                 its output
 *   ws_close              closing handshake        stops listening, closes all   closing handshake          closing handshake
 *   ws_disconnect         -                        one, all, all but one         -                          -
 *   ws_free               drops it                 drops it and all clients      drops and forgets it       drops it
 *   ws_get_state          its state                OPEN while it listens         its state                  its state
 *   ws_get_text           yes                      URL and local address         yes                        yes
 *   ws_get_header         of the answer (client)   -                             of the request             of the other end's
 *   ws_get_end            its own                  -                             its own                    its own
 *   ws_get_stats          its own                  sum over all clients          its own                    its own
 *   ws_get/set_option     its own                  for later clients too         its own                    its own
 *   ws_get_conns,
 *   ws_get_waiting        -                        its clients                   -                          -
 *   ws_feed,
 *   ws_take_output        - -                      - -                           - -                        its transport
 *   ws_wait               yes                      yes                           waits for its server       until something is put
 *
 * A host (ws_host) is a server and a join (ws_join, ws_join_local) a client, but for these; a host's client is a server's client:
 *
 *                         host                     host's client                 join, Godot 4's format     join, WS_SCENE or WS_GODOT3
 *   ws_put_packet         to all clients           to that client                to the host                to the host and all others
 *   ws_put_packet_to      id, all, all but id      -                             only 1; else               id, all, all but id
 *                                                                                WS_ERR_TARGET
 *   ws_disconnect         id, all, all but id      -                             -                          -
 *   ws_get_state          OPEN while it listens    its state                     OPEN with its id           OPEN with its id
 *   ws_get_conn           the client of an id      -                             itself for 1               itself for 1
 *   ws_get_peer_id        1                        its id                        its id; 0 before OPEN      its id; 0 before OPEN
 *   ws_get/set_option     WS_OPT_TRANSFER_... too  its own                       WS_OPT_TRANSFER_... too    WS_OPT_TRANSFER_... too
 *   ws_join_local         a player in memory       -                             -                          -
 *
 * With WS_SCENE too (- : WS_ERR_KIND, and so without it):
 *
 *                         host                     host's client                 join
 *   ws_put_packet with
 *   WS_CALL               all clients              that client                   the host and all others
 *   ws_put_packet_to
 *   with WS_CALL          id, all, all but id      -                             id, all, all but id
 *   ws_declare_node       for all                  -                             for all
 *   ws_send_auth,
 *   ws_complete_auth      a client that            -                             the host
 *                         authenticates
 *
 * MULTIPLAYER. A target above 0 is one peer, 0 is everyone, below 0 everyone but that one (who need not be there). A packet's peer_id is its sender, an
 * event's peer_id the peer that it is about. A host's client is told as a server's is: CONNECTED, its packets, DISCONNECTED, in that order; ws_disconnect
 * with code -1 is Godot's force. A join is told OPEN and CONNECTED of peer 1 when its id has come, and CLOSED last. Who breaks the format is closed with
 * 1002 and WS_CAUSE_MULTIPLAYER; with WS_SCENE and WS_GODOT3 what a client sends to one who is not there is told by ERROR with WS_CAUSE_NO_PEER and a count.
 * A message passed on to a client whose queue is full does as on_full says: such a client is disconnected unless on_full is set.
 *
 * SCENES. With WS_SCENE a host or a join speaks what Godot 4's SceneMultiplayer speaks on top of that, so that it takes part in a stock Godot game:
 *
 *   ws_join("ws://127.0.0.1:9080", &config, &h);                  // config.flags = WS_SCENE
 *   ws_declare_node(h, "/root/Game", "hello, move, shoot");       // every @rpc of that node's script
 *   ...
 *   if (e.type == WS_EVENT_MESSAGE && e.packet.type == WS_CALL) {
 *     ws_call call;
 *     ws_variant args[16];
 *     if (ws_decode_call(e.packet.data, e.packet.len, &call, args, 16) == WS_OK && !strcmp(call.method, "hello") && args[0].type == WS_VARIANT_INT)
 *       printf("%d says hello %lld\n", e.peer_id, (long long)args[0].integer);
 *   }
 *
 * Everyone is told of everyone by CONNECTED and DISCONNECTED, and reaches everyone; the host passes on what is for others and says itself who sent it. A
 * packet of type WS_BINARY is what send_bytes() sends and the signal peer_packet tells, one of type WS_CALL a remote call. Any peer may call any declared
 * method: look at peer_id where Godot has @rpc("authority"), which is its default. With WS_AUTH come AUTHENTICATING and AUTH before CONNECTED, and a join is OPEN
 * once it is admitted; who ends before that has no CONNECTED. What a peer sends that is no fault of it but of no use here is told by ERROR, once for each
 * cause until it is taken, with a count. docs/godot-scene.md has the bytes.
 *
 * This file is generated from the library's sources. Within a major version the interface only grows.
 */
