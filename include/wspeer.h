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


#ifndef WSPEER_H
#define WSPEER_H

#include <stddef.h>
#include <stdint.h>
#ifndef WS_API
#if defined(_WIN32) && !defined(WS_STATIC)
#define WS_API __declspec(dllimport)
#else
#define WS_API
#endif
#endif

// In a limit or a time of ws_config and ws_set_option(): switched off, or unlimited.
#define WS_OFF 0xFFFFFFFFu


// Version of this header and library: major * 10000 + minor * 100 + patch. See ws_version().
#define WS_VERSION 100

// Version of the binary interface. It changes only when a program built against an older header would break.
#define WS_ABI_VERSION 1

// Done.
#define WS_OK 0

// Nothing waits; ask again next frame.
#define WS_EMPTY 1

// ws_poll(): the budget ended with work left. Nothing is lost; the next poll goes on. A host with time left may poll again.
#define WS_MORE 2

// Some of several targets could not take the message; SKIPPED events say which.
#define WS_PARTIAL 3

// The buffer was too short: the text was cut at a code point and terminated; *len holds the whole length.
#define WS_TRUNCATED 4

// An argument is out of its range.
#define WS_ERR_ARG -1

// A pointer that must not be NULL is NULL.
#define WS_ERR_NULL -2

// The handle is 0, stale (freed or retired) or was never given out.
#define WS_ERR_HANDLE -3

// This kind of handle has no such call; see the table of verbs and kinds.
#define WS_ERR_KIND -4

// Not in this state: messages can be put only while OPEN (or before, with WS_QUEUE_BEFORE_OPEN).
#define WS_ERR_STATE -5

// The outbound queue is full and the message was not taken. Poll, and put it again after the WRITABLE event.
#define WS_ERR_FULL -6

// The message is over max_message_bytes, or a length is over what memory can hold.
#define WS_ERR_TOO_BIG -7

// Text is not valid UTF-8.
#define WS_ERR_UTF8 -8

// There is no such target.
#define WS_ERR_TARGET -9

// The ws_config is not usable: its size, its flags or one of its values. ws_last_error() names the field.
#define WS_ERR_CONFIG -10

// The URL cannot be used.
#define WS_ERR_URL -11

// A certificate, key or pin in the config cannot be used.
#define WS_ERR_TLS -12

// ws_listen(): the address cannot be bound; ws_last_error() has the reason.
#define WS_ERR_ADDRESS -13

// This build or platform cannot do it; see ws_get_features().
#define WS_ERR_UNSUPPORTED -14

// A limit of the library or the system: no handle, descriptor, thread or memory left.
#define WS_ERR_LIMIT -15

// A defect in wspeer was caught. The handle and its family are retired, the host goes on, the log has the text.
#define WS_ERR_PANIC -16

// A text message: UTF-8, checked.
#define WS_TEXT 1

// A binary message.
#define WS_BINARY 2

// A remote call, with WS_SCENE alone: put what ws_encode_call() made, give what came to ws_decode_call().
#define WS_CALL 3

// Name lookup, TCP, TLS or the opening handshake is under way.
#define WS_CONNECTING 0

// Messages flow. A server: it listens.
#define WS_OPEN 1

// The closing handshake is under way. Messages that arrive are still delivered.
#define WS_CLOSING 2

// The connection has ended. What it received stays readable.
#define WS_CLOSED 3

// A connection of ws_connect, ws_pair or ws_attach is open. A join: its id has come, and is event.peer_id.
#define WS_EVENT_OPEN 1

// A message, in event.packet.
#define WS_EVENT_MESSAGE 2

// The peer has started the closing handshake; code and text are its close code (1005: none) and reason. wspeer answers by itself.
#define WS_EVENT_CLOSE_REQUEST 3

// The connection, or the server itself, has ended. Last event of its handle.
#define WS_EVENT_CLOSED 4

// Server, host: a client has finished its opening handshake; event.conn is its handle, and on a host event.peer_id its id.
// Join: peer event.peer_id is there: the host, 1, and in a scene and in Godot 3's format each other one.
#define WS_EVENT_CONNECTED 5

// Server, host: a client has ended. Last event of its handle, which retires in the server's next ws_poll().
// Join in a scene or in Godot 3's format: peer event.peer_id has gone; when this connection itself ends, CLOSED stands for all.
#define WS_EVENT_DISCONNECTED 6

// The outbound queue refused a message earlier and has room again.
#define WS_EVENT_WRITABLE 7

// event.count messages for event.conn were not taken because its queue was full (once per stall), or, when event.conn is the server's own
// handle or that of a join, event.count lifecycle events, and of a join errors of others, were left out because nobody read them.
#define WS_EVENT_SKIPPED 8

// Something went wrong that ends no connection; cause and text say what. The text of any event has at most 1024 bytes, and shows at most 256 of a path
// or name.
#define WS_EVENT_ERROR 9

// With WS_AUTH: peer event.peer_id is to be authenticated: ws_send_auth(), ws_complete_auth(), or ws_disconnect(). First comes as AUTH what it
// sends for that. CONNECTED follows as ws_complete_auth() says.
#define WS_EVENT_AUTHENTICATING 10

// With WS_AUTH: event.packet holds data that peer event.peer_id sent for its authentication.
#define WS_EVENT_AUTH 11

// No phase.
#define WS_PHASE_NONE 0

// Looking up the name.
#define WS_PHASE_DNS 1

// Connecting by TCP.
#define WS_PHASE_TCP 2

// Talking to a proxy.
#define WS_PHASE_PROXY 3

// The TLS handshake, or a TLS failure later.
#define WS_PHASE_TLS 4

// The opening handshake (HTTP).
#define WS_PHASE_HTTP 5

// The WebSocket protocol, after the opening handshake.
#define WS_PHASE_WEBSOCKET 6

// Ended by the application: a closing handshake that either side asked for, or a drop by the host.
#define WS_PHASE_APP 7

// No cause.
#define WS_CAUSE_NONE 0

// The host asked for the close and the closing handshake was completed.
#define WS_CAUSE_CLOSED_BY_HOST 1

// The peer asked for the close and the closing handshake was completed.
#define WS_CAUSE_CLOSED_BY_PEER 2

// The host dropped the connection (code -1), or closed it before it was open.
#define WS_CAUSE_DROPPED 3

// The peer ended the transport without a closing handshake.
#define WS_CAUSE_PEER_GONE 4

// The transport was reset or failed; os_error has the system's number.
#define WS_CAUSE_RESET 5

// The server that this client belonged to was closed.
#define WS_CAUSE_SERVER_CLOSED 6

// The closing handshake, or the sending of what was accepted before it, was not finished within its time.
#define WS_CAUSE_CLOSE_TIMEOUT 7

// The closing handshake could not be finished because the host did not read its full inbound queue.
#define WS_CAUSE_NOT_READING 8

// No pong within pong_timeout_ms.
#define WS_CAUSE_PONG_TIMEOUT 9

// The name has no address.
#define WS_CAUSE_NAME_NOT_FOUND 20

// The name lookup failed otherwise.
#define WS_CAUSE_NAME_FAILED 21

// The connect timeout ended in the phase that the event names.
#define WS_CAUSE_CONNECT_TIMEOUT 22

// Every address refused the connection.
#define WS_CAUSE_REFUSED 23

// No route to any address.
#define WS_CAUSE_UNREACHABLE 24

// TCP failed otherwise; os_error has the system's number.
#define WS_CAUSE_TCP_FAILED 25

// The certificate was signed by nobody that this machine trusts.
#define WS_CAUSE_CERTIFICATE_UNTRUSTED 30

// The certificate has expired or is not valid yet. Look at both clocks.
#define WS_CAUSE_CERTIFICATE_EXPIRED 31

// The certificate is for another name.
#define WS_CAUSE_CERTIFICATE_NAME 32

// The certificate does not have the pinned SHA-256.
#define WS_CAUSE_CERTIFICATE_PIN 33

// The certificate cannot be used otherwise.
#define WS_CAUSE_CERTIFICATE_BAD 34

// The other end is not speaking TLS.
#define WS_CAUSE_NOT_TLS 35

// TLS failed otherwise.
#define WS_CAUSE_TLS_FAILED 36

// The server answered the request with another status than 101; http_status has it.
#define WS_CAUSE_HTTP_STATUS 40

// The answer, or the request, is not a valid opening handshake.
#define WS_CAUSE_HTTP_INVALID 41

// The header is over max_header_bytes.
#define WS_CAUSE_HTTP_TOO_BIG 42

// No subprotocol in common, or one that was not asked for.
#define WS_CAUSE_SUBPROTOCOL 43

// The opening handshake of a server's client took longer than handshake_timeout_ms.
#define WS_CAUSE_HANDSHAKE_TIMEOUT 44

// The peer broke RFC 6455 (close code 1002).
#define WS_CAUSE_PROTOCOL 50

// The peer sent text that is not UTF-8 (1007).
#define WS_CAUSE_UTF8 51

// The peer sent a message or frame over the limits (1009).
#define WS_CAUSE_TOO_BIG 52

// The peer sent more than max_messages_per_s or max_bytes_per_s (1008).
#define WS_CAUSE_RATE 53

// The peer did not read, its queue was full, and on_full is WS_FULL_DISCONNECT (1008).
#define WS_CAUSE_FULL 54

// The peer sent compressed data that cannot be decompressed (1007), or that become more than max_inflate_ratio times their size (1008).
#define WS_CAUSE_DEFLATE 55

// The peer broke the multiplayer format: a wrong first message, an id below 2, a sender that is another, a short header, a value that cannot be read (1002).
// ERROR of a join in a scene: event.count packets of event.peer_id that the host passed on were broken so.
#define WS_CAUSE_MULTIPLAYER 56

// ERROR of a host in a scene or in Godot 3's format: event.count messages of event.peer_id were for peers who are not there.
#define WS_CAUSE_NO_PEER 57

// The peer was not authenticated within WS_OPT_AUTH_TIMEOUT_MS (1008).
#define WS_CAUSE_AUTH_TIMEOUT 58

// ERROR with WS_SCENE: event.count calls of event.peer_id, or one of ours to it, were of a node that has other methods there than were declared here.
#define WS_CAUSE_CHECKSUM 59

// ERROR with WS_SCENE: event.count calls of event.peer_id were of a node or method that is not declared.
#define WS_CAUSE_NO_NODE 62

// ERROR with WS_SCENE: event.count packets of event.peer_id were nothing for a program: replication, objects as arguments, authentication or passing on that
// is not switched on here.
#define WS_CAUSE_UNSUPPORTED 63

// ERROR at a client with WS_APP_HEARTBEAT: the server offers no application heartbeat.
#define WS_CAUSE_NO_HEARTBEAT 64

// The system has no descriptor or memory left. ERROR with WS_SCENE: event.count calls of event.peer_id were lost for lack of memory.
#define WS_CAUSE_RESOURCES 60

// A defect in wspeer was caught; the log has the text.
#define WS_CAUSE_PANIC 61

// A put waits for ws_flush(), the next poll or 128 KiB, so that the messages of a frame leave in one write.
#define WS_COALESCE 1

// Messages may be put while CONNECTING; they leave after the opening handshake.
#define WS_QUEUE_BEFORE_OPEN 2

// Client: accept any certificate with a key of a kind that is supported: P-256, P-384, Ed25519, or RSA of 2048 bits and more.
// For development alone; the log says so.
#define WS_INSECURE 4

// Client: trust only ca_pem, neither the bundled nor the system's roots.
#define WS_ONLY_CA_PEM 8

// Server: answer every request with 503 until WS_OPT_REFUSE_NEW is set to 0.
#define WS_REFUSE_NEW 16

// permessage-deflate (RFC 7692): a client offers it, a server accepts it where a client offers it.
#define WS_DEFLATE 32

// With WS_DEFLATE: the server's compressor shall forget each message, which saves memory and lets a broadcast be compressed once.
#define WS_SERVER_NO_CONTEXT_TAKEOVER 64

// With WS_DEFLATE: the client's compressor shall forget each message.
#define WS_CLIENT_NO_CONTEXT_TAKEOVER 128

// ws_host and ws_join: the format of Godot 3.2 to 3.6 with gd_mp_api, where the host passes on what is for others, instead of Godot 4's.
#define WS_GODOT3 256

// Client: a certificate may be for any name, if it is trusted otherwise. For development alone.
#define WS_ANY_NAME 512

// ws_host and ws_join: what Godot 4's SceneMultiplayer says too: other peers told and reached by way of the host, its raw bytes, remote calls.
#define WS_SCENE 1024

// With WS_SCENE: who comes is told by AUTHENTICATING, and is there only after its authentication, see ws_complete_auth(): Godot's auth_callback.
#define WS_AUTH 2048

// With WS_SCENE: clients do not hear of each other, and the host passes nothing on: Godot's server_relay switched off. The same on all sides.
#define WS_NO_RELAY 4096

// Both ends: the client's heartbeat goes as messages that the host does not see, as a browser hides pings: rtt_us and pong_timeout_ms work there too. A
// client's heartbeat_ms is then 20000 unless set. A server that does not offer it is told by ERROR with WS_CAUSE_NO_HEARTBEAT. docs/heartbeat.md has the bytes.
#define WS_APP_HEARTBEAT 8192

// Skip that target: WS_PARTIAL, a SKIPPED event, WRITABLE when it recovers. The default.
#define WS_FULL_SKIP 1

// Disconnect that target with 1008.
#define WS_FULL_DISCONNECT 2

// Take the message for all targets or for none (WS_ERR_FULL).
#define WS_FULL_ALL_OR_NONE 3

// The client's end: sends the request, masks its frames.
#define WS_ROLE_CLIENT 1

// The server's end: answers the request.
#define WS_ROLE_SERVER 2

// The URL as it is used, without user name and password. A server: its own, with the real port. A server's client: of its request.
#define WS_GET_URL 1

// The path of the request, without the query.
#define WS_GET_PATH 2

// The query of the request, without the question mark.
#define WS_GET_QUERY 3

// The subprotocol that both ends agreed on, or "".
#define WS_GET_SUBPROTOCOL 4

// The reason in the close frame that decided the close: the peer's, or ours where we failed the connection.
#define WS_GET_CLOSE_REASON 5

// Why the connection ended, as a sentence that says what to do; "" while it lives.
#define WS_GET_ERROR 6

// The local address and port: "127.0.0.1:9080", "[::1]:9080".
#define WS_GET_LOCAL_ADDRESS 7

// The peer's address and port.
#define WS_GET_REMOTE_ADDRESS 8

// The first KiB of the body of a refused request, as far as it came within 250 ms of the header, invalid UTF-8 replaced.
#define WS_GET_BODY 9

// The TLS version and cipher suite, or "" on ws://.
#define WS_GET_TLS 10

// What was agreed on of permessage-deflate, as "permessage-deflate; server_no_context_takeover", or "".
#define WS_GET_EXTENSIONS 11

// TCP_NODELAY: 1 (default) or 0.
#define WS_OPT_NO_DELAY 1

// heartbeat_ms; 0 and WS_OFF: no pings.
#define WS_OPT_HEARTBEAT_MS 2

// pong_timeout_ms; 0: three times heartbeat_ms.
#define WS_OPT_PONG_TIMEOUT_MS 3

// close_timeout_ms.
#define WS_OPT_CLOSE_TIMEOUT_MS 4

// poll_budget_us.
#define WS_OPT_POLL_BUDGET_US 5

// max_message_bytes.
#define WS_OPT_MAX_MESSAGE_BYTES 6

// max_fragments.
#define WS_OPT_MAX_FRAGMENTS 7

// inbound_packets.
#define WS_OPT_INBOUND_PACKETS 8

// inbound_bytes.
#define WS_OPT_INBOUND_BYTES 9

// outbound_packets.
#define WS_OPT_OUTBOUND_PACKETS 10

// outbound_bytes.
#define WS_OPT_OUTBOUND_BYTES 11

// max_messages_per_s.
#define WS_OPT_MAX_MESSAGES_PER_S 12

// max_bytes_per_s.
#define WS_OPT_MAX_BYTES_PER_S 13

// The flag WS_COALESCE: 0 or 1.
#define WS_OPT_COALESCE 14

// Server: the flag WS_REFUSE_NEW: 0 or 1.
#define WS_OPT_REFUSE_NEW 15

// Server: max_clients.
#define WS_OPT_MAX_CLIENTS 16

// Server: max_clients_per_address.
#define WS_OPT_MAX_CLIENTS_PER_ADDRESS 17

// Server: max_pending_handshakes.
#define WS_OPT_MAX_PENDING_HANDSHAKES 18

// Server: handshake_timeout_ms.
#define WS_OPT_HANDSHAKE_TIMEOUT_MS 19

// Server: on_full.
#define WS_OPT_ON_FULL 20

// The local port, to read only: which one "ws://127.0.0.1:0" got.
#define WS_OPT_PORT 21

// deflate_threshold_bytes.
#define WS_OPT_DEFLATE_THRESHOLD_BYTES 22

// max_inflate_ratio.
#define WS_OPT_MAX_INFLATE_RATIO 23

// Host, join: Godot's transfer mode, 0 (unreliable), 1 (unreliable ordered) or 2 (reliable; default). Kept and told; every packet is reliable and ordered.
#define WS_OPT_TRANSFER_MODE 24

// Host, join: Godot's transfer channel (default 0). Kept and told; every packet travels on the one connection.
#define WS_OPT_TRANSFER_CHANNEL 25

// Host, join with WS_AUTH: how long the authentication of a peer may take, in milliseconds; WS_OFF: without end (default: 3000). For those who come later.
#define WS_OPT_AUTH_TIMEOUT_MS 26

// Host, join: max_call_bytes.
#define WS_OPT_MAX_CALL_BYTES 27

// Host, join: max_call_items.
#define WS_OPT_MAX_CALL_ITEMS 28

// Nothing.
#define WS_LOG_OFF 0

// Defects and what no event tells.
#define WS_LOG_ERROR 1

// What is likely a mistake, such as WS_INSECURE. The default.
#define WS_LOG_WARN 2

// Connections that open and end.
#define WS_LOG_INFO 3

// Steps of the handshakes.
#define WS_LOG_DEBUG 4

// ws_config, which may grow.
#define WS_STRUCT_CONFIG 1

// ws_stats, which may grow.
#define WS_STRUCT_STATS 2

// ws_packet, which stays as it is.
#define WS_STRUCT_PACKET 3

// ws_event, which stays as it is.
#define WS_STRUCT_EVENT 4

// ws_variant.
#define WS_STRUCT_VARIANT 5

// ws_call.
#define WS_STRUCT_CALL 6

// null.
#define WS_VARIANT_NIL 0

// bool, in `integer`.
#define WS_VARIANT_BOOL 1

// int, in `integer`.
#define WS_VARIANT_INT 2

// float, in number[0].
#define WS_VARIANT_FLOAT 3

// String: UTF-8 in data and len.
#define WS_VARIANT_STRING 4

// Vector2: x, y in `number`.
#define WS_VARIANT_VECTOR2 5

// Vector2i: x, y.
#define WS_VARIANT_VECTOR2I 6

// Rect2: position, size.
#define WS_VARIANT_RECT2 7

// Rect2i: position, size.
#define WS_VARIANT_RECT2I 8

// Vector3: x, y, z.
#define WS_VARIANT_VECTOR3 9

// Vector3i: x, y, z.
#define WS_VARIANT_VECTOR3I 10

// Transform2D: x axis, y axis, origin.
#define WS_VARIANT_TRANSFORM2D 11

// Vector4: x, y, z, w.
#define WS_VARIANT_VECTOR4 12

// Vector4i: x, y, z, w.
#define WS_VARIANT_VECTOR4I 13

// Plane: normal, d.
#define WS_VARIANT_PLANE 14

// Quaternion: x, y, z, w.
#define WS_VARIANT_QUATERNION 15

// AABB: position, size.
#define WS_VARIANT_AABB 16

// Basis: row by row, the first row is the x of all three axes.
#define WS_VARIANT_BASIS 17

// Transform3D: its Basis, then its origin.
#define WS_VARIANT_TRANSFORM3D 18

// Projection: column by column.
#define WS_VARIANT_PROJECTION 19

// Color: r, g, b, a.
#define WS_VARIANT_COLOR 20

// StringName, as STRING.
#define WS_VARIANT_STRING_NAME 21

// NodePath: `count` STRINGs follow, names and then number[0] sub-names; `integer` is 1 when it is absolute.
#define WS_VARIANT_NODE_PATH 22

// RID: cannot be sent.
#define WS_VARIANT_RID 23

// Object: cannot be sent.
#define WS_VARIANT_OBJECT 24

// Callable: cannot be sent.
#define WS_VARIANT_CALLABLE 25

// Signal: cannot be sent.
#define WS_VARIANT_SIGNAL 26

// Dictionary: `count` pairs follow, a key and a value each. A typed one: `integer` is the type of the keys plus 256 times that of the values.
#define WS_VARIANT_DICTIONARY 27

// Array: `count` values follow. A typed one: `integer` is the type of its elements.
#define WS_VARIANT_ARRAY 28

// PackedByteArray: `count` bytes in data.
#define WS_VARIANT_PACKED_BYTE_ARRAY 29

// PackedInt32Array: `count` int32_t in data, little-endian and maybe not aligned, so copy them out; so are all that follow.
#define WS_VARIANT_PACKED_INT32_ARRAY 30

// PackedInt64Array: `count` int64_t.
#define WS_VARIANT_PACKED_INT64_ARRAY 31

// PackedFloat32Array: `count` floats.
#define WS_VARIANT_PACKED_FLOAT32_ARRAY 32

// PackedFloat64Array: `count` doubles.
#define WS_VARIANT_PACKED_FLOAT64_ARRAY 33

// PackedStringArray: `count` STRINGs follow.
#define WS_VARIANT_PACKED_STRING_ARRAY 34

// PackedVector2Array: 2 floats each; of an engine with double precision 2 doubles, and `len` is then twice as much.
#define WS_VARIANT_PACKED_VECTOR2_ARRAY 35

// PackedVector3Array: 3 floats each, or doubles.
#define WS_VARIANT_PACKED_VECTOR3_ARRAY 36

// PackedColorArray: 4 floats each.
#define WS_VARIANT_PACKED_COLOR_ARRAY 37

// PackedVector4Array: 4 floats each, or doubles.
#define WS_VARIANT_PACKED_VECTOR4_ARRAY 38

// ws_connect over ws://.
#define WS_FEATURE_CLIENT 1

// ws_listen.
#define WS_FEATURE_SERVER 2

// wss://.
#define WS_FEATURE_TLS 4

// Request headers can be set and response headers read.
#define WS_FEATURE_HEADERS 8

// Protocol pings and their round-trip time.
#define WS_FEATURE_PING 16

// ws_wait.
#define WS_FEATURE_WAIT 32

// ws_pair and ws_attach.
#define WS_FEATURE_PAIR 64

// permessage-deflate.
#define WS_FEATURE_DEFLATE 128

// ws_host, ws_join and ws_join_local.
#define WS_FEATURE_MULTIPLAYER 256

// WS_SCENE.
#define WS_FEATURE_SCENE 512

// A connection, a server or a server's client. 0 is never valid. A stale handle is WS_ERR_HANDLE, never a crash; its number comes back after
// 2146435072 others at the earliest (less 2047 for each handle that stays open meanwhile).
// 31 bits, so that -handle can mean "all but this one".
typedef uint32_t ws_handle;

// 0 and above: success. Below 0: WS_ERR_*.
typedef int32_t ws_result;

// Counters since the handle was opened. A server: the sum over its clients, past ones included.
typedef struct ws_stats {
  // How many bytes were filled.
  uint32_t struct_size;
  // Server: connected clients. Else 1 while OPEN.
  uint32_t connections;
  // Messages received. With WS_AUTH those of a peer count once it is admitted.
  uint64_t messages_in;
  // Messages accepted for sending.
  uint64_t messages_out;
  // Bytes of messages received.
  uint64_t bytes_in;
  // Bytes of messages accepted for sending.
  uint64_t bytes_out;
  // Bytes read from the transport, above TLS.
  uint64_t wire_bytes_in;
  // Bytes written to the transport, above TLS.
  uint64_t wire_bytes_out;
  // Messages that wait for the host, and AUTH events. Messages of a peer that is not admitted (WS_AUTH) count for kept_bytes instead.
  uint64_t queued_packets_in;
  // Their bytes.
  uint64_t queued_bytes_in;
  // Messages that wait to be sent: the operating system has not taken them whole.
  uint64_t queued_packets_out;
  // Bytes that wait to be sent, with the headers of frames. Over wss:// the bytes of a TLS record wait until all of it was taken.
  uint64_t queued_bytes_out;
  // Messages not taken by a full queue of one of several targets, and messages that came and were dropped, because ws_disconnect() had been called for
  // their sender, because it had sent more in a second than it may, or because it ended before it was admitted (WS_AUTH).
  uint64_t skipped;
  // How often reading stopped because the host's queue was full.
  uint64_t inbound_stalls;
  // The last round-trip time of a ping, in microseconds; 0: none measured.
  uint64_t rtt_us;
  // Duration of the last ws_poll() of this handle, in microseconds.
  uint64_t last_poll_us;
  // Duration of the longest ws_poll() of this handle, in microseconds.
  uint64_t longest_poll_us;
  // Server: clients accepted since it was opened.
  uint64_t accepted;
  // Server: clients whose opening handshake failed or was refused.
  uint64_t refused;
  // Server: opening handshakes under way.
  uint64_t pending_handshakes;
  // Messages that came compressed. They count when those of messages_in do.
  uint64_t compressed_in;
  // Messages that were compressed.
  uint64_t compressed_out;
  // Memory of the contexts of compressors and decompressors, in bytes. A server: of all its clients.
  uint64_t deflate_memory_bytes;
  // Memory kept for peers beside the queues, in bytes: messages that have not come whole, what was read and not looked at, texts of events, path numbers
  // and news of a scene.
  uint64_t kept_bytes;
} ws_stats;

// A message. 40 bytes with 64-bit pointers, 32 with 32-bit.
typedef struct ws_packet {
  // The bytes, lent: valid until the next call that reads items through the same handle, or its ws_free(). Never NULL; not NUL-terminated when it is a message.
  const uint8_t *data;
  // How many bytes; 0 is an empty message.
  size_t len;
  // WS_TEXT, WS_BINARY or WS_CALL.
  int32_t type;
  // Multiplayer: who sent it. Else 0.
  int32_t peer_id;
  // The connection that it came by: a server's client, or the handle itself.
  ws_handle conn;
  // Zero for now.
  uint32_t flags;
  // What ws_set_user() or ws_config.user gave that connection.
  uint64_t user;
} ws_packet;

// One thing that happened. 128 bytes with 64-bit pointers, 120 with 32-bit.
typedef struct ws_event {
  // WS_EVENT_*.
  int32_t type;
  // The connection that it is about.
  ws_handle conn;
  // Multiplayer: which peer it is about; OPEN of a join: its own id. Else 0.
  int32_t peer_id;
  // CLOSE_REQUEST, CLOSED, DISCONNECTED: the close code; 1005: a close frame without one; 1006: no close frame. Else 0.
  int32_t code;
  // CLOSED, DISCONNECTED, ERROR: WS_PHASE_*.
  int32_t phase;
  // CLOSED, DISCONNECTED, ERROR: WS_CAUSE_*.
  int32_t cause;
  // The HTTP status of the answer to the opening handshake, or 0.
  int32_t http_status;
  // The operating system's error number, or 0.
  int32_t os_error;
  // CLOSED, DISCONNECTED: how many messages were accepted for sending and never left.
  uint32_t unsent;
  // CLOSED, DISCONNECTED: 1 when the closing handshake was completed. Else 0.
  uint32_t clean;
  // When it happened: nanoseconds of the system's monotonic clock since the library's first call.
  uint64_t time_ns;
  // SKIPPED, and ERROR about what a peer sent: how many.
  uint64_t count;
  // Zero.
  uint64_t reserved[4];
  // MESSAGE: the message. AUTH: packet.data and len are the data. Any other event: packet.data is a text, lent likewise, NUL-terminated, packet.len without the NUL: the peer's reason
  // for CLOSE_REQUEST, a sentence that says what happened and what to do for CLOSED, DISCONNECTED and ERROR, else "".
  struct ws_packet packet;
} ws_event;

// How to open a connection or a server. Fill it with ws_config_init(), then set what you need; every field that stays 0 means its default.
// Everything is copied during the call. Texts are UTF-8 and NUL-terminated; NULL means none.
typedef struct ws_config {
  // Set by ws_config_init().
  uint32_t struct_size;
  // A number of your choice for ws_free_owner(); 0: none.
  uint32_t owner;
  // WS_COALESCE | WS_QUEUE_BEFORE_OPEN | WS_INSECURE | WS_ONLY_CA_PEM | WS_REFUSE_NEW | WS_DEFLATE | WS_SERVER_NO_CONTEXT_TAKEOVER |
  // WS_CLIENT_NO_CONTEXT_TAKEOVER | WS_GODOT3 | WS_ANY_NAME | WS_SCENE | WS_AUTH | WS_NO_RELAY | WS_APP_HEARTBEAT.
  uint32_t flags;
  // How long one ws_poll() may work, in microseconds (default: 1000).
  uint32_t poll_budget_us;
  // Client, join: from ws_connect() or ws_join() to OPEN, all phases together, in milliseconds (default: 10000).
  uint32_t connect_timeout_ms;
  // Server: from a client's arrival to its CONNECTED, TLS included, in milliseconds (default: 3000).
  uint32_t handshake_timeout_ms;
  // How long a close may wait for the peer, and for what was accepted to leave, counted from the last progress, in milliseconds; never WS_OFF (default: 3000).
  uint32_t close_timeout_ms;
  // How often the peer is pinged, which measures the round-trip time too, in milliseconds (default: servers' clients 20000, clients WS_OFF).
  uint32_t heartbeat_ms;
  // Time without any byte from the peer after which it counts as dead, once pinged, in milliseconds; at least heartbeat_ms (default: 3 x heartbeat_ms).
  // A ping has at least a second to be answered, or heartbeat_ms if that is less.
  uint32_t pong_timeout_ms;
  // The longest message taken from the peer and from the host, in bytes (default: 16777216).
  uint32_t max_message_bytes;
  // The most fragments of one received message (default: 131072).
  uint32_t max_fragments;
  // The longest request or response header, in bytes (default: 16384).
  uint32_t max_header_bytes;
  // Messages and AUTH events that may wait for the host; at more, reading stops and TCP slows the peer (default: 4096).
  uint32_t inbound_packets;
  // Bytes of messages and of AUTH events that may wait for the host (default: 4194304).
  uint32_t inbound_bytes;
  // Messages that may wait to be sent (default: 4096).
  uint32_t outbound_packets;
  // Bytes that may wait to be sent (default: 4194304).
  uint32_t outbound_bytes;
  // Messages a peer may send in a second before it is closed with 1008; those behind are dropped (default: WS_OFF).
  uint32_t max_messages_per_s;
  // Bytes of messages a peer may send in a second before it is closed with 1008; messages behind are dropped (default: WS_OFF).
  uint32_t max_bytes_per_s;
  // Server: clients that may be connected; one that has ended counts until its messages were read; more are answered with 503 (default: 4096).
  uint32_t max_clients;
  // Server: clients from one IP address, counted as for max_clients; more are answered with 503 (default: WS_OFF, as behind a proxy all clients share one).
  uint32_t max_clients_per_address;
  // Server: opening handshakes under way at a time; more wait in the system's queue (default: 256).
  uint32_t max_pending_handshakes;
  // Server, host: WS_FULL_* (default: WS_FULL_SKIP; of a host WS_FULL_DISCONNECT, as a game cannot do without a packet).
  uint32_t on_full;
  // TCP_NODELAY: WS_OFF leaves Nagle's algorithm on (default: small messages leave at once).
  uint32_t no_delay;
  // How many texts `headers` points to.
  uint32_t headers_count;
  // With WS_DEFLATE: how hard to compress, 1 (fast) to 9 (small) (default: 1, as a game pays in frame time).
  uint32_t deflate_level;
  // With WS_DEFLATE: shorter messages are not compressed, in bytes; WS_OFF: none is (default: 64).
  uint32_t deflate_threshold_bytes;
  // With WS_DEFLATE: window of the server's compressor as a power of two, 9 to 15 (default: 15).
  uint32_t server_max_window_bits;
  // With WS_DEFLATE: window of the client's compressor as a power of two, 9 to 15 (default: 15).
  uint32_t client_max_window_bits;
  // The most that a message over 1 MiB may have been compressed, in bytes for a byte; at more the connection is closed with 1008 (default: 256).
  // What is sent keeps to half of it.
  uint32_t max_inflate_ratio;
  // Zero.
  uint32_t reserved;
  // Extra headers of the request (client) or of the answer (server), each "Name: value".
  const char *const *headers;
  // Subprotocols in order of preference, "chat.v2, chat.v1". Client: offered; the server must choose one. Server: chooses the client's first that it knows;
  // a client that offers none of them is refused with 400.
  const char *subprotocols;
  // Client: PEM of certificates to trust besides the bundled and the system's: of CAs, or of the server itself, even if a CA signed it, it is marked
  // CA:TRUE, it names its host only in the common name, or it is of X.509 version 1. What cannot be used is left out with a warning in the log;
  // WS_ERR_TLS if all is. The text may be indented, in one line, or have its line ends written out as \n.
  const char *ca_pem;
  // PEM of the certificate chain, own certificate first; as ca_pem is read. A wss:// server needs it; a client sends it when asked.
  const char *cert_pem;
  // PEM of the private key of cert_pem (PKCS #8, PKCS #1 or SEC1).
  const char *key_pem;
  // Client: the name to ask for (SNI) and to check the certificate against, instead of the URL's host.
  const char *server_name;
  // Client: SHA-256 of the server's own certificate (DER), 64 hex digits, colons allowed. It is then trusted by this alone.
  const char *pin_sha256;
  // The first value of ws_set_user().
  void *user;
  // With WS_SCENE: the longest remote call, its arguments included, in bytes (default: 1048576).
  // Who sends a longer one is closed with 1002; a join drops one that was passed on, and reports it by ERROR. A put of one is WS_ERR_TOO_BIG.
  uint32_t max_call_bytes;
  // With WS_SCENE: the most items that the arguments of a remote call may be, as ws_decode_call() counts them (default: 65536).
  // At more, as max_call_bytes.
  uint32_t max_call_items;
} ws_config;

// A value of Godot's, or the head of a container whose items follow it in the array. Fields that a type has no use for are zero; zero them too when you
// make one. 160 bytes with 64-bit pointers, 152 with 32-bit.
typedef struct ws_variant {
  // WS_VARIANT_*.
  int32_t type;
  // How many items, pairs, elements or names belong to it.
  uint32_t count;
  // BOOL: 0 or 1. INT. ARRAY, DICTIONARY: what its elements have to be, 0: anything. NODE_PATH: 1 when it is absolute.
  int64_t integer;
  // FLOAT: number[0]. The components of vectors, rectangles, transforms and colours. NODE_PATH: number[0] is how many of its names are sub-names.
  double number[16];
  // STRING, STRING_NAME: UTF-8, not NUL-terminated. Packed arrays: their elements. Lent; never NULL in what was decoded.
  const uint8_t *data;
  // How many bytes.
  size_t len;
} ws_variant;

// A call that has come. 24 bytes with 64-bit pointers, 16 with 32-bit.
typedef struct ws_call {
  // The path of the node as it was declared, without "/root/"; NUL-terminated, lent as the packet is.
  const char *path;
  // The name of the method; NUL-terminated, lent likewise.
  const char *method;
  // How many arguments it has.
  uint32_t arguments;
  // How many items these are, those in containers included.
  uint32_t items;
} ws_call;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The state of a handle now, while the queue may lag: WS_CONNECTING, WS_OPEN, WS_CLOSING, WS_CLOSED, or WS_ERR_HANDLE. Any thread.
WS_API int32_t ws_get_state(ws_handle h);

// How many messages wait behind a handle, or WS_ERR_HANDLE. Any thread.
WS_API int32_t ws_get_available(ws_handle h);

// Copies a text out: WS_GET_URL and the others. Cut at a code point if `cap` is short, always terminated when cap is above 0.
//
// `len` (may be NULL) is the whole length without the NUL. Returns WS_OK, WS_TRUNCATED, WS_ERR_ARG (unknown `what`), WS_ERR_KIND,
// WS_ERR_HANDLE, WS_ERR_NULL. Any thread.
WS_API ws_result ws_get_text(ws_handle h, int32_t what, char *buf, size_t cap, size_t *len);

// Copies the value of a header out, as ws_get_text(): of the request on a server's client, of the answer on a client. `name` in any case;
// `index` counts headers of the same name from 0.
//
// Returns as ws_get_text(), and WS_EMPTY when there is no such header (buf and len are untouched). Any thread.
WS_API ws_result ws_get_header(ws_handle h, const char *name, uint32_t index, char *buf, size_t cap, size_t *len);

// Copies the counters out. `size` is sizeof(ws_stats); fields that this library does not know are left as they are.
//
// Returns WS_OK, WS_ERR_NULL, WS_ERR_ARG (size below 8), WS_ERR_HANDLE. Any thread.
WS_API ws_result ws_get_stats(ws_handle h, struct ws_stats *out, size_t size);

// How a connection ended, as its CLOSED or DISCONNECTED tells it; that stays in the queue. For a host that asks for states instead of reading events, while
// messages still wait in front of the event. packet.data is ""; WS_GET_ERROR and WS_GET_CLOSE_REASON are the texts.
//
// Returns WS_OK, WS_EMPTY while it lives, WS_ERR_KIND (a server), WS_ERR_HANDLE, WS_ERR_NULL. Any thread.
WS_API ws_result ws_get_end(ws_handle h, struct ws_event *out);

// Reads an option, WS_OPT_*. Returns WS_OK, WS_ERR_ARG (unknown), WS_ERR_KIND (a server's option), WS_ERR_HANDLE, WS_ERR_NULL. Any thread.
WS_API ws_result ws_get_option(ws_handle h, int32_t option, uint32_t *out);

// Sets an option, WS_OPT_*, from now on. On a server: for the server and for clients that connect later; set it on a client's handle for that one.
//
// Returns WS_OK, WS_ERR_ARG (unknown, or a value out of range), WS_ERR_KIND, WS_ERR_HANDLE. Any thread.
WS_API ws_result ws_set_option(ws_handle h, int32_t option, uint32_t value);

// Sets a value of the host's own that comes back in every packet and event of this connection. A server's clients start with their server's.
//
// Returns WS_OK or WS_ERR_HANDLE. Any thread.
WS_API ws_result ws_set_user(ws_handle h, size_t user);

// Lists the handles of a server's or a host's clients, those included whose DISCONNECTED was not taken yet.
//
// `count` is how many there are, even when more than `cap`. Returns WS_OK, WS_TRUNCATED, WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL. Any thread.
WS_API ws_result ws_get_conns(ws_handle h, ws_handle *out, size_t cap, size_t *count);

// Lists the handles of those of a server's or a host's clients that have something to take: messages, or events such as CONNECTED. For a host that
// reads each client by its own handle.
//
// `count` is how many there are, even when more than `cap`. Returns as ws_get_conns(). Any thread.
WS_API ws_result ws_get_waiting(ws_handle h, ws_handle *out, size_t cap, size_t *count);

// The handle of the connection to a peer, by its id: on a host that of its client, on a join its own for 1.
//
// Returns WS_OK, WS_ERR_TARGET (no such peer), WS_ERR_KIND (no host or join), WS_ERR_HANDLE, WS_ERR_NULL. Any thread.
WS_API ws_result ws_get_conn(ws_handle h, int32_t peer_id, ws_handle *out);

// The id of a host (1), of a host's client, or of a join (0 until it has come); or WS_ERR_KIND, WS_ERR_HANDLE. Any thread.
WS_API int32_t ws_get_peer_id(ws_handle h);

// The name of a result, "WS_OK" and so on; "WS_UNKNOWN" for a number that is none. Static; never NULL. Any thread.
WS_API const char *ws_result_name(ws_result r);

// Copies out the sentence of this thread's last failed call: what was wrong and what to do. "" before any. Its words may change; decide by the code.
//
// As ws_get_text(). Each thread has its own.
WS_API ws_result ws_last_error(char *buf, size_t cap, size_t *len);

// Sets which log lines are kept from now on, WS_LOG_*. Returns WS_OK or WS_ERR_ARG. Any thread.
WS_API ws_result ws_set_log_level(int32_t level);

// Gives a word of this header a name that your users know: all sentences have that name from then on, those of ws_last_error(), of events, of
// WS_GET_ERROR and of the log. For bindings whose options have other names. `word` is a field of ws_config or a flag, as "max_message_bytes" or
// "WS_QUEUE_BEFORE_OPEN"; `name` has at most 64 bytes, and NULL stands for the word itself. A word that no sentence has is no error.
//
// Returns WS_OK, WS_ERR_TOO_BIG, WS_ERR_LIMIT (more than 256), WS_ERR_NULL, WS_ERR_UTF8. Any thread.
WS_API ws_result ws_set_name(const char *word, const char *name);

// Takes the next log line, "level: text". Nothing is ever printed by the library. At most 1024 lines are kept.
//
// A line is taken only when it fits; else WS_TRUNCATED, and *len is the room it needs without the NUL. Returns WS_OK, WS_EMPTY, WS_TRUNCATED,
// WS_ERR_NULL. Any thread.
WS_API ws_result ws_get_log(char *buf, size_t cap, size_t *len);

// What this build and platform can do: WS_FEATURE_* together. Any thread.
WS_API uint32_t ws_get_features(void);

// WS_VERSION of the library that is loaded. Any thread.
WS_API uint32_t ws_version(void);

// WS_ABI_VERSION of the library that is loaded; another one than the header's must not be used. Any thread.
WS_API uint32_t ws_abi_version(void);

// How many bytes a struct has in the library that is loaded, WS_STRUCT_*: a binding holds its own layouts against it when it loads. ws_packet, ws_event,
// ws_variant and ws_call are equal in all versions with one WS_ABI_VERSION; the others are at least as long as in the header that they were taken from.
//
// Returns the size, or 0 for a number that is none. Any thread.
WS_API uint32_t ws_struct_size(int32_t which);

// Starts the closing handshake, behind the messages that were accepted; poll until CLOSED to be sure that they left. `code` 0 means 1000,
// -1 drops the connection at once; else 1000-1003, 1007-1014 or 3000-4999. `reason` (NULL: none) has up to 123 bytes.
// A server stops listening and closes its clients, with 1001 for 0. A handle that is closing or closed is left as it is. Messages that had arrived stay
// readable.
//
// Returns WS_OK, WS_ERR_ARG, WS_ERR_UTF8, WS_ERR_HANDLE, WS_ERR_PANIC. Any thread.
WS_API ws_result ws_close(ws_handle h, int32_t code, const char *reason);

// Closes one client of a server (target: its handle), all (0) or all but one (minus its handle); code and reason as ws_close(). On a host a target is
// a peer's id instead. Nothing more of that client is delivered but its DISCONNECTED: messages and events that wait are dropped, and messages that
// still come; ws_stats.skipped counts the messages. To go on reading what it sent, ws_close() its own handle instead.
//
// Returns WS_OK, WS_ERR_TARGET, WS_ERR_KIND, WS_ERR_ARG, WS_ERR_UTF8, WS_ERR_HANDLE, WS_ERR_PANIC. Any thread.
WS_API ws_result ws_disconnect(ws_handle h, int32_t target, int32_t code, const char *reason);

// Retires a handle in any state and ends its loans; one last write is tried, by a thread of the library where it takes more than a millisecond. What the
// peer has not acknowledged may be lost: to be sure, ws_close() and poll until CLOSED first. A server: its clients' handles retire too. A server's
// client: it is dropped and forgotten. 0 and stale handles are harmless. Never blocks. Any thread.
WS_API void ws_free(ws_handle h);

// Frees all handles that were opened with this ws_config.owner: what a binding calls when its host reloads. 0 frees none. Any thread.
WS_API void ws_free_owner(uint32_t owner);

// Frees all handles, forgets TLS sessions that a next connect would resume, and asks the library's threads to end; waits for none. The library works again
// after the next open. Any thread.
WS_API void ws_shutdown(void);

// Moves a handle on: connects, accepts, reads, answers pings, writes, judges timers. Call it once a frame for every handle but a server's clients
// (their server moves them; polling one polls it). Never blocks; works for at most poll_budget_us. After more than a second without a poll or ws_wait(), as
// behind a loading screen, all times move on by that gap, so a host that polls less often than once a second has no time-outs: let it ws_wait().
//
// Returns WS_OK, WS_MORE when the budget ended with work left, WS_ERR_HANDLE, WS_ERR_PANIC. Never an error for a closed handle. Any thread.
WS_API ws_result ws_poll(ws_handle h);

// Takes the next message; other events stay. A server's handle serves its clients in turn; a client's own handle gives only its own.
//
// out->data is lent until the next call that reads items through the same handle (WS_EMPTY included), or its ws_free(); ws_poll() does not
// end the loan, and the bytes may be put again into any handle. One thread at a time reads from a handle.
// Returns WS_OK, WS_EMPTY, WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_PANIC.
WS_API ws_result ws_get_packet(ws_handle h, struct ws_packet *out);

// Takes up to `cap` messages at once, as ws_get_packet() would one after the other; all of them stay valid together.
//
// `count` is how many were written to `out`. Returns WS_OK, WS_EMPTY when there is none, WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_ARG (cap is 0), WS_ERR_PANIC.
WS_API ws_result ws_get_packets(ws_handle h, struct ws_packet *out, size_t cap, size_t *count);

// Takes the next item, whatever it is: OPEN, MESSAGE, CLOSE_REQUEST, CLOSED and the others, in order. On a server's handle: of its clients in turn,
// in order within each, and its own.
//
// out->packet.data is lent as by ws_get_packet(). Returns WS_OK, WS_EMPTY, WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_PANIC. One thread at a time.
WS_API ws_result ws_next_event(ws_handle h, struct ws_event *out);

// Takes up to `cap` items at once, as ws_next_event() would one after the other; all of them stay valid together.
//
// `count` is how many were written to `out`. Returns as ws_get_packets(). One thread at a time.
WS_API ws_result ws_next_events(ws_handle h, struct ws_event *out, size_t cap, size_t *count);

// Fills a config with zeros, which mean the defaults, and sets its struct_size. Call it with sizeof(ws_config): a program then goes on
// working when the struct grows.
//
// Returns WS_OK, WS_ERR_NULL or WS_ERR_CONFIG (an impossible size). Any thread.
WS_API ws_result ws_config_init(struct ws_config *config, size_t size);

// Opens a client: "ws://host:port/path?query" or "wss://…". Returns at once with a handle in CONNECTING; poll it until OPEN or CLOSED.
// A user name and password in the URL become an Authorization header, unless `headers` has one. A #fragment is left out. Failures of the network are told by the CLOSED event.
// A link-local IPv6 address needs its interface, by name or number: "ws://[fe80::1%25eth0]:9080" or "ws://[fe80::1%eth0]:9080". The Host header is without it.
//
// `config` may be NULL. Returns WS_OK and the handle, or WS_ERR_URL, WS_ERR_CONFIG, WS_ERR_TLS, WS_ERR_LIMIT, WS_ERR_NULL, WS_ERR_UTF8.
// Any thread.
WS_API ws_result ws_connect(const char *url, const struct ws_config *config, ws_handle *out);

// Opens a server: "ws://127.0.0.1:9080", "wss://[::]:443", "ws://*:9080" (both families), "ws://localhost:0" (any free port, see WS_OPT_PORT).
// [::] is IPv6 alone, 0.0.0.0 IPv4 alone, * both; a link-local address as for ws_connect(). A query, fragment, user name or password is WS_ERR_URL.
// The host is an IP address, localhost or *. A path other than "/" restricts requests to it: others get 404. wss:// needs cert_pem and key_pem.
// Failures to bind are told at once.
//
// `config` may be NULL. Returns WS_OK and the handle, or WS_ERR_ADDRESS, WS_ERR_URL, WS_ERR_CONFIG, WS_ERR_TLS, WS_ERR_LIMIT, WS_ERR_NULL,
// WS_ERR_UTF8. Any thread.
WS_API ws_result ws_listen(const char *url, const struct ws_config *config, ws_handle *out);

// Opens a multiplayer host, peer 1: a server, as ws_listen(), whose clients get ids, 2 to 2147483647, drawn at random. The URL is as there. Targets
// of ws_put_packet_to() and ws_disconnect() are ids; packets and events say by peer_id who sent them and whom they are about. In Godot 4's format, or with
// WS_GODOT3 in that of Godot 3.2 to 3.6; there, and with WS_SCENE, it also passes on what one client sends to others. on_full is WS_FULL_DISCONNECT unless set.
//
// `config` may be NULL. Returns as ws_listen(). Any thread.
WS_API ws_result ws_host(const char *url, const struct ws_config *config, ws_handle *out);

// Opens a multiplayer client: joins a host of ws_host() or of Godot. The URL is as for ws_connect(). It is CONNECTING until its id has come, for at most
// connect_timeout_ms; then come OPEN, with its id as peer_id, and CONNECTED of peer 1, the host. With WS_SCENE or WS_GODOT3 the other peers are told by
// CONNECTED and DISCONNECTED too; with WS_AUTH it is CONNECTING until it is admitted. CLOSED ends it, and stands for all peers.
//
// `config` may be NULL. Returns as ws_connect(). Any thread.
WS_API ws_result ws_join(const char *url, const struct ws_config *config, ws_handle *out);

// Joins a host of this process in memory, in the host's format: the player who sits at the host's machine. It gets an id and is told as everybody is;
// only WS_OPT_REFUSE_NEW, the path and the limits of clients are not for it. Poll both handles; they have locks of their own.
//
// `config` is the player's and may be NULL. Returns WS_OK and the handle, or WS_ERR_KIND (no host), WS_ERR_STATE (it is closing), WS_ERR_HANDLE,
// WS_ERR_CONFIG, WS_ERR_LIMIT, WS_ERR_NULL. Any thread.
WS_API ws_result ws_join_local(ws_handle host, const struct ws_config *config, ws_handle *out);

// Opens two connections that talk to each other in memory through the real protocol: for a local player and for tests. Each end moves its bytes
// in its own ws_poll(); the two share one lock.
//
// `config` serves both and may be NULL. Returns WS_OK and the handles, or an error as ws_connect(). Any thread.
WS_API ws_result ws_pair(const struct ws_config *config, ws_handle *server_end, ws_handle *client_end);

// Opens a connection whose bytes the host carries itself, by ws_feed() and ws_take_output(): another transport, a recording, a test.
// `role` is WS_ROLE_CLIENT or WS_ROLE_SERVER.
//
// `config` may be NULL. Returns WS_OK and the handle, or WS_ERR_ARG or an error as ws_connect(). Any thread.
WS_API ws_result ws_attach(const struct ws_config *config, int32_t role, ws_handle *out);

// Gives a connection of ws_attach() bytes that came by its transport; they are copied. They are worked on by the next ws_poll().
// `bytes` NULL with `len` 0 says that the transport has ended.
//
// `taken` (may be NULL) is how many bytes were taken: fewer than `len`, even 0, when the host does not poll or read; feed the rest later.
// Returns WS_OK, or WS_ERR_STATE (the connection has ended), WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_TOO_BIG. Any thread.
WS_API ws_result ws_feed(ws_handle h, const uint8_t *bytes, size_t len, size_t *taken);

// Takes bytes that a connection of ws_attach() wants to send by its transport. Ask until *len is 0, after each ws_poll() and put.
// When the state is CLOSED and *len is 0, end the transport.
//
// `len` is how many bytes were written to `buf`. Returns WS_OK, or WS_EMPTY when there is nothing, WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL. Any thread.
WS_API ws_result ws_take_output(ws_handle h, uint8_t *buf, size_t cap, size_t *len);

// Declares a node of the game, so that it can be called and its calls be understood: `path` as "Game" or "/root/Game", and all its RPCs. Godot numbers
// them, and both sides compare a checksum of their names, so `methods` names every function of the node's script that is annotated @rpc, and no other, in
// any order: "hello, move, shoot". Names behind a semicolon are those that Node.rpc_config() made callable. NULL forgets the node. Declare at once after
// ws_host() or ws_join(): calls of a node that is not declared are lost, and told by ERROR with WS_CAUSE_NO_NODE.
//
// `h` is a host or a join with WS_SCENE. Returns WS_OK, WS_ERR_ARG (the path, a name twice, declared with other methods, or nothing to forget),
// WS_ERR_LIMIT, WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8. Any thread.
WS_API ws_result ws_declare_node(ws_handle h, const char *path, const char *methods);

// Sends data for the authentication of a peer, after its AUTHENTICATING: on a host of any such peer, on a join of peer 1. It comes there as AUTH, or in
// Godot's auth_callback. Needs WS_SCENE | WS_AUTH.
//
// Returns WS_OK, WS_ERR_TARGET (no such peer, or admitted already), WS_ERR_STATE (one side has completed), WS_ERR_ARG (no data), WS_ERR_FULL,
// WS_ERR_TOO_BIG (over 64 KiB), WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL. Any thread.
WS_API ws_result ws_send_auth(ws_handle h, int32_t peer_id, const uint8_t *data, size_t len);

// Says that the authentication of a peer is complete on this side. From then on the peer is admitted once the other side has completed it too, or by the
// next packet of any kind that comes of it, as in Godot: CONNECTED follows, on a join OPEN and CONNECTED. Until then AUTH events tell what it sends for the
// authentication; other packets wait, also those in front of that, and are dropped if the peer ends before it is admitted. To refuse a
// peer: ws_disconnect(), or ws_close() on a join. Who is not authenticated within WS_OPT_AUTH_TIMEOUT_MS is disconnected.
//
// Returns WS_OK, WS_ERR_TARGET (no such peer, or admitted already), WS_ERR_STATE (completed already), WS_ERR_FULL, WS_ERR_KIND, WS_ERR_HANDLE. Any thread.
WS_API ws_result ws_complete_auth(ws_handle h, int32_t peer_id);

// Makes a call of `method` of the node at `path` ("Game" or "/root/Game") to put as WS_CALL. `items` are the arguments: each value is one item, behind a
// container's item come those of what it contains, and so on; a call has at most 255 arguments.
//
//   ws_variant args[3] = {{.type = WS_VARIANT_INT, .integer = 5}, {.type = WS_VARIANT_ARRAY, .count = 1}, {.type = WS_VARIANT_FLOAT, .number = {1.5}}};
//   uint8_t call[256];
//   size_t len;
//   if (ws_encode_call("Game", "hello", args, 3, call, sizeof call, &len) == WS_OK) ws_put_packet_to(h, 1, call, len, WS_CALL);   // hello(5, [1.5])
//
// `len` is the length of the call, even when it is more than `cap`: the result is then WS_ERR_TOO_BIG, and what was written to `buf` is of no use.
// Neither the path, the method, the items nor what they point to may lie in `buf`.
// Returns WS_OK, WS_ERR_TOO_BIG, WS_ERR_ARG (an item that is wrong, or what lies in `buf`; ws_last_error() says which), WS_ERR_NULL, WS_ERR_UTF8. Any thread.
WS_API ws_result ws_encode_call(const char *path, const char *method, const struct ws_variant *items, size_t count, uint8_t *buf, size_t cap, size_t *len);

// Reads a call: a packet of type WS_CALL. Its arguments come as items, as ws_encode_call() takes them; all that they point to is lent as the packet is.
//
// `out` says which method of which node, and how many arguments and items there are. At most `cap` items are written to `items`; the result is
// WS_TRUNCATED when there are more. After a failure what was written to `items` is of no use. Neither `out` nor `items` may lie in `data`. Returns WS_OK, WS_TRUNCATED, WS_ERR_ARG (no call), WS_ERR_UNSUPPORTED (an argument that means nothing to another
// program), WS_ERR_NULL, WS_ERR_TOO_BIG. Any thread.
WS_API ws_result ws_decode_call(const uint8_t *data, size_t len, struct ws_call *out, struct ws_variant *items, size_t cap);

// Writes one value as Godot's var_to_bytes() does, for bytes_to_var() and get_var(). `items` as for ws_encode_call().
//
// Returns as ws_encode_call(); WS_ERR_ARG too when the items are not one value. Any thread.
WS_API ws_result ws_encode_variant(const struct ws_variant *items, size_t count, uint8_t *buf, size_t cap, size_t *len);

// Reads one value as Godot's var_to_bytes() and put_var() write it. All that the items point to is lent from `data`.
//
// `count` is how many items there are; at most `cap` are written, and the result is WS_TRUNCATED when there are more. `used` (may be NULL) is how many
// bytes the value has, which may be fewer than `len`. `items` may not lie in `data`. Returns as ws_decode_call(). Any thread.
WS_API ws_result ws_decode_variant(const uint8_t *data, size_t len, struct ws_variant *items, size_t cap, size_t *count, size_t *used);

// Puts a message of type WS_TEXT or WS_BINARY; the bytes are copied. The handle of a server or host: to all its open clients, encoded once.
// A join: to the host in Godot 4's format, to everyone with WS_SCENE or WS_GODOT3, which have no WS_TEXT. With WS_SCENE a message of type WS_BINARY is
// what send_bytes() sends, and one of type WS_CALL, made by ws_encode_call(), calls a method of a node at the other side.
// It is written at once when nothing waits before it; with WS_COALESCE, by ws_flush(), the next polls or at 128 KiB. With WS_DEFLATE a message over 64 KiB is
// compressed in slices by the polls and flushes that follow.
//
// Returns WS_OK (accepted), WS_PARTIAL (a server: some clients were full; see SKIPPED), WS_ERR_FULL (not accepted: put it again after WRITABLE),
// WS_ERR_STATE (not OPEN), WS_ERR_LIMIT (no memory left for it, and nothing was taken), WS_ERR_TOO_BIG, WS_ERR_UTF8, WS_ERR_ARG, WS_ERR_NULL, WS_ERR_HANDLE,
// WS_ERR_PANIC. Any thread.
WS_API ws_result ws_put_packet(ws_handle h, const uint8_t *data, size_t len, int32_t type);

// Puts a message to one client of a server (target: its handle), to all (0), or to all but one (target: minus its handle; one that is gone is no error).
// On a host and a join a target is a peer's id instead. A join in Godot 4's plain format reaches only the host: other targets, 0 included, are
// WS_ERR_TARGET; with WS_SCENE and WS_GODOT3 it reaches the others by way of the host.
//
// Returns as ws_put_packet(), and WS_ERR_TARGET (no such client or peer), WS_ERR_ARG (INT32_MIN), WS_ERR_KIND (no server, host or join). Any thread.
WS_API ws_result ws_put_packet_to(ws_handle h, int32_t target, const uint8_t *data, size_t len, int32_t type);

// Writes what waits to be sent, as far as the transport takes it. A server: of all its clients.
//
// Returns WS_OK, WS_ERR_HANDLE, WS_ERR_PANIC. Any thread.
WS_API ws_result ws_flush(ws_handle h);

// Waits until one of `n` handles has something to poll or to read, for hosts without frames: the only call that may block. 0 and stale handles are
// passed over. `timeout_ms` -1: without end; 0: only a look.
//
// Returns WS_OK (poll now), WS_EMPTY (the time is over), WS_ERR_NULL, WS_ERR_ARG, WS_ERR_HANDLE (none of the handles is valid),
// WS_ERR_LIMIT. Any thread; each thread waits for itself.
WS_API ws_result ws_wait(const ws_handle *handles, size_t n, int32_t timeout_ms);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* WSPEER_H */
