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

// As a limit or a time, in ws_config and ws_set_option(): unlimited, or switched off.
#define WS_OFF 0xFFFFFFFFu


// Version of this header: major * 10000 + minor * 100 + patch. ws_version() returns that of the loaded library.
#define WS_VERSION 100

// Version of the binary interface. It is raised only by a change that breaks programs built against an older header.
#define WS_ABI_VERSION 1

// The call succeeded.
#define WS_OK 0

// The call succeeded, but there is nothing to return. Ask again in the next frame.
#define WS_EMPTY 1

// ws_poll(): the time budget is exhausted and work is left. Nothing is lost: the next poll continues. A program with
// time left may poll again at once.
#define WS_MORE 2

// Some of several targets could not take the message. SKIPPED events name them.
#define WS_PARTIAL 3

// The output did not fit, and the buffer holds its beginning: a text is cut at a code point and NUL-terminated. The
// call's length or count output is the whole size.
#define WS_TRUNCATED 4

// An argument is out of range.
#define WS_ERR_ARG -1

// A required pointer is NULL.
#define WS_ERR_NULL -2

// The handle is invalid: it is 0, stale (freed or retired), or was never issued.
#define WS_ERR_HANDLE -3

// The call does not apply to this type of handle; see the tables at the top of this header.
#define WS_ERR_KIND -4

// The handle is in the wrong state for the call. Messages can be sent only while OPEN, or before that with
// WS_QUEUE_BEFORE_OPEN.
#define WS_ERR_STATE -5

// The outbound queue is full, and the message was not accepted. Poll, and send it again after the WRITABLE event.
#define WS_ERR_FULL -6

// A length is too large: a message exceeds max_message_bytes, a call or value does not fit the buffer, or memory
// cannot hold it.
#define WS_ERR_TOO_BIG -7

// A text is not valid UTF-8.
#define WS_ERR_UTF8 -8

// The target does not exist, or cannot be reached from this handle.
#define WS_ERR_TARGET -9

// The ws_config is invalid: its size, its flags, or the value of a field. ws_last_error() names the field.
#define WS_ERR_CONFIG -10

// The URL is invalid, or has a part that the call does not allow.
#define WS_ERR_URL -11

// A certificate, a key or pin_sha256 in the config cannot be used.
#define WS_ERR_TLS -12

// ws_listen() and ws_host(): the address cannot be bound. ws_last_error() has the reason.
#define WS_ERR_ADDRESS -13

// This build or platform does not support the call or the option; see ws_get_features(). ws_decode_call() and
// ws_decode_variant(): a value has a type that only Godot can read.
#define WS_ERR_UNSUPPORTED -14

// A limit of the library or the system is reached: no handle, descriptor, thread or memory is left.
#define WS_ERR_LIMIT -15

// A defect in wspeer was caught. The handle is retired, and with it those that share its lock; the program continues.
// ws_get_log() has the details.
#define WS_ERR_PANIC -16

// ws_serve(): the directory does not exist or cannot be opened. ws_last_error() has the reason.
#define WS_ERR_DIRECTORY -17

// A text message, always valid UTF-8 (RFC 6455 section 5.6).
#define WS_TEXT 1

// A binary message (RFC 6455 section 5.6).
#define WS_BINARY 2

// A remote call, with WS_SCENE only. ws_encode_call() makes one to send, ws_decode_call() reads a received one.
#define WS_CALL 3

// With WS_SCENE: a packet of Godot's MultiplayerSpawner or MultiplayerSynchronizer, as it is on the wire. Received with
// WS_RAW_REPLICATION only.
#define WS_REPLICATION 4

// Received, with WS_SCENE: SPAWN, for ws_decode_replication().
#define WS_SPAWN 5

// Received, with WS_SCENE: DESPAWN, for ws_decode_replication().
#define WS_DESPAWN 6

// Received, with WS_SCENE: SYNC, for ws_decode_replication().
#define WS_SYNC 7

// Name lookup, TCP, TLS or the opening handshake (RFC 6455 section 4) is in progress; with WS_ASK the request of a
// client waits for the program.
#define WS_CONNECTING 0

// Messages can be sent and received. A server is OPEN while it listens.
#define WS_OPEN 1

// The closing handshake (RFC 6455 section 7.1.2) is in progress. Messages that arrive are still delivered.
#define WS_CLOSING 2

// The connection has ended. Messages received before can still be read.
#define WS_CLOSED 3

// With WS_RECONNECT: the link was lost, and the next one is not open yet. Messages received before can still be read.
// With session_ms, of a client of a server too: messages are accepted.
#define WS_LOST 4

// A connection of ws_connect(), ws_pair() or ws_attach() is OPEN. A join: it has received its id, event.peer_id, and
// with WS_AUTH it has been admitted.
#define WS_EVENT_OPEN 1

// A message was received: event.packet.
#define WS_EVENT_MESSAGE 2

// The peer has started the closing handshake (RFC 6455 section 7.1.3). event.code is its status code, 1005 if it sent
// none; event.packet.data is its reason. wspeer answers by itself.
#define WS_EVENT_CLOSE_REQUEST 3

// The connection, or the server itself, has ended. This is the last event of its handle.
#define WS_EVENT_CLOSED 4

// Server, host: a client has completed its opening handshake. event.conn is its handle; on a host event.peer_id is its
// id.
// Join: peer event.peer_id is present. Peer 1 is the host. The others are reported with WS_SCENE and WS_GODOT3 only.
#define WS_EVENT_CONNECTED 5

// Server, host: a client's connection has ended. This is the last event of the client's handle, which retires in the
// server's next ws_poll().
// Join with WS_SCENE or WS_GODOT3: peer event.peer_id has left. When the join's own connection ends, CLOSED stands for
// all peers.
#define WS_EVENT_DISCONNECTED 6

// The outbound queue has room again, after it refused a message.
#define WS_EVENT_WRITABLE 7

// event.count messages or events were left out because a queue was full.
// event.conn is a client of a server: its outbound queue had no room for messages to several targets. Reported once
// until there is room again.
// event.conn is the server's own handle, a join, a client that reconnects, or a client of a server whose link was lost
// more than 8 times: the program did not read its events, so lifecycle events, and on a join errors about other peers,
// were dropped.
#define WS_EVENT_SKIPPED 8

// A failure that does not end the connection. event.cause and the text in event.packet.data describe it.
// The text of any event has at most 1024 bytes, and quotes at most 256 bytes of a path or name.
#define WS_EVENT_ERROR 9

// With WS_AUTH: peer event.peer_id has to be authenticated. Answer with ws_send_auth() and ws_complete_auth(), or
// refuse it with ws_disconnect(), on a join ws_close(). AUTH events report the data that it sends. CONNECTED follows
// as ws_complete_auth() describes.
#define WS_EVENT_AUTHENTICATING 10

// With WS_AUTH: event.packet holds data that peer event.peer_id sent for its authentication.
#define WS_EVENT_AUTH 11

// ws_diagnose(): a step of opening the connection. event.packet.data is a sentence about it, event.phase the phase
// that it belongs to, event.cause what is wrong (WS_CAUSE_NONE: the step succeeded), event.time_ns when it happened.
#define WS_EVENT_STEP 15

// Server, host, with WS_REPORT_REFUSED: a client failed before CONNECTED. event.phase, event.cause and
// event.http_status say why; event.packet.data is its address and port, a colon and a space, and the reason as a
// sentence. event.conn is the server. event.count is 1; when 256 of them wait to be read, further clients only add to
// the count of the last.
#define WS_EVENT_REFUSED 14

// Server, host with WS_ASK: a client has sent a request on which the program decides: ws_accept() or ws_reply().
// event.conn is its handle, which is CONNECTING and has the texts and headers of the request. event.count is 1 for a
// request to open a WebSocket, 0 for plain HTTP; event.packet is the body of the request. Either CONNECTED follows or
// DISCONNECTED.
#define WS_EVENT_REQUEST 16

// Client, join with WS_RECONNECT: the link was lost, and another is opened. The fields are those of CLOSED;
// event.unsent is the number of accepted messages that had not left. OPEN follows, or CLOSED. On a join it stands
// for DISCONNECTED of all peers. With session_ms, also of a server's client: nothing is lost, peers stay, and RESUMED
// follows, or CLOSED or DISCONNECTED.
#define WS_EVENT_LOST 17

// With session_ms: another link continues the session, and nothing was lost. event.count is the number of messages that
// are sent again.
#define WS_EVENT_RESUMED 18

// With WS_SCENE: peer event.peer_id has spawned a node of a scene that was declared with ws_declare_scene().
// event.packet is for ws_decode_replication(). The peer's nodes are gone with its DISCONNECTED; on a join also with
// CLOSED, and with LOST if there is no session.
#define WS_EVENT_SPAWN 19

// With WS_SCENE: peer event.peer_id has despawned such a node, or shows it no more to this one.
#define WS_EVENT_DESPAWN 20

// With WS_SCENE: peer event.peer_id has synchronized properties of one node or more.
#define WS_EVENT_SYNC 21

// The event has no phase.
#define WS_PHASE_NONE 0

// Name lookup.
#define WS_PHASE_DNS 1

// Establishing the TCP connection.
#define WS_PHASE_TCP 2

// With ws_config.proxy: TLS to the proxy, and what it is asked and answers. The phases before it are those of the
// proxy's name and address, the phases after it those of the server.
#define WS_PHASE_PROXY 3

// The TLS handshake, or a later failure of TLS.
#define WS_PHASE_TLS 4

// The opening handshake over HTTP (RFC 6455 section 4).
#define WS_PHASE_HTTP 5

// The WebSocket protocol, after the opening handshake.
#define WS_PHASE_WEBSOCKET 6

// The application: a closing handshake that either side requested, a drop by the program, or a failure in the protocol
// above WebSocket, such as an authentication.
#define WS_PHASE_APP 7

// The event has no cause.
#define WS_CAUSE_NONE 0

// The program requested the close, and the closing handshake was completed (RFC 6455 section 7.1.4).
#define WS_CAUSE_CLOSED_BY_HOST 1

// The peer requested the close, and the closing handshake was completed (RFC 6455 section 7.1.4).
#define WS_CAUSE_CLOSED_BY_PEER 2

// The program dropped the connection (code -1), or closed it before it was OPEN.
#define WS_CAUSE_DROPPED 3

// The peer ended the transport without a closing handshake.
#define WS_CAUSE_PEER_GONE 4

// The transport was reset or failed. event.os_error is the system's error number.
#define WS_CAUSE_RESET 5

// The server that this client belonged to was closed.
#define WS_CAUSE_SERVER_CLOSED 6

// The close made no progress for close_timeout_ms: the peer did not answer it, or did not read what was sent before
// it.
#define WS_CAUSE_CLOSE_TIMEOUT 7

// The close made no progress for close_timeout_ms, because the inbound queue was full and the program did not read it.
#define WS_CAUSE_NOT_READING 8

// The peer sent nothing for pong_timeout_ms, not even a pong (RFC 6455 section 5.5.3).
#define WS_CAUSE_PONG_TIMEOUT 9

// The host name has no address.
#define WS_CAUSE_NAME_NOT_FOUND 20

// The name lookup failed for another reason.
#define WS_CAUSE_NAME_FAILED 21

// connect_timeout_ms expired. event.phase is the phase in which it did.
#define WS_CAUSE_CONNECT_TIMEOUT 22

// Every address refused the TCP connection.
#define WS_CAUSE_REFUSED 23

// There is no route to any of the addresses.
#define WS_CAUSE_UNREACHABLE 24

// TCP failed for another reason. event.os_error is the system's error number.
#define WS_CAUSE_TCP_FAILED 25

// The proxy refused to connect to the server, or could not. If it is an HTTP proxy, event.http_status is its status,
// and its headers and the start of its answer's body can be read as those of a server.
#define WS_CAUSE_PROXY_REFUSED 26

// The proxy requires a user name and password, or refused those of ws_config.proxy.
#define WS_CAUSE_PROXY_AUTH 27

// The proxy's answer is neither HTTP nor SOCKS 5, as ws_config.proxy says.
#define WS_CAUSE_PROXY_INVALID 28

// The system or the browser probably keeps the program from the local network until the user allows it: iOS, macOS 15,
// Android 17, Chrome. The text says what to ask for; docs/platforms.md has what to declare.
#define WS_CAUSE_LOCAL_NETWORK 29

// The certificate was not issued by a trusted authority.
#define WS_CAUSE_CERTIFICATE_UNTRUSTED 30

// The certificate has expired, or is not valid yet. Check the clocks of both machines.
#define WS_CAUSE_CERTIFICATE_EXPIRED 31

// The certificate was issued for another name.
#define WS_CAUSE_CERTIFICATE_NAME 32

// The certificate does not match pin_sha256.
#define WS_CAUSE_CERTIFICATE_PIN 33

// The certificate cannot be used for another reason.
#define WS_CAUSE_CERTIFICATE_BAD 34

// The peer does not speak TLS.
#define WS_CAUSE_NOT_TLS 35

// TLS failed for another reason.
#define WS_CAUSE_TLS_FAILED 36

// The server answered the request with a status other than 101, which is event.http_status. With WS_ASK also the end
// of a client that was answered by ws_reply().
#define WS_CAUSE_HTTP_STATUS 40

// The request or the response is not a valid opening handshake (RFC 6455 section 4).
#define WS_CAUSE_HTTP_INVALID 41

// The header of the request or response exceeds max_header_bytes.
#define WS_CAUSE_HTTP_TOO_BIG 42

// The two sides have no subprotocol in common, or the server chose one that was not offered.
#define WS_CAUSE_SUBPROTOCOL 43

// A client of the server did not complete its opening handshake within handshake_timeout_ms; with WS_ASK also: the
// program did not answer its request.
#define WS_CAUSE_HANDSHAKE_TIMEOUT 44

// REFUSED: max_clients or max_clients_per_address is reached, or the server takes no new clients (WS_REFUSE_NEW).
#define WS_CAUSE_LIMIT 45

// The peer violated RFC 6455 (close code 1002).
#define WS_CAUSE_PROTOCOL 50

// The peer sent a text that is not valid UTF-8 (close code 1007, RFC 6455 section 8.1).
#define WS_CAUSE_UTF8 51

// The peer sent a message or frame over max_message_bytes (close code 1009), or a message in more than max_fragments
// fragments (1008).
#define WS_CAUSE_TOO_BIG 52

// The peer exceeded max_messages_per_s or max_bytes_per_s (close code 1008).
#define WS_CAUSE_RATE 53

// The peer did not read, so its outbound queue was full, and on_full is WS_FULL_DISCONNECT (close code 1008).
#define WS_CAUSE_FULL 54

// The peer sent compressed data that cannot be decompressed (close code 1007), or that expands to more than
// max_inflate_ratio times its size (1008).
#define WS_CAUSE_DEFLATE 55

// The peer violated the multiplayer format (close code 1002): a wrong first message, an id below 2, a false sender, a
// truncated header, or a value that cannot be read.
// ERROR of a join with WS_SCENE: event.count packets of peer event.peer_id, relayed by the host, violated the format.
#define WS_CAUSE_MULTIPLAYER 56

// ERROR of a host with WS_SCENE or WS_GODOT3: event.count messages of peer event.peer_id were addressed to peers that
// are not present.
#define WS_CAUSE_NO_PEER 57

// The peer was not authenticated within WS_OPT_AUTH_TIMEOUT_MS (close code 1008).
#define WS_CAUSE_AUTH_TIMEOUT 58

// ERROR with WS_SCENE: a node has other methods at peer event.peer_id than were declared here. event.count calls or
// paths that the peer sent were affected; its calls of that node are dropped.
#define WS_CAUSE_CHECKSUM 59

// ERROR with WS_SCENE: event.count calls of peer event.peer_id were dropped, because their node or method is not
// declared here.
#define WS_CAUSE_NO_NODE 62

// ERROR with WS_SCENE: event.count packets of peer event.peer_id were dropped, because a program cannot use them:
// replication, objects as arguments, or authentication or relaying that is not enabled here.
#define WS_CAUSE_UNSUPPORTED 63

// ERROR of a client with WS_APP_HEARTBEAT: the server does not offer the application heartbeat. Pings (RFC 6455
// section 5.5.2) are sent instead.
#define WS_CAUSE_NO_HEARTBEAT 64

// The session (session_ms) ended: it was not resumed in time, or the server does not have it any more; event.unsent
// messages may not have arrived. ERROR of a client: there is no session, and the connection goes on without.
#define WS_CAUSE_SESSION 65

// max_total_mib: all clients together make the server hold too much. ERROR of a server: clients that hold more than
// their share are not read from, and messages to them are refused. DISCONNECTED: this client held most and moved least;
// what had been received from it and not taken is dropped.
#define WS_CAUSE_CEILING 66

// ERROR with WS_SCENE: event.count packets of peer event.peer_id were dropped, because it spawned or synchronized what
// only another peer may: the authority that was declared.
#define WS_CAUSE_AUTHORITY 67

// The system has no descriptor or memory left. ERROR with WS_SCENE: event.count calls of peer event.peer_id were
// dropped for lack of memory.
#define WS_CAUSE_RESOURCES 60

// A defect in wspeer was caught. ws_get_log() has the details.
#define WS_CAUSE_PANIC 61

// Sent messages wait for ws_flush(), the next ws_poll() or 128 KiB, so that the messages of a frame leave in one
// write.
#define WS_COALESCE 1

// Messages are accepted while CONNECTING, and leave after the opening handshake. Not for a join with WS_SCENE or
// WS_GODOT3.
#define WS_QUEUE_BEFORE_OPEN 2

// Client: accept any certificate whose key has a supported type: P-256, P-384, Ed25519, or RSA of at least 2048 bits.
// For development only; the log has a warning.
#define WS_INSECURE 4

// Client: trust only ca_pem, neither the bundled roots nor those of the system.
#define WS_ONLY_CA_PEM 8

// Server: refuse new clients with 503 until WS_OPT_REFUSE_NEW is set to 0.
#define WS_REFUSE_NEW 16

// Use permessage-deflate (RFC 7692): a client offers it, and a server accepts it from clients that offer it.
#define WS_DEFLATE 32

// With WS_DEFLATE: the server compresses each message by itself (server_no_context_takeover, RFC 7692 section
// 7.1.1.1). This saves memory, and a broadcast is compressed only once.
#define WS_SERVER_NO_CONTEXT_TAKEOVER 64

// With WS_DEFLATE: the client compresses each message by itself (client_no_context_takeover, RFC 7692 section
// 7.1.1.2).
#define WS_CLIENT_NO_CONTEXT_TAKEOVER 128

// ws_host() and ws_join(): use the format of Godot 3.2 to 3.6 with gd_mp_api, not Godot 4's. The host relays messages
// between clients.
#define WS_GODOT3 256

// Client: accept a trusted certificate that was issued for another name. For development only.
#define WS_ANY_NAME 512

// ws_host() and ws_join(): speak the protocol of Godot 4's SceneMultiplayer. Peers learn of each other and reach each
// other through the host, send raw bytes, and make remote calls.
#define WS_SCENE 1024

// With WS_SCENE: peers are admitted only after an authentication, like Godot's auth_callback. AUTHENTICATING reports a
// new peer; see ws_complete_auth().
#define WS_AUTH 2048

// With WS_SCENE: clients do not learn of each other, and the host relays nothing, like Godot's server_relay switched
// off. Set it on all sides or on none.
#define WS_NO_RELAY 4096

// Client and server: send the client's heartbeat as messages that the programs do not see, so that rtt_us and
// pong_timeout_ms also work in a browser, which has no pings. heartbeat_ms then defaults to 20000 on a client too. If
// the server does not offer it, ERROR with WS_CAUSE_NO_HEARTBEAT is reported. docs/control-channel.md has the bytes.
#define WS_APP_HEARTBEAT 8192

// Server, host: the program decides on each request that is valid and within the limits, and plain HTTP requests are
// accepted too: GET, HEAD, OPTIONS, POST, PUT, PATCH and DELETE. REQUEST reports them; unless ws_accept() or ws_reply()
// answers one within handshake_timeout_ms, the client gets 503.
#define WS_ASK 32768

// Server: requests of trusted_proxies report the address of the client by the header Forwarded (RFC 7239), and by no
// other. A request whose header is malformed is refused with 400. Not with WS_X_FORWARDED_FOR, because a proxy passes
// on a header that it does not set, as the client wrote it.
#define WS_FORWARDED 65536

// Server: requests of trusted_proxies report the address of the client by the header X-Forwarded-For, and by no other.
#define WS_X_FORWARDED_FOR 131072

// Server: connections of trusted_proxies begin with a header of the PROXY protocol, version 1 or 2, before TLS; one
// that does not is closed. With WS_FORWARDED or WS_X_FORWARDED_FOR too, that header is read if the address in the
// PROXY header is itself one of trusted_proxies.
#define WS_PROXY_PROTOCOL 262144

// Server: report clients that fail before CONNECTED by the event REFUSED; see WS_OPT_REPORT_REFUSED.
#define WS_REPORT_REFUSED 1048576

// Client, join: when the link is lost (LOST) or does not open (ERROR), try again, with growing waits, until it is open,
// until retry_tries tries in a row have failed, or until ws_close(). docs/reconnecting.md says what is tried again,
// and when.
#define WS_RECONNECT 2097152

// Server, host: several servers may listen on one port (SO_REUSEPORT), and the system gives each new connection to one
// of them: one server for each core, each polled by its own thread. All of them need this flag and the same user. On
// Linux connections are spread; other systems may give all to one. WS_ERR_UNSUPPORTED on Windows. docs/scale.md has an
// example.
#define WS_SHARE_PORT 4194304

// With WS_SCENE: packets of Godot's MultiplayerSpawner and MultiplayerSynchronizer are messages of type WS_REPLICATION,
// as they are on the wire. Not with ws_declare_scene() and ws_declare_synchronizer(), which read them.
#define WS_RAW_REPLICATION 8388608

// The pages may use threads: their responses have the headers Cross-Origin-Opener-Policy: same-origin,
// Cross-Origin-Embedder-Policy: require-corp and Cross-Origin-Resource-Policy: same-origin. Such a page loads only from
// its own server, or what other servers allow it to.
#define WS_SERVE_ISOLATED 1

// ws_declare_scene(), ws_spawn(): what MultiplayerSpawner.spawn(data) makes, by the spawner's spawn_function.
#define WS_CUSTOM_SCENE 255

// ws_replicated.scene: the synchronizer is of no spawned node; ws_declare_synchronizer() declared it.
#define WS_NO_SCENE 256

// The app is suspended or hidden: a client that has lost its link begins no try until another hint.
#define WS_HINT_SUSPEND 1

// The app is shown again: the link is lost unless the peer answers a ping within 2 s; a client that waits for its next
// try begins it now.
#define WS_HINT_RESUME 2

// The network has changed, for instance from Wi-Fi to mobile: as WS_HINT_RESUME, and with a session the client opens
// another link beside its own, to which it moves once that is open.
#define WS_HINT_NETWORK_CHANGED 3

// Skip that target: the call returns WS_PARTIAL, SKIPPED is reported, and WRITABLE once there is room. The default of
// servers.
#define WS_FULL_SKIP 1

// Disconnect that target with the close code 1008; the call returns WS_PARTIAL. The default of hosts.
#define WS_FULL_DISCONNECT 2

// Accept the message for all targets or for none: the call fails with WS_ERR_FULL. A client that has lost its link
// (session_ms) holds up nobody: if it is full, its session ends, and the call returns WS_PARTIAL.
#define WS_FULL_ALL_OR_NONE 3

// The client: it sends the request and masks its frames (RFC 6455 section 5.3).
#define WS_ROLE_CLIENT 1

// The server: it answers the request.
#define WS_ROLE_SERVER 2

// The URL in use, without user name and password. A server: its own URL, with the actual port. A server's client: the
// URL of its request.
#define WS_GET_URL 1

// The path of the request, without the query.
#define WS_GET_PATH 2

// The query of the request, without the question mark.
#define WS_GET_QUERY 3

// The agreed subprotocol (RFC 6455 section 1.9), or "".
#define WS_GET_SUBPROTOCOL 4

// The reason in the deciding close frame (RFC 6455 section 7.1.6): the peer's, or ours if none was received.
#define WS_GET_CLOSE_REASON 5

// Why the connection ended, its link was lost or its last try failed, and what to do about it, as a sentence; else "".
#define WS_GET_ERROR 6

// The local address and port: "127.0.0.1:9080", "[::1]:9080".
#define WS_GET_LOCAL_ADDRESS 7

// The peer's address and port. Behind trusted_proxies it is the client's, with port 0 if the proxy does not report it.
#define WS_GET_REMOTE_ADDRESS 8

// The first KiB of the response body, if the server refused the request. It ends 250 ms after the header at the
// latest; invalid UTF-8 is replaced.
#define WS_GET_BODY 9

// The TLS version and cipher suite, or "" on ws://.
#define WS_GET_TLS 10

// The agreed parameters of permessage-deflate, such as "permessage-deflate; server_no_context_takeover", or "".
#define WS_GET_EXTENSIONS 11

// The address and port of the socket's other end: behind trusted_proxies that of the proxy.
#define WS_GET_PEER_ADDRESS 12

// The method of the request: "GET", or with WS_ASK that of a plain HTTP request.
#define WS_GET_METHOD 13

// TCP_NODELAY: 1 (default) or 0.
#define WS_OPT_NO_DELAY 1

// ws_config.heartbeat_ms; 0 and WS_OFF: no pings. If it is switched on while OPEN, the next poll pings.
#define WS_OPT_HEARTBEAT_MS 2

// ws_config.pong_timeout_ms; 0: three times heartbeat_ms.
#define WS_OPT_PONG_TIMEOUT_MS 3

// ws_config.close_timeout_ms.
#define WS_OPT_CLOSE_TIMEOUT_MS 4

// ws_config.poll_budget_us.
#define WS_OPT_POLL_BUDGET_US 5

// ws_config.max_message_bytes.
#define WS_OPT_MAX_MESSAGE_BYTES 6

// ws_config.max_fragments.
#define WS_OPT_MAX_FRAGMENTS 7

// ws_config.inbound_packets.
#define WS_OPT_INBOUND_PACKETS 8

// ws_config.inbound_bytes.
#define WS_OPT_INBOUND_BYTES 9

// ws_config.outbound_packets.
#define WS_OPT_OUTBOUND_PACKETS 10

// ws_config.outbound_bytes.
#define WS_OPT_OUTBOUND_BYTES 11

// ws_config.max_messages_per_s.
#define WS_OPT_MAX_MESSAGES_PER_S 12

// ws_config.max_bytes_per_s.
#define WS_OPT_MAX_BYTES_PER_S 13

// The flag WS_COALESCE: 0 or 1.
#define WS_OPT_COALESCE 14

// Server: the flag WS_REFUSE_NEW: 0 or 1.
#define WS_OPT_REFUSE_NEW 15

// Server: ws_config.max_clients.
#define WS_OPT_MAX_CLIENTS 16

// Server: ws_config.max_clients_per_address.
#define WS_OPT_MAX_CLIENTS_PER_ADDRESS 17

// Server: ws_config.max_pending_handshakes.
#define WS_OPT_MAX_PENDING_HANDSHAKES 18

// Server: ws_config.handshake_timeout_ms.
#define WS_OPT_HANDSHAKE_TIMEOUT_MS 19

// Server: ws_config.on_full.
#define WS_OPT_ON_FULL 20

// The local port, read only: the one chosen for "ws://127.0.0.1:0".
#define WS_OPT_PORT 21

// ws_config.deflate_threshold_bytes.
#define WS_OPT_DEFLATE_THRESHOLD_BYTES 22

// ws_config.max_inflate_ratio.
#define WS_OPT_MAX_INFLATE_RATIO 23

// Host, join: Godot's transfer mode, 0 (unreliable), 1 (unreliable ordered) or 2 (reliable; default). Only stored:
// every packet is reliable and ordered.
#define WS_OPT_TRANSFER_MODE 24

// Host, join: Godot's transfer channel (default 0). Only stored: every packet uses the one connection.
#define WS_OPT_TRANSFER_CHANNEL 25

// Host, join with WS_AUTH: time limit of the authentication of a peer, in milliseconds (default: 3000); WS_OFF: none.
// It applies to peers that arrive later.
#define WS_OPT_AUTH_TIMEOUT_MS 26

// Host, join: ws_config.max_call_bytes.
#define WS_OPT_MAX_CALL_BYTES 27

// Host, join: ws_config.max_call_items.
#define WS_OPT_MAX_CALL_ITEMS 28

// Server: ws_config.max_body_bytes.
#define WS_OPT_MAX_BODY_BYTES 29

// Server: the flag WS_REPORT_REFUSED: 0 or 1. ws_get_stats() counts refused clients in any case.
#define WS_OPT_REPORT_REFUSED 30

// Server: ws_config.max_downloads.
#define WS_OPT_MAX_DOWNLOADS 32

// Server: ws_config.max_downloads_per_address.
#define WS_OPT_MAX_DOWNLOADS_PER_ADDRESS 33

// Server: time in which a client of ws_serve() must take 64 KiB of a file, in milliseconds (default: 30000); WS_OFF:
// any. A slower client is dropped.
#define WS_OPT_DOWNLOAD_TIMEOUT_MS 34

// ws_config.retry_min_ms.
#define WS_OPT_RETRY_MIN_MS 35

// ws_config.retry_max_ms.
#define WS_OPT_RETRY_MAX_MS 36

// ws_config.retry_tries.
#define WS_OPT_RETRY_TRIES 37

// Server: ws_config.max_lost.
#define WS_OPT_MAX_LOST 38

// Server: ws_config.max_topics.
#define WS_OPT_MAX_TOPICS 39

// Server: ws_config.max_server_topics.
#define WS_OPT_MAX_SERVER_TOPICS 40

// Server: ws_config.max_total_mib.
#define WS_OPT_MAX_TOTAL_MIB 41

// ws_config.max_put_bytes; a host or join has 65535 unless it is set.
#define WS_OPT_MAX_PUT_BYTES 42

// Server: 1: new clients are not even accepted but wait in the system's queue until it is 0 again, as with Godot's own
// classes; those in their opening handshake are refused as by WS_OPT_REFUSE_NEW.
#define WS_OPT_HOLD_NEW 43

// No lines.
#define WS_LOG_OFF 0

// Defects of wspeer, and system failures that concern no single connection.
#define WS_LOG_ERROR 1

// Probable mistakes such as WS_INSECURE, and clients that were refused. The default.
#define WS_LOG_WARN 2

// Connections that open and end, and servers that listen.
#define WS_LOG_INFO 3

// Details of connecting and freeing.
#define WS_LOG_DEBUG 4

// ws_config, which may grow in later versions.
#define WS_STRUCT_CONFIG 1

// ws_stats, which may grow in later versions.
#define WS_STRUCT_STATS 2

// ws_packet, whose layout is fixed.
#define WS_STRUCT_PACKET 3

// ws_event, whose layout is fixed.
#define WS_STRUCT_EVENT 4

// ws_variant, whose layout is fixed.
#define WS_STRUCT_VARIANT 5

// ws_call, whose layout is fixed.
#define WS_STRUCT_CALL 6

// ws_packet_out, whose layout is fixed.
#define WS_STRUCT_PACKET_OUT 7

// ws_sim, which may grow in later versions.
#define WS_STRUCT_SIM 8

// ws_replicated, whose layout is fixed.
#define WS_STRUCT_REPLICATED 9

// A perfect network.
#define WS_SIM_NONE 0

// A busy Wi-Fi: a tenth of the packets takes more than 100 ms there and back.
#define WS_SIM_WIFI 1

// 4G (LTE) of somebody who moves.
#define WS_SIM_4G 2

// A train or a car between cells: nothing arrives for two seconds every half minute.
#define WS_SIM_TRAIN 3

// A geostationary satellite: 630 ms there and back.
#define WS_SIM_SATELLITE 4

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

// Basis: row by row. The first row has the x components of the three axes.
#define WS_VARIANT_BASIS 17

// Transform3D: its Basis, then its origin.
#define WS_VARIANT_TRANSFORM3D 18

// Projection: column by column.
#define WS_VARIANT_PROJECTION 19

// Color: r, g, b, a.
#define WS_VARIANT_COLOR 20

// StringName: as STRING.
#define WS_VARIANT_STRING_NAME 21

// NodePath: `count` STRING items follow, first names, then number[0] sub-names. `integer` is 1 if the path is
// absolute.
#define WS_VARIANT_NODE_PATH 22

// RID: cannot be sent.
#define WS_VARIANT_RID 23

// Object: cannot be sent.
#define WS_VARIANT_OBJECT 24

// Callable: cannot be sent.
#define WS_VARIANT_CALLABLE 25

// Signal: cannot be sent.
#define WS_VARIANT_SIGNAL 26

// Dictionary: `count` pairs of items follow, each a key and its value. In a typed one `integer` is the type of the
// keys plus 256 times the type of the values.
#define WS_VARIANT_DICTIONARY 27

// Array: `count` values follow. In a typed one `integer` is the type of the elements.
#define WS_VARIANT_ARRAY 28

// PackedByteArray: `count` bytes in data.
#define WS_VARIANT_PACKED_BYTE_ARRAY 29

// PackedInt32Array: `count` int32_t in data. The elements of this and the following arrays are little-endian and may
// be unaligned: copy them out.
#define WS_VARIANT_PACKED_INT32_ARRAY 30

// PackedInt64Array: `count` int64_t.
#define WS_VARIANT_PACKED_INT64_ARRAY 31

// PackedFloat32Array: `count` floats.
#define WS_VARIANT_PACKED_FLOAT32_ARRAY 32

// PackedFloat64Array: `count` doubles.
#define WS_VARIANT_PACKED_FLOAT64_ARRAY 33

// PackedStringArray: `count` STRING items follow.
#define WS_VARIANT_PACKED_STRING_ARRAY 34

// PackedVector2Array: 2 floats for each element, or 2 doubles from an engine built with double precision; `len` is
// then twice as large.
#define WS_VARIANT_PACKED_VECTOR2_ARRAY 35

// PackedVector3Array: 3 floats or doubles for each element.
#define WS_VARIANT_PACKED_VECTOR3_ARRAY 36

// PackedColorArray: 4 floats for each element.
#define WS_VARIANT_PACKED_COLOR_ARRAY 37

// PackedVector4Array: 4 floats or doubles for each element.
#define WS_VARIANT_PACKED_VECTOR4_ARRAY 38

// ws_connect() over ws://.
#define WS_FEATURE_CLIENT 1

// ws_listen().
#define WS_FEATURE_SERVER 2

// wss:// URLs.
#define WS_FEATURE_TLS 4

// Setting request headers and reading response headers.
#define WS_FEATURE_HEADERS 8

// Pings and their round-trip time (RFC 6455 section 5.5.2).
#define WS_FEATURE_PING 16

// ws_wait().
#define WS_FEATURE_WAIT 32

// ws_pair() and ws_attach().
#define WS_FEATURE_PAIR 64

// permessage-deflate (RFC 7692).
#define WS_FEATURE_DEFLATE 128

// ws_join(); with WS_FEATURE_SERVER also ws_host() and ws_join_local().
#define WS_FEATURE_MULTIPLAYER 256

// WS_SCENE.
#define WS_FEATURE_SCENE 512

// A connection, a server or a client of a server. 0 is never a valid handle. A stale handle gives WS_ERR_HANDLE, never
// a crash: its number is reused only after 2146435072 later handles, less 2047 for each handle that stays open
// meanwhile.
// A handle has 31 bits, so that -handle can mean "all but this one".
typedef uint32_t ws_handle;

// The result of a call. 0 and above: success. Below 0: WS_ERR_*.
typedef int32_t ws_result;

// Counters since the handle was opened. A server: the sum over its clients, former ones included.
typedef struct ws_stats {
  // Number of bytes that ws_get_stats() filled.
  uint32_t struct_size;
  // Server: number of connected clients. Else 1 while OPEN, otherwise 0.
  uint32_t connections;
  // Messages received. With WS_AUTH, the messages of a peer count once it is admitted.
  uint64_t messages_in;
  // Messages accepted for sending.
  uint64_t messages_out;
  // Bytes of the messages received.
  uint64_t bytes_in;
  // Bytes of the messages accepted for sending.
  uint64_t bytes_out;
  // Bytes read from the transport, after TLS decryption.
  uint64_t wire_bytes_in;
  // Bytes written to the transport, before TLS encryption.
  uint64_t wire_bytes_out;
  // Messages and AUTH events that the program has not taken yet. With WS_AUTH, messages of a peer that is not
  // admitted count in kept_bytes instead.
  uint64_t queued_packets_in;
  // Bytes of these messages and AUTH events.
  uint64_t queued_bytes_in;
  // Messages to be sent: the operating system has not taken all of their bytes.
  uint64_t queued_packets_out;
  // Bytes to be sent, frame headers included. Over wss:// the bytes of a TLS record count until the operating system
  // has taken the whole record.
  uint64_t queued_bytes_out;
  // Messages to several targets that a full queue did not take, and received messages that were dropped: after
  // ws_disconnect() of their sender, beyond its rate limit, or because it ended before it was admitted (WS_AUTH).
  uint64_t skipped;
  // Number of times that reading paused because the inbound queue was full.
  uint64_t inbound_stalls;
  // Round-trip time of the last answered ping, in microseconds. 0: none was measured. Always 0 on a server's own
  // handle.
  uint64_t rtt_us;
  // Duration of the last ws_poll() of this handle, in microseconds.
  uint64_t last_poll_us;
  // Duration of the longest ws_poll() of this handle, in microseconds.
  uint64_t longest_poll_us;
  // Server: clients accepted since it was opened.
  uint64_t accepted;
  // Server: clients that were refused, or whose opening handshake failed: the sum of refused_limit, refused_request,
  // refused_tls, refused_proxy, refused_timeout and refused_gone. Not those that the program's ws_close() ended.
  uint64_t refused;
  // Server: opening handshakes in progress.
  uint64_t pending_handshakes;
  // Compressed messages received. They are counted together with messages_in.
  uint64_t compressed_in;
  // Messages that were sent compressed.
  uint64_t compressed_out;
  // Memory of the compressors and decompressors, in bytes. A server: of all its clients.
  uint64_t deflate_memory_bytes;
  // Memory kept for peers outside the queues, in bytes: incomplete messages, bytes that were read and not decoded
  // yet, texts of events; in multiplayer also node numbers and pending notifications of peers, and with WS_AUTH the
  // messages of peers that are not admitted.
  uint64_t kept_bytes;
  // Server: files that ws_serve() is sending.
  uint64_t downloads;
  // Server: requests that ws_serve() has begun to answer.
  uint64_t served;
  // Server: of `refused`, those that a limit or WS_REFUSE_NEW refused (WS_CAUSE_LIMIT, WS_CAUSE_RESOURCES).
  uint64_t refused_limit;
  // Server: of `refused`, those whose request was not valid or not accepted: another path, host, origin or
  // subprotocol (WS_CAUSE_HTTP_STATUS, WS_CAUSE_HTTP_INVALID, WS_CAUSE_HTTP_TOO_BIG, WS_CAUSE_SUBPROTOCOL).
  uint64_t refused_request;
  // Server: of `refused`, those whose TLS handshake failed (WS_PHASE_TLS).
  uint64_t refused_tls;
  // Server: of `refused`, connections of trusted_proxies without a valid PROXY header (WS_PHASE_PROXY).
  uint64_t refused_proxy;
  // Server: of `refused`, those that took longer than handshake_timeout_ms (WS_CAUSE_HANDSHAKE_TIMEOUT).
  uint64_t refused_timeout;
  // Server: of `refused`, those that left, or whose transport failed (WS_CAUSE_PEER_GONE, WS_CAUSE_RESET).
  uint64_t refused_gone;
  // Server: REFUSED events that the program has not taken yet.
  uint64_t refused_waiting;
  // Server with WS_ASK: requests that wait for ws_accept() or ws_reply(). They count in pending_handshakes too.
  uint64_t pending_requests;
  // Server with session_ms: clients that have lost their link, and may come back. They count in connections too.
  uint64_t lost;
  // With WS_RECONNECT or session_ms: links that were lost since the opening.
  uint64_t losses;
  // With session_ms: sessions that were resumed since the opening.
  uint64_t resumed;
  // With session_ms: messages that were sent again on another link.
  uint64_t sent_again;
  // With session_ms: messages that were accepted and that the peer has not acknowledged.
  uint64_t unacknowledged_packets;
  // Bytes of these messages, with 64 for each, as session_bytes limits them.
  uint64_t unacknowledged_bytes;
  // Bytes that the simulated networks of open links hold (ws_set_sim()), and 64 for each packet.
  uint64_t sim_bytes;
  // Packets that were lost on these networks, and arrive late. Those of links that have ended do not count.
  uint64_t sim_losses;
  // Server: topics that have subscribers.
  uint64_t topics;
  // Server: subscriptions of all clients to topics; a client: its topics.
  uint64_t subscriptions;
  // Messages of ws_put_latest() and ws_publish_latest() that a newer one of the same key has replaced.
  uint64_t replaced;
  // Server: bytes that its clients make it hold, as max_total_mib limits them; a client: what it holds of them.
  uint64_t held_bytes;
  // Server: the most that held_bytes was at the end of a poll, once it was above half of max_total_mib.
  uint64_t most_held_bytes;
  // Server: clients that were ended because of max_total_mib.
  uint64_t ceiling_ended;
} ws_stats;

// A received message. 40 bytes with 64-bit pointers, 32 with 32-bit pointers.
typedef struct ws_packet {
  // The bytes, lent to the program: valid until the next call that takes items through the same handle, or its
  // ws_free(). Never NULL. A message is not NUL-terminated.
  const uint8_t *data;
  // Length of data in bytes. 0: the message is empty.
  size_t len;
  // WS_TEXT, WS_BINARY, WS_CALL, WS_REPLICATION, WS_SPAWN, WS_DESPAWN or WS_SYNC.
  int32_t type;
  // Multiplayer: id of the sender. Else 0.
  int32_t peer_id;
  // The connection that received it: a server's client, or the handle itself.
  ws_handle conn;
  // Always 0 in this version.
  uint32_t flags;
  // The value that ws_set_user() or ws_config.user gave the connection.
  uint64_t user;
} ws_packet;

// An event. 128 bytes with 64-bit pointers, 120 with 32-bit pointers.
typedef struct ws_event {
  // WS_EVENT_*.
  int32_t type;
  // The connection that the event is about.
  ws_handle conn;
  // Multiplayer: id of the peer that the event is about; in the OPEN of a join, the join's id. Else 0.
  int32_t peer_id;
  // CLOSE_REQUEST, CLOSED, DISCONNECTED: the close code (RFC 6455 section 7.1.5). 1005: the close frame had none.
  // 1006: there was no close frame. Else 0.
  int32_t code;
  // CLOSED, DISCONNECTED, ERROR, STEP, REFUSED: WS_PHASE_*.
  int32_t phase;
  // CLOSED, DISCONNECTED, ERROR, STEP, REFUSED: WS_CAUSE_*.
  int32_t cause;
  // HTTP status of the response to the opening handshake, or 0.
  int32_t http_status;
  // The operating system's error number, or 0.
  int32_t os_error;
  // CLOSED, DISCONNECTED: number of messages that were accepted for sending and not sent.
  uint32_t unsent;
  // CLOSED, DISCONNECTED: 1 if the closing handshake was completed, or goes on behind ws_disconnect(). Else 0.
  uint32_t clean;
  // Time of the event: nanoseconds on the system's monotonic clock since the first call of the library. 0 for
  // MESSAGE, SPAWN, DESPAWN and SYNC.
  uint64_t time_ns;
  // SKIPPED: number of messages or events left out. ERROR with WS_SCENE or WS_GODOT3: number of packets. REFUSED:
  // number of clients. REQUEST: 1 if it opens a WebSocket. Else 0.
  uint64_t count;
  // Always 0 in this version.
  uint64_t reserved[4];
  // MESSAGE, SPAWN, DESPAWN, SYNC: the message. AUTH: data and len are the authentication data. REQUEST: data and len
  // are the body.
  // Any other event: data is a text, lent like a message and NUL-terminated; len does not count the NUL.
  // CLOSE_REQUEST: the peer's reason. CLOSED, DISCONNECTED and ERROR: a sentence that says what happened and what to
  // do. STEP: a sentence that says what happened. REFUSED: WS_EVENT_REFUSED says what. Else "".
  struct ws_packet packet;
} ws_event;

// How to open a connection or a server. Fill it with ws_config_init(), then set what you need: every field that
// stays 0 has its default.
// The call that opens copies everything, texts included. Texts are UTF-8 and NUL-terminated; NULL means none.
typedef struct ws_config {
  // Size of this struct in bytes; ws_config_init() sets it.
  uint32_t struct_size;
  // A number of your choice that groups handles for ws_free_owner(). 0: none.
  uint32_t owner;
  // Combined by |:
  // WS_COALESCE | WS_QUEUE_BEFORE_OPEN | WS_INSECURE | WS_ONLY_CA_PEM | WS_REFUSE_NEW | WS_DEFLATE |
  // WS_SERVER_NO_CONTEXT_TAKEOVER | WS_CLIENT_NO_CONTEXT_TAKEOVER | WS_GODOT3 | WS_ANY_NAME | WS_SCENE | WS_AUTH |
  // WS_NO_RELAY | WS_APP_HEARTBEAT | WS_ASK | WS_FORWARDED | WS_X_FORWARDED_FOR | WS_PROXY_PROTOCOL |
  // WS_REPORT_REFUSED | WS_RECONNECT | WS_SHARE_PORT | WS_RAW_REPLICATION.
  uint32_t flags;
  // Maximum duration of one ws_poll(), in microseconds (default: 1000).
  uint32_t poll_budget_us;
  // Client, join: time limit from ws_connect() or ws_join() to OPEN, all phases together, in milliseconds
  // (default: 10000). With WS_AUTH it ends when the join has its id.
  uint32_t connect_timeout_ms;
  // Server, and the server's end of ws_pair() or ws_attach(): time limit of a client's opening handshake, from its
  // connection on, TLS included, in milliseconds (default: 3000).
  uint32_t handshake_timeout_ms;
  // Time limit of a close without progress, in milliseconds; never WS_OFF (default: 3000). Progress is that accepted
  // messages and the close frame leave; then the peer has this time to answer.
  uint32_t close_timeout_ms;
  // Interval of the pings to the peer, which also measure the round-trip time, in milliseconds (default: servers'
  // clients 20000, clients WS_OFF; RFC 6455 section 5.5.2).
  uint32_t heartbeat_ms;
  // Time without any byte from the peer after which an unanswered ping ends the connection, in milliseconds; at
  // least heartbeat_ms (default: 3 x heartbeat_ms).
  // A ping may be answered for at least a second, or for heartbeat_ms if that is shorter.
  uint32_t pong_timeout_ms;
  // Maximum length of a message, received or sent, in bytes (default: 16777216).
  uint32_t max_message_bytes;
  // Maximum number of fragments of a received message (default: 131072; RFC 6455 section 5.4).
  uint32_t max_fragments;
  // Maximum length of the header of a request or response, in bytes (default: 16384).
  uint32_t max_header_bytes;
  // Maximum number of queued inbound messages and AUTH events (default: 4096). At the limit reading pauses, and TCP
  // slows down the peer.
  uint32_t inbound_packets;
  // Maximum bytes of queued inbound messages and AUTH events (default: 4194304). At the limit reading pauses.
  uint32_t inbound_bytes;
  // Maximum number of queued outbound messages (default: 4096). At the limit sending fails with WS_ERR_FULL.
  uint32_t outbound_packets;
  // Maximum bytes of queued output (default: 4194304). At the limit sending fails with WS_ERR_FULL. An empty queue
  // accepts any message.
  uint32_t outbound_bytes;
  // Maximum number of messages that a peer may send in a second (default: WS_OFF). A peer that sends more is closed
  // with 1008, and its further messages are dropped.
  uint32_t max_messages_per_s;
  // Maximum bytes of messages that a peer may send in a second (default: WS_OFF). A peer that sends more is closed
  // with 1008, and its further messages are dropped.
  uint32_t max_bytes_per_s;
  // Server: maximum number of connected clients (default: 4096). An ended client counts until its messages have been
  // read. Further clients are refused with 503.
  uint32_t max_clients;
  // Server: maximum number of clients from one IP address, counted as for max_clients (default: WS_OFF, because all
  // clients behind a proxy that is not in trusted_proxies share one). Further clients are refused with 503.
  uint32_t max_clients_per_address;
  // Server: maximum number of opening handshakes in progress (default: 256). Further connections wait in the
  // system's listen queue.
  uint32_t max_pending_handshakes;
  // Server, host: what a message to several targets does about a target whose outbound queue is full, WS_FULL_*
  // (default: WS_FULL_SKIP; for a host WS_FULL_DISCONNECT, because a game cannot do without a packet).
  uint32_t on_full;
  // TCP_NODELAY: WS_OFF leaves Nagle's algorithm on (default: small messages are sent at once).
  uint32_t no_delay;
  // Number of texts that `headers` points to, at most 100.
  uint32_t headers_count;
  // With WS_DEFLATE: compression level, 1 (fast) to 9 (small) (default: 1, because compression takes frame time).
  uint32_t deflate_level;
  // With WS_DEFLATE: shorter messages are sent uncompressed; in bytes (default: 64). WS_OFF: all are.
  uint32_t deflate_threshold_bytes;
  // With WS_DEFLATE: window size of the server's compressor, as a power of two, 9 to 15 (default: 15;
  // RFC 7692 section 7.1.2.1).
  uint32_t server_max_window_bits;
  // With WS_DEFLATE: window size of the client's compressor, as a power of two, 9 to 15 (default: 15;
  // RFC 7692 section 7.1.2.2).
  uint32_t client_max_window_bits;
  // Maximum decompression ratio, for received messages over 1 MiB (default: 256). Beyond it the connection is closed
  // with 1008. Sent messages stay within half of it.
  uint32_t max_inflate_ratio;
  // Must be 0.
  uint32_t reserved;
  // Extra headers of the request (client) or of the response (server), each "Name: value".
  const char *const *headers;
  // Subprotocols in order of preference, such as "chat.v2, chat.v1" (RFC 6455 section 1.9). Client: they are
  // offered, and the server must choose one. Server: it chooses the first that the client offers and it knows; a
  // client that offers none of them is refused with 400.
  const char *subprotocols;
  // Client: PEM of certificates to trust besides the bundled ones and the system's. Each is that of a CA, or the
  // server's own, even if a CA signed it, it is marked CA:TRUE, it names its host only in the common name, or it is
  // of X.509 version 1. Certificates that cannot be used are skipped, with a warning in the log; if none can, the
  // result is WS_ERR_TLS. The text may be indented, be in one line, or have its line ends written as \n.
  const char *ca_pem;
  // PEM of the certificate chain, own certificate first; read like ca_pem. A wss:// server needs it. A client sends
  // it if the server asks for it.
  const char *cert_pem;
  // PEM of the private key of cert_pem (PKCS #8, PKCS #1 or SEC1).
  const char *key_pem;
  // Client: the name for SNI (RFC 6066), against which the certificate is checked, instead of the URL's host.
  const char *server_name;
  // Client: SHA-256 of the server's own certificate (DER), as 64 hex digits; colons are allowed. The certificate is
  // trusted if, and only if, it has this value.
  const char *pin_sha256;
  // Initial value of ws_set_user().
  void *user;
  // With WS_SCENE: maximum length of a remote call, arguments included, in bytes (default: 1048576). A peer that
  // sends a longer one is closed with 1002; a join drops a relayed one, and reports it by ERROR. Sending one fails
  // with WS_ERR_TOO_BIG.
  uint32_t max_call_bytes;
  // With WS_SCENE: maximum number of items in the arguments of a remote call, as ws_decode_call() counts them
  // (default: 65536). A call with more is treated like one over max_call_bytes.
  uint32_t max_call_items;
  // Server: the addresses of proxies and load balancers that report the client's address, as WS_FORWARDED,
  // WS_X_FORWARDED_FOR or WS_PROXY_PROTOCOL says: networks in CIDR notation, separated by commas, such as
  // "127.0.0.1, ::1, 10.0.0.0/8". The client's address is the last one reported that is not itself trusted; the limits
  // per address and WS_GET_REMOTE_ADDRESS mean it. What others claim is ignored (default: none).
  const char *trusted_proxies;
  // Server: IPv6 addresses that are equal in this number of leading bits, 1 to 128, count as one address for
  // max_clients_per_address (default: 64, what a home or a phone has).
  uint32_t ipv6_prefix_bits;
  // Server that answers plain HTTP: maximum length of the body of a request, in bytes (default: 65536). A longer one
  // is refused with 413.
  uint32_t max_body_bytes;
  // Client, join: the proxy to connect through (docs/proxies.md). "http://user:password@host:port" and "https://..."
  // are asked by CONNECT, "https" over TLS; "socks5://..." gets the address of the server, "socks5h://..." its name.
  // "env": what http_proxy, https_proxy, all_proxy and no_proxy in the environment say, as curl reads them, and never
  // for a loopback address. The trusted certificates for "https" are those for the server, and its certificate is
  // checked whatever WS_INSECURE, WS_ANY_NAME and pin_sha256 say (default: NULL, none).
  const char *proxy;
  // Server: maximum number of files that ws_serve() sends at a time, each with at most 256 KiB of it in memory
  // (default: 128). Further requests are answered with 503.
  uint32_t max_downloads;
  // Server: maximum number of files that ws_serve() sends to one address at a time (default: 32; a browser opens six
  // connections). Further requests are answered with 503.
  uint32_t max_downloads_per_address;
  // Server: the hosts that requests may name in their header Host, separated by commas, such as
  // "game.example, *.game.example, 192.0.2.1:9080"; without a port any port is allowed, and a request without one has
  // that of the server's scheme, 80 or 443. Names are ASCII (xn--...). Others are refused with 421. It keeps pages of
  // others from reaching a server on the local network by a name of theirs (DNS rebinding) (default: any).
  const char *allowed_hosts;
  // Server: the origins (RFC 6454) whose pages may connect, separated by commas, such as
  // `https://game.example, http://localhost:8000`; "*." before a host stands for all names below it, "null" for a page
  // without an origin. Others are refused with 403. Programs that are no browsers send no Origin, and are not concerned
  // (default: any).
  const char *allowed_origins;
  // With WS_RECONNECT or session_ms: upper bound of the wait before the first try, in milliseconds (default: 1000). A
  // wait is drawn evenly between 0 and its bound, which doubles with each try until it is retry_max_ms.
  uint32_t retry_min_ms;
  // With WS_RECONNECT or session_ms: upper bound of every wait, in milliseconds (default: 30000).
  uint32_t retry_max_ms;
  // With WS_RECONNECT or session_ms: number of failed tries in a row after which the connection ends with CLOSED
  // (default: 20, which takes some four minutes); WS_OFF: unlimited.
  uint32_t retry_tries;
  // Keep a session for so long after its link was lost, in milliseconds: the client opens another one (as with
  // WS_RECONNECT), and no message is lost, doubled or reordered (docs/sessions.md). Set it at both ends; the shorter
  // time counts. Without it at the server, ERROR with WS_CAUSE_SESSION is reported, and the connection goes on without
  // (default: 0, no sessions).
  uint32_t session_ms;
  // With session_ms: limit of the messages that were accepted and that the peer has not acknowledged, in bytes, with 64
  // for each message (default: 1048576). When nothing is unacknowledged, a message of any size fits. WS_OFF: no limit.
  uint32_t session_bytes;
  // Server with session_ms: maximum number of clients that have lost their link (default: 0, a quarter of max_clients).
  // Beyond it the session that was lost first ends.
  uint32_t max_lost;
  // Server with session_ms or WS_APP_HEARTBEAT: its public name, which a client that comes back has in its query as
  // "wspeer=1-NODE", so that a balancer can lead it to this server: 1 to 32 ASCII letters, digits, '.', '_' and '-'
  // (default: NULL, a random name).
  const char *node;
  // Server: maximum number of topics of a client (default: 256).
  uint32_t max_topics;
  // Server: maximum number of topics that have subscribers (default: 65536).
  uint32_t max_server_topics;
  // Server: memory that all clients together may make it hold, in MiB (default: 512): what was received and not taken,
  // incomplete messages, what is to be sent, what is not acknowledged (session_ms), compression contexts, handshakes. A
  // message to several clients counts once.
  uint32_t max_total_mib;
  // Maximum length of a message that is sent, framing of the multiplayer format included, in bytes. Default: for hosts
  // and joins 65535, because a player with Godot's own classes and default settings leaves when a longer one comes; for
  // others, ws_join_local() included, WS_OFF: only max_message_bytes counts. A host's message is not limited by it if
  // only players of ws_join_local() are among its targets; nodes of ws_spawn() are.
  uint32_t max_put_bytes;
} ws_config;

// A Godot value, or the head of a container, whose items follow it in the array. Fields that the type does not use are
// 0; set them to 0 when sending too. 160 bytes with 64-bit pointers, 152 with 32-bit pointers.
typedef struct ws_variant {
  // WS_VARIANT_*.
  int32_t type;
  // Number of items, pairs, elements or names that belong to it.
  uint32_t count;
  // BOOL: 0 or 1. INT: the number. ARRAY, DICTIONARY: the required types of the elements, 0 for any. NODE_PATH: 1 if
  // it is absolute.
  int64_t integer;
  // FLOAT: number[0]. Vectors, rectangles, transforms, colours and the like: the components. NODE_PATH: number[0] is
  // the number of sub-names.
  double number[16];
  // STRING, STRING_NAME: UTF-8 without a NUL at the end. Packed arrays: the elements. Decoded values: lent, and
  // never NULL.
  const uint8_t *data;
  // Length of data in bytes.
  size_t len;
} ws_variant;

// A node that a peer has spawned, despawned or synchronized. 32 bytes with 64-bit pointers, 24 with 32-bit pointers.
typedef struct ws_replicated {
  // Path of the spawner as it was declared, without "/root/"; scene is WS_NO_SCENE: that of the synchronizer.
  // NUL-terminated; lent as long as the packet.
  const char *path;
  // SPAWN: the node's name below the spawner's spawn path. Else "". NUL-terminated; lent as long as the packet.
  const char *name;
  // The node: its number among those of the peer, which is used again only after its DESPAWN.
  uint32_t node;
  // Index of the scene in the spawner's list, WS_CUSTOM_SCENE, or WS_NO_SCENE.
  uint32_t scene;
  // Number of items.
  uint32_t items;
  // How many of the first items are the data of a custom spawn, one value. 0: there is none.
  uint32_t data_items;
} ws_replicated;

// A received remote call. 24 bytes with 64-bit pointers, 16 with 32-bit pointers.
typedef struct ws_call {
  // Path of the node as it was declared, without "/root/". NUL-terminated; lent as long as the packet.
  const char *path;
  // Name of the method. NUL-terminated; lent as long as the packet.
  const char *method;
  // Number of arguments.
  uint32_t arguments;
  // Number of items in the arguments, those in containers included.
  uint32_t items;
} ws_call;

// A bad network, for ws_set_sim(). Fill it with ws_sim_init(). The fields up_* are about the bytes from the client to
// the server, down_* about those from the server to the client, whichever end simulates. 104 bytes.
typedef struct ws_sim {
  // Size of this struct in bytes; ws_sim_init() sets it.
  uint32_t struct_size;
  // Seed of the random numbers. The same seed has the same effect.
  uint32_t seed;
  // Time that each byte takes, in microseconds; at most 60000000.
  uint32_t up_lag_us;
  // As up_lag_us.
  uint32_t down_lag_us;
  // Up to this time is added for each packet, uniformly distributed, in microseconds; at most 60000000. Bytes
  // never overtake others: a late packet holds up those behind it, and they arrive together.
  uint32_t up_jitter_us;
  // As up_jitter_us.
  uint32_t down_jitter_us;
  // Bandwidth in bytes per second. 0: unlimited.
  uint32_t up_bytes_per_s;
  // As up_bytes_per_s.
  uint32_t down_bytes_per_s;
  // Bytes that may leave at once after a pause, the size of the token bucket. 0: 14000.
  uint32_t up_burst_bytes;
  // As up_burst_bytes.
  uint32_t down_burst_bytes;
  // Packets out of a million that are lost. TCP repeats them: they arrive loss_stall_us later, and all behind
  // them waits. A packet has up to 1400 bytes of one write.
  uint32_t up_loss_ppm;
  // As up_loss_ppm.
  uint32_t down_loss_ppm;
  // Time that a loss costs, in microseconds; at most 60000000. 0: lag_us of both directions and 200000.
  uint32_t up_loss_stall_us;
  // As up_loss_stall_us.
  uint32_t down_loss_stall_us;
  // Bytes that may wait to leave; at most 16777216. 0: 65536. Beside them a line holds those that are under way,
  // at most 4 MiB of them. Each packet counts 64 bytes more.
  uint32_t up_buffer_bytes;
  // As up_buffer_bytes.
  uint32_t down_buffer_bytes;
  // Nothing arrives from this time on, in milliseconds since the link is OPEN, or since the call.
  uint32_t up_stall_from_ms;
  // As up_stall_from_ms.
  uint32_t down_stall_from_ms;
  // Duration of the stall in milliseconds; then all arrives at once. 0: no stall.
  uint32_t up_stall_for_ms;
  // As up_stall_for_ms.
  uint32_t down_stall_for_ms;
  // Another stall begins this time after the one before has begun, in milliseconds; more than stall_for_ms.
  // 0: there is only one.
  uint32_t up_stall_every_ms;
  // As up_stall_every_ms.
  uint32_t down_stall_every_ms;
  // After this number of bytes nothing arrives any more, and no error tells of it. 0: never.
  uint32_t up_half_open_bytes;
  // As up_half_open_bytes.
  uint32_t down_half_open_bytes;
  // After this number of bytes the link is cut, at both ends: it ends with WS_CAUSE_RESET here. 0: never.
  uint32_t up_cut_bytes;
  // As up_cut_bytes.
  uint32_t down_cut_bytes;
} ws_sim;

// A message for ws_put_packets(). 24 bytes with 64-bit pointers, 16 with 32-bit pointers.
typedef struct ws_packet_out {
  // The bytes, which ws_put_packets() copies. May be NULL if len is 0.
  const uint8_t *data;
  // Length of data in bytes.
  size_t len;
  // WS_TEXT, WS_BINARY, WS_CALL or WS_REPLICATION.
  int32_t type;
  // 0: the message goes where ws_put_packet() sends it. Otherwise a target of ws_put_packet_to(), and the handle is
  // a server, a host or a join.
  int32_t target;
} ws_packet_out;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Returns the current state: WS_CONNECTING, WS_OPEN, WS_CLOSING or WS_CLOSED; or WS_ERR_HANDLE. The events that led to
// it may still be queued. Thread-safe.
WS_API int32_t ws_get_state(ws_handle h);

// Returns the number of messages that can be taken through a handle, or WS_ERR_HANDLE. Thread-safe.
WS_API int32_t ws_get_available(ws_handle h);

// Copies a text of a handle, WS_GET_*, to `buf`. A text that does not fit in `cap` bytes is cut at a code point. The
// text is NUL-terminated if `cap` is above 0.
//
// `len` (may be NULL) is set to the whole length in bytes, without the NUL. Returns WS_OK, WS_TRUNCATED, WS_ERR_ARG
// (unknown `what`), WS_ERR_KIND (a server has only WS_GET_URL and WS_GET_LOCAL_ADDRESS), WS_ERR_HANDLE, WS_ERR_NULL.
// Thread-safe.
WS_API ws_result ws_get_text(ws_handle h, int32_t what, char *buf, size_t cap, size_t *len);

// Copies the value of an HTTP header to `buf`, as ws_get_text() does. A server's client has the headers of its
// request, a client those of the response. `name` is not case-sensitive. `index` counts headers of the same name from
// 0.
//
// Returns as ws_get_text(), and WS_EMPTY if there is no such header; `buf` and `len` are then unchanged. Thread-safe.
WS_API ws_result ws_get_header(ws_handle h, const char *name, uint32_t index, char *buf, size_t cap, size_t *len);

// Copies the counters of a handle to `out`. `size` is sizeof(ws_stats). Fields that the loaded library does not have
// are left unchanged.
//
// Returns WS_OK, WS_ERR_NULL, WS_ERR_ARG (`size` is below 8), WS_ERR_HANDLE. Thread-safe.
WS_API ws_result ws_get_stats(ws_handle h, struct ws_stats *out, size_t size);

// Reports how a connection ended, as its CLOSED or DISCONNECTED event does, and leaves that event in the queue. A
// program that checks states instead of events learns the end from it while messages are still queued before the
// event. packet.data is "": ws_get_text() has the texts, WS_GET_ERROR and WS_GET_CLOSE_REASON.
//
// Returns WS_OK, WS_EMPTY (the connection has not ended), WS_ERR_KIND (a server's own handle), WS_ERR_HANDLE,
// WS_ERR_NULL. Thread-safe.
WS_API ws_result ws_get_end(ws_handle h, struct ws_event *out);

// Reads an option, WS_OPT_*.
//
// Returns WS_OK, WS_ERR_ARG (unknown option), WS_ERR_KIND (this type of handle does not have it), WS_ERR_HANDLE,
// WS_ERR_NULL. Thread-safe.
WS_API ws_result ws_get_option(ws_handle h, int32_t option, uint32_t *out);

// Sets an option, WS_OPT_*, from now on. On a server it applies to the server and to clients that connect later; set
// it on a client's handle to change that client.
//
// Returns WS_OK, WS_ERR_ARG (unknown option, or a value out of range), WS_ERR_KIND (this type of handle does not have
// it), WS_ERR_HANDLE. Thread-safe.
WS_API ws_result ws_set_option(ws_handle h, int32_t option, uint32_t value);

// Sets a value of the program's choice, which the `user` field of every packet and event of this connection has from
// now on. A server's clients start with the value of their server.
//
// Returns WS_OK or WS_ERR_HANDLE. Thread-safe.
WS_API ws_result ws_set_user(ws_handle h, size_t user);

// Lists the handles of the clients of a server or host, including those whose DISCONNECTED event has not been taken,
// and with WS_ASK those whose request waits for an answer.
//
// `count` is set to the number of clients, even if it exceeds `cap`. Returns WS_OK, WS_TRUNCATED (`out` has only the
// first `cap`), WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL. Thread-safe.
WS_API ws_result ws_get_conns(ws_handle h, ws_handle *out, size_t cap, size_t *count);

// Lists the handles of those clients of a server or host that have messages or events to take, for programs that take
// them through each client's handle.
//
// `count` is set to the number of these clients, even if it exceeds `cap`. Returns as ws_get_conns(). Thread-safe.
WS_API ws_result ws_get_waiting(ws_handle h, ws_handle *out, size_t cap, size_t *count);

// Sets `out` to the handle of the connection to a peer, by the peer's id. A host: the handle of its client. A join:
// its own handle, for peer 1.
//
// Returns WS_OK, WS_ERR_TARGET (no such peer), WS_ERR_KIND (neither a host nor a join), WS_ERR_HANDLE, WS_ERR_NULL.
// Thread-safe.
WS_API ws_result ws_get_conn(ws_handle h, int32_t peer_id, ws_handle *out);

// Returns the id of a host (1), of a host's client, or of a join (0 until it has one); or WS_ERR_KIND, WS_ERR_HANDLE.
// Thread-safe.
WS_API int32_t ws_get_peer_id(ws_handle h);

// Returns the name of a result, such as "WS_OK"; "WS_UNKNOWN" for any other number. The text is static and never NULL.
// Thread-safe.
WS_API const char *ws_result_name(ws_result r);

// Copies the error text of this thread's last failed call to `buf`: what was wrong, and what to do. "" if none has
// failed. The wording may change, so base decisions on the result code.
//
// Outputs and results as ws_get_text(). Each thread has its own text.
WS_API ws_result ws_last_error(char *buf, size_t cap, size_t *len);

// Sets which log lines are kept from now on: those of level `level`, WS_LOG_*, and of the more severe ones.
//
// Returns WS_OK or WS_ERR_ARG. Thread-safe.
WS_API ws_result ws_set_log_level(int32_t level);

// Sets the name that error texts, event texts and log lines use from now on for a field of ws_config or a flag: for
// bindings whose options have other names. `word` is the name in this header, such as "max_message_bytes" or
// "WS_QUEUE_BEFORE_OPEN". `name` is the new name, or NULL for the name in this header. Each has at most 64 bytes. A
// word that no text uses is not an error.
//
// Returns WS_OK, WS_ERR_TOO_BIG, WS_ERR_LIMIT (more than 256 names), WS_ERR_NULL, WS_ERR_UTF8. Thread-safe.
WS_API ws_result ws_set_name(const char *word, const char *name);

// Takes the oldest log line, "level: text". The library keeps the last 1024 lines. It prints nothing, unless the
// environment variable WSPEER_LOG is "error", "warn", "info" or "debug" when the library is first used: then the
// lines of that level and the more severe ones are written to standard error too, whatever is kept.
//
// The line is removed only if it fits. If not, the result is WS_TRUNCATED, and `len` (may be NULL) is its length in
// bytes, without the NUL. Returns WS_OK, WS_EMPTY, WS_TRUNCATED, WS_ERR_NULL. Thread-safe.
WS_API ws_result ws_get_log(char *buf, size_t cap, size_t *len);

// Returns what this build and platform support: WS_FEATURE_*, combined by |. Thread-safe.
WS_API uint32_t ws_get_features(void);

// Returns WS_VERSION of the loaded library. Thread-safe.
WS_API uint32_t ws_version(void);

// Returns WS_ABI_VERSION of the loaded library. A program must not use a library whose number differs from its
// header's. Thread-safe.
WS_API uint32_t ws_abi_version(void);

// Returns the size of a struct, WS_STRUCT_*, in the loaded library, in bytes; 0 for an unknown number. A binding
// compares its own layouts with it when it loads. ws_packet, ws_packet_out, ws_event, ws_variant, ws_call and
// ws_replicated have the same size in all versions with the same WS_ABI_VERSION; ws_config, ws_stats and ws_sim are at
// least as large as in the header of the binding. Thread-safe.
WS_API uint32_t ws_struct_size(int32_t which);

// Replaces the certificate of a server or host that was opened with wss://, while it runs. TLS handshakes that begin
// from now on use the new one; connected clients keep their connections. `cert_pem` and `key_pem` are texts as in
// ws_config. They are checked at once: if they cannot be used, do not belong together, or have expired, the server
// keeps the certificate that it has.
// The log warns of the own certificate of a server from 14 days before its end, when it is opened, when it is replaced,
// and then once a day.
//
// Returns WS_OK, WS_ERR_TLS, WS_ERR_KIND (not a server, or one without TLS), WS_ERR_STATE (it is closing),
// WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8, WS_ERR_TOO_BIG. Thread-safe.
WS_API ws_result ws_set_certificate(ws_handle server, const char *cert_pem, const char *key_pem);

// Makes a self-signed certificate with a new P-256 key, for development and for games on a local network. Players
// trust it by ws_config.pin_sha256 or ca_pem; browsers do not. `names` are 1 to 100 DNS names and IP addresses,
// separated by commas: "localhost, 127.0.0.1, ::1". It is valid from a day before now, as clocks differ, for `days`
// (1 to 36500) from now.
//
// Writes NUL-terminated texts: `cert` (PEM, for cert_pem and ca_pem), `key` (PEM, for key_pem; keep it secret) and
// `sha256` (64 hex digits, for pin_sha256; may be NULL with `sha256_cap` 0). 2048, 512 and 65 bytes are enough for ten
// names of usual length, 65536 bytes for any `cert`.
// Returns WS_OK, WS_ERR_ARG (`names` or `days`), WS_ERR_TOO_BIG (a buffer is too short; nothing was written),
// WS_ERR_TLS, WS_ERR_NULL, WS_ERR_UTF8. Thread-safe.
WS_API ws_result ws_make_certificate(const char *names, uint32_t days, char *cert, size_t cert_cap, char *key,
    size_t key_cap, char *sha256, size_t sha256_cap);

// Starts the closing handshake (RFC 6455 section 7.1.2) after the messages that were accepted. Poll until CLOSED to be
// sure that they were sent. `code` is 1000-1003, 1007-1014 or 3000-4999 (section 7.4); 0 means 1000, and -1 drops the
// connection at once. `reason` (NULL: none) has at most 123 bytes.
// A server stops listening and closes its clients, with 1001 for 0. A client whose request waits for an answer
// (WS_ASK) gets 503. While CLOSING only -1 has an effect; after CLOSED
// nothing has. Messages that were received can still be read.
//
// Returns WS_OK, WS_ERR_ARG, WS_ERR_UTF8, WS_ERR_HANDLE. Thread-safe.
WS_API ws_result ws_close(ws_handle h, int32_t code, const char *reason);

// Closes one client of a server (`target` is its handle), all clients (0), or all but one (minus its handle); `code`
// and `reason` as for ws_close(). On a host a target is a peer's id instead. Only DISCONNECTED is still delivered of
// such a client, at once: its queued messages and events are dropped, and messages that still arrive;
// ws_stats.skipped counts the messages. The closing handshake goes on behind it, for at most close_timeout_ms without
// progress, and what had not left (event.unsent) still does; until then the connection counts for max_clients. To keep
// reading what it sent, call ws_close() with its own handle instead.
//
// Returns WS_OK, WS_ERR_TARGET, WS_ERR_KIND, WS_ERR_ARG, WS_ERR_UTF8, WS_ERR_HANDLE. Thread-safe.
WS_API ws_result ws_disconnect(ws_handle h, int32_t target, int32_t code, const char *reason);

// Ends a server or host without losing its players, for a restart or a smaller fleet. From now on new requests are
// answered with 503 and Retry-After, health checks too; clients that come back to their session are let in. Each
// client is closed with 1012 when everything put to it has arrived (with a session: is acknowledged), and all that are
// left after `window_ms`. With a session it is also told to come back after `retry_ms` at least (at most 3600000), to
// `url` (ws:// or wss://, at most 1003 bytes, without a password; NULL or "": the URL that it has): with WS_RECONNECT
// it has LOST, then OPEN of a new session; else CLOSED. A client never follows a URL from wss:// to ws://, and sends
// its headers to no other origin. When no client is left the server closes itself, and has CLOSED. A second call
// changes the three values.
//
// Returns WS_OK, WS_ERR_STATE (closed or closing), WS_ERR_ARG (retry_ms), WS_ERR_URL, WS_ERR_KIND, WS_ERR_HANDLE,
// WS_ERR_UTF8, WS_ERR_TOO_BIG. Thread-safe.
WS_API ws_result ws_drain(ws_handle server, uint32_t window_ms, uint32_t retry_ms, const char *url);

// Retires a handle in any state and ends its loans. Queued output is written once more, by a thread of the library if
// it takes more than a millisecond. Data that the peer has not acknowledged may be lost: to be sure, call ws_close()
// and poll until CLOSED first. A server: its clients' handles are retired too. A server's client: it is dropped, and
// the server reports nothing more about it. 0 and stale handles are harmless. Never blocks. Thread-safe.
WS_API void ws_free(ws_handle h);

// Frees all handles that were opened with this ws_config.owner: a binding calls it when its program reloads. 0 frees
// none. Thread-safe.
WS_API void ws_free_owner(uint32_t owner);

// Frees all handles, forgets the TLS sessions that a later ws_connect() could resume, and asks the library's threads
// to end, without waiting for them. The library works again after the next open. Thread-safe.
WS_API void ws_shutdown(void);

// Does the work of a handle: connects, accepts, reads, answers pings, writes, and checks timers. Call it once a frame
// for every handle, except those of a server's clients: the server's poll includes them, and polling one polls its
// server. Never blocks, and works for at most poll_budget_us.
// After more than a second without ws_poll() or ws_wait(), as behind a loading screen, all timeouts are extended by
// that gap. A program that polls less often than once a second therefore has no timeouts: let it call ws_wait().
//
// Returns WS_OK, WS_MORE (the budget is exhausted and work is left), WS_ERR_HANDLE. A CLOSED handle is not an error.
// Thread-safe.
WS_API ws_result ws_poll(ws_handle h);

// Takes the next message, and leaves other events in the queue. A server's handle takes from its clients in turn; a
// client's own handle takes from that client only.
//
// out->data is lent to the program until the next call that takes items through the same handle (WS_EMPTY included),
// or its ws_free(). ws_poll() does not end the loan. The bytes may be sent again through any handle. Returns WS_OK,
// WS_EMPTY, WS_ERR_HANDLE, WS_ERR_NULL. One thread at a time may take items through a handle.
WS_API ws_result ws_get_packet(ws_handle h, struct ws_packet *out);

// Takes up to `cap` messages at once, as repeated calls of ws_get_packet() would. All of them stay valid together,
// until the next call that takes items.
//
// `count` is set to the number of messages written to `out`. Returns WS_OK, WS_EMPTY (there is none), WS_ERR_HANDLE,
// WS_ERR_NULL, WS_ERR_ARG (`cap` is 0). One thread at a time, as for ws_get_packet().
WS_API ws_result ws_get_packets(ws_handle h, struct ws_packet *out, size_t cap, size_t *count);

// Takes the next item, whatever its type: OPEN, MESSAGE, CLOSE_REQUEST, CLOSED and the others, in order. A server's
// handle takes from its clients in turn, in order within each, and the server's own events.
//
// out->packet.data is lent as by ws_get_packet(). Returns WS_OK, WS_EMPTY, WS_ERR_HANDLE, WS_ERR_NULL. One thread at a
// time, as for ws_get_packet().
WS_API ws_result ws_next_event(ws_handle h, struct ws_event *out);

// Takes up to `cap` items at once, as repeated calls of ws_next_event() would. All of them stay valid together, until
// the next call that takes items.
//
// `count` is set to the number of items written to `out`. Returns as ws_get_packets(). One thread at a time, as for
// ws_get_packet().
WS_API ws_result ws_next_events(ws_handle h, struct ws_event *out, size_t cap, size_t *count);

// Sends a message that stands for what is true now, such as the position of an object: it takes the place of the one
// that was put with the same key to the same connection, if that has not begun to leave; otherwise it goes behind what
// was put before. So a slow line never carries a backlog of old states, and messages of ws_put_packet() between them
// keep their order. `target` is as for ws_put_packet_to(); 0: where ws_put_packet() sends it. `key` is any number. The
// receiver sees ordinary messages.
// To keep them replaceable the library hands the system no more than the line takes until the next poll, as far as the
// system says what it has not sent (Linux, Android, Apple's systems); elsewhere what is in the system's buffer is not
// replaced. A host that relays a message of a join does not know its key. A message that was handed to a link and is
// not acknowledged (session_ms) is sent again unchanged. ws_stats.replaced counts the messages that did not leave.
//
// Returns as ws_put_packet() or ws_put_packet_to(); WS_ERR_FULL leaves the older message in its place; WS_ERR_ARG for
// WS_CALL. Thread-safe.
WS_API ws_result ws_put_latest(ws_handle h, int32_t target, uint32_t key, const uint8_t *data, size_t len,
    int32_t type);

// Fills a config with zeros, which mean the defaults, and sets its struct_size. Pass sizeof(ws_config) as `size`: the
// program then keeps working with later libraries, whose struct is larger.
//
// Returns WS_OK, WS_ERR_NULL, WS_ERR_CONFIG (an impossible size). Thread-safe.
WS_API ws_result ws_config_init(struct ws_config *config, size_t size);

// Opens a client: "ws://host:port/path?query" or "wss://...". Returns at once with a handle in state CONNECTING; poll
// it until OPEN or CLOSED. A network failure is reported by the CLOSED event.
// A user name and password in the URL become an Authorization header (RFC 7617), unless `headers` has one. A #fragment
// is ignored. A link-local IPv6 address needs its interface, by name or number: "ws://[fe80::1%25eth0]:9080" (RFC
// 6874) or "ws://[fe80::1%eth0]:9080". The Host header omits it. "localhost" is not looked up: it is ::1 and, at once
// if that refuses, 127.0.0.1, so it reaches a server that listens on either.
// In a web page "/path", "path" and "?query" mean the page's own server, by wss if the page came over https.
//
// `config` may be NULL. Returns WS_OK and the handle, or WS_ERR_URL, WS_ERR_CONFIG, WS_ERR_TLS, WS_ERR_LIMIT,
// WS_ERR_NULL, WS_ERR_UTF8. Thread-safe.
WS_API ws_result ws_connect(const char *url, const struct ws_config *config, ws_handle *out);

// Finds out why a client cannot connect. It opens a connection of its own as ws_connect() would, pings the server
// once, and closes. Poll it: each step is a STEP event, and CLOSED is the last. The text of CLOSED says what is wrong
// and what to do; its cause is WS_CAUSE_NONE if everything works. Messages of the server are dropped, and puts are
// WS_ERR_STATE.
// The texts are made for a bug report: they have no query, no user name or password, and no values of cookies,
// authorization or unknown headers. docs/diagnose.md shows one.
// Opening and ping take at most connect_timeout_ms each. No TLS session is resumed, and heartbeat_ms is not used.
//
// URL, `config` and results as for ws_connect(). Thread-safe.
WS_API ws_result ws_diagnose(const char *url, const struct ws_config *config, ws_handle *out);

// Opens a server: "ws://127.0.0.1:9080", "wss://[::]:443", "ws://*:9080", "ws://localhost:0". The host is an IP
// address, localhost or *: 0.0.0.0 is IPv4 only, [::] is IPv6 only, * is both. Port 0 chooses any free port;
// WS_OPT_PORT returns it. A link-local address is written as for ws_connect().
// A path other than "/" restricts requests to that path: others are refused with 404. A query, fragment, user name or
// password is WS_ERR_URL. wss:// needs cert_pem and key_pem. A failure to bind is reported at once.
//
// `config` may be NULL. Returns WS_OK and the handle, or WS_ERR_ADDRESS, WS_ERR_URL, WS_ERR_CONFIG, WS_ERR_TLS,
// WS_ERR_LIMIT, WS_ERR_NULL, WS_ERR_UTF8. Thread-safe.
WS_API ws_result ws_listen(const char *url, const struct ws_config *config, ws_handle *out);

// Opens a multiplayer host, which is peer 1: a server as ws_listen() opens it, whose clients get random ids from 2 to
// 2147483647. Targets of ws_put_packet_to() and ws_disconnect() are ids. The peer_id of a packet is its sender, that
// of an event the peer that it is about.
// The format is Godot 4's; with WS_GODOT3 it is that of Godot 3.2 to 3.6, and with WS_SCENE that of SceneMultiplayer.
// With either flag the host also relays messages between its clients. on_full is WS_FULL_DISCONNECT unless set.
//
// URL, `config` and results as for ws_listen(). Thread-safe.
WS_API ws_result ws_host(const char *url, const struct ws_config *config, ws_handle *out);

// Opens a multiplayer client: it joins a host opened by ws_host() or by Godot. The URL is as for ws_connect(). The
// join is CONNECTING until it receives its id, for at most connect_timeout_ms; with WS_AUTH until it is admitted. Then
// OPEN reports its id, as peer_id, and CONNECTED reports peer 1, the host. With WS_SCENE or WS_GODOT3, CONNECTED and
// DISCONNECTED also report the other peers. CLOSED is the last event and stands for all peers.
//
// `config` may be NULL. Returns as ws_connect(). Thread-safe.
WS_API ws_result ws_join(const char *url, const struct ws_config *config, ws_handle *out);

// Joins a host of this process in memory, in the host's format: for the player at the host's machine. The player gets
// an id and is reported to the others like every player; only WS_OPT_REFUSE_NEW, the path and the limits of clients do
// not apply to it. Poll both handles; they have separate locks.
//
// `config` is the player's and may be NULL. Returns WS_OK and the handle, or WS_ERR_KIND (not a host), WS_ERR_STATE
// (the host is closing), WS_ERR_HANDLE, WS_ERR_CONFIG, WS_ERR_LIMIT, WS_ERR_NULL. Thread-safe.
WS_API ws_result ws_join_local(ws_handle host, const struct ws_config *config, ws_handle *out);

// Opens two connections that talk to each other in memory by the real protocol: for a local player, and for tests.
// Each end moves its bytes in its own ws_poll(). Both share one lock.
//
// `config` applies to both ends and may be NULL. Returns WS_OK and the handles, or an error as ws_connect().
// Thread-safe.
WS_API ws_result ws_pair(const struct ws_config *config, ws_handle *server_end, ws_handle *client_end);

// Opens a connection whose bytes the program transports itself, with ws_feed() and ws_take_output(): another
// transport, a recording, a test. `role` is WS_ROLE_CLIENT or WS_ROLE_SERVER.
//
// `config` may be NULL. Returns WS_OK and the handle, or WS_ERR_ARG, or an error as ws_connect(). Thread-safe.
WS_API ws_result ws_attach(const struct ws_config *config, int32_t role, ws_handle *out);

// Passes bytes that the program's transport received to a connection of ws_attach(). They are copied, and the next
// ws_poll() processes them. `bytes` NULL with `len` 0 reports the end of the transport.
//
// `taken` (may be NULL) is set to the number of bytes taken. It is below `len`, or 0, if the program does not poll or
// does not take messages: pass the remaining bytes later. Returns WS_OK, or WS_ERR_STATE (the connection has ended),
// WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_TOO_BIG. Thread-safe.
WS_API ws_result ws_feed(ws_handle h, const uint8_t *bytes, size_t len, size_t *taken);

// Takes bytes that the program's transport has to send for a connection of ws_attach(). Call it after each ws_poll()
// and each message sent, until *len is 0. When the state is CLOSED and *len is 0, end the transport.
//
// `len` is set to the number of bytes written to `buf`. Returns WS_OK, or WS_EMPTY (there are none), WS_ERR_KIND,
// WS_ERR_HANDLE, WS_ERR_NULL. Thread-safe.
WS_API ws_result ws_take_output(ws_handle h, uint8_t *buf, size_t cap, size_t *len);

// Tells a client or join what its program knows of the device and the network: WS_HINT_*. Call it when the system says
// that the app is suspended or shown again, or that the network has changed. The Unity component, the classes of Godot
// and the browser build do it by themselves, except for the network. A hint is no promise: one that is wrong costs a
// ping.
//
// Returns WS_OK, WS_ERR_ARG (not a WS_HINT_*), WS_ERR_KIND (not a client or join), WS_ERR_HANDLE. Thread-safe.
WS_API ws_result ws_hint(ws_handle h, int32_t hint);

// Changes the URL of a client or join with WS_RECONNECT or session_ms, from its next try on; a link that is open stays.
// Scheme and host may change too; certificates are then checked for the new host, and extra headers go to it. Call it
// when a token in the URL has expired, for instance at LOST.
//
// Returns WS_OK, WS_ERR_URL, WS_ERR_TLS, WS_ERR_CONFIG (the proxy of the environment cannot be used), WS_ERR_KIND (not
// a client or join with either), WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8, WS_ERR_TOO_BIG. Thread-safe.
WS_API ws_result ws_set_url(ws_handle h, const char *url);

// Sets an extra header of the request of a client or join with WS_RECONNECT or session_ms, from its next try on, in the
// place of all extra headers with this name. A `value` of NULL removes them.
//
// Returns WS_OK, WS_ERR_ARG (not a valid header, one of the opening handshake's own, or one more than 100), WS_ERR_KIND
// (not a client or join with either), WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8, WS_ERR_TOO_BIG. Thread-safe.
WS_API ws_result ws_set_header(ws_handle h, const char *name, const char *value);

// Declares a scene of a MultiplayerSpawner, so that this program receives what a peer spawns with it, or spawns itself.
// `spawner` is the path of the spawner, "Game/Spawner" or "/root/Game/Spawner". `authority` is the id of the peer that
// may spawn with it, its multiplayer authority: 1 is the host, 0 is this program. `scene` is the index in the
// spawner's Auto Spawn List, from 0 on, or WS_CUSTOM_SCENE.
//
// `synchronizers` names the properties of the scene's MultiplayerSynchronizers that have the same authority, in the
// order in which they enter the tree, separated by semicolons; of each the properties in the order of its
// configuration, separated by commas. Behind a property stand its modes, as the editor shows them: "spawn", and
// "always" or "change". Without any it is "spawn always", Godot's default.
//
//   ws_declare_scene(h, "Game/Spawner", 1, 0, ".:position, .:skin spawn; Body:health spawn change");
//
// "" is a scene without synchronizers, and NULL forgets the scene. Declare it right after ws_host() or ws_join(): what
// is spawned with an undeclared scene is dropped, and ERROR with WS_CAUSE_NO_NODE reports it. docs/godot-scene.md has
// an example.
//
// `h` is a host or a join with WS_SCENE and without WS_RAW_REPLICATION. Returns WS_OK, WS_ERR_ARG (the path, the
// authority, the index, the properties, declared with others, or nothing to forget), WS_ERR_LIMIT, WS_ERR_KIND,
// WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8. Thread-safe.
WS_API ws_result ws_declare_scene(ws_handle h, const char *spawner, int32_t authority, uint32_t scene,
    const char *synchronizers);

// Declares a MultiplayerSynchronizer that no spawn lists: one of a scene that both sides load, or of another authority
// than the spawner's. `path` is its own path, `authority` and `properties` as for ws_declare_scene(); NULL for
// `properties` forgets it. If the authority is this program, `node` (may be NULL) is set to the number for ws_sync()
// and ws_set_visible(), else to 0.
//
// Returns as ws_declare_scene(). Thread-safe.
WS_API ws_result ws_declare_synchronizer(ws_handle h, const char *path, int32_t authority, const char *properties,
    uint32_t *node);

// Spawns a node at all peers that may see it, those to come included, until ws_despawn(). `spawner` and `scene` were
// declared with authority 0. `name` is the node's name below the spawner's spawn path, unique there, without any of
// . : @ / " %.
//
// `items` are pairs of a STRING, the name of a property, and its value: all properties with the mode "spawn", and
// others of the scene as wanted. For WS_CUSTOM_SCENE they begin with one more value, the data of the spawn. `node` is
// set to the node's number.
//
// A peer whose queue is full gets it later. Returns WS_OK, WS_ERR_ARG (not declared, a name, an item, a property that
// is unknown or lacks), WS_ERR_LIMIT (65,536 nodes), WS_ERR_TOO_BIG (max_call_bytes, max_put_bytes), WS_ERR_KIND,
// WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8. Thread-safe.
WS_API ws_result ws_spawn(ws_handle h, const char *spawner, uint32_t scene, const char *name,
    const struct ws_variant *items, size_t count, uint32_t *node);

// Despawns a node of ws_spawn() at all peers. Returns WS_OK, WS_ERR_ARG (no such node), WS_ERR_KIND, WS_ERR_HANDLE.
// Thread-safe.
WS_API ws_result ws_despawn(ws_handle h, uint32_t node);

// Sends new values of properties of a node of ws_spawn() or ws_declare_synchronizer() to the peers that see it. `items`
// are pairs as for ws_spawn(). Properties with the mode "always" are sent whenever one of their synchronizer is given,
// to peers whose queue has room, so call it once a frame or more seldom; those with "change" are sent once if their
// value has changed, and later to a peer whose queue is full or who comes later. Others are kept for peers to come.
//
// Returns WS_OK, WS_ERR_ARG (no such node, an item, an unknown property, or a property with "always" that was never
// given), WS_ERR_TOO_BIG (max_call_bytes, max_put_bytes; of all its values), WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL,
// WS_ERR_UTF8. Thread-safe.
WS_API ws_result ws_sync(ws_handle h, uint32_t node, const struct ws_variant *items, size_t count);

// Shows (`visible` is not 0) or hides (0) a node to one peer, or, with `peer_id` 0, to all. As in Godot, a peer sees it
// if it is shown to all or to that peer; at first it is shown to all. A peer for which that changes gets SPAWN or
// DESPAWN.
//
// Returns WS_OK, WS_ERR_ARG (no such node), WS_ERR_TARGET (no such peer), WS_ERR_KIND, WS_ERR_HANDLE. Thread-safe.
WS_API ws_result ws_set_visible(ws_handle h, uint32_t node, int32_t peer_id, int32_t visible);

// Decodes a received packet of type WS_SPAWN, WS_DESPAWN or WS_SYNC: one node at each call. Set `*at` to 0 before the
// first; each call moves it on.
//
//   for (size_t at = 0; ws_decode_replication(data, len, &at, &node, items, 32) == WS_OK;)
//     update(peer_id, node.node, items, node.items);
//
// The items of SPAWN and SYNC are pairs of a STRING, the name of a property, and its value, as for ws_spawn(). At most
// `cap` are written; if there are more, the result is WS_TRUNCATED. What `out` and the items point to is lent as long
// as the packet. Neither `at`, `out` nor `items` may overlap `data`.
//
// Returns WS_OK, WS_TRUNCATED, WS_EMPTY (there is no other node), WS_ERR_ARG (no such packet), WS_ERR_NULL,
// WS_ERR_TOO_BIG. Thread-safe.
WS_API ws_result ws_decode_replication(const uint8_t *data, size_t len, size_t *at, struct ws_replicated *out,
    struct ws_variant *items, size_t cap);

// Accepts the request of a client, after its REQUEST event: the WebSocket is opened, and CONNECTED follows. Frames
// that the client has sent behind its request are kept. `subprotocol` is one that the client offers in its header
// Sec-WebSocket-Protocol; NULL chooses as without WS_ASK, by ws_config.subprotocols. `headers` are `n` more lines of
// the response, "Name: value", besides ws_config.headers; NULL with `n` 0.
// The call may come in any later frame, from any thread.
//
// Returns WS_OK, WS_ERR_STATE (no request waits: the client has left, or it was answered), WS_ERR_KIND (not a client
// of a server, or the request is plain HTTP), WS_ERR_ARG (the subprotocol is not offered, a header is invalid, or `n`
// is over 100), WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8, WS_ERR_TOO_BIG. Thread-safe.
WS_API ws_result ws_accept(ws_handle conn, const char *subprotocol, const char *const *headers, size_t n);

// Answers the request of a client with an HTTP response, after its REQUEST event; a request to open a WebSocket is
// refused by that. `status` is 200 to 599. `headers` are `n` lines, "Name: value", without those that the library
// writes: Connection, Upgrade, Content-Length, Transfer-Encoding and Sec-WebSocket-*. `body` has `len` bytes; without
// a header Content-Type it is "text/plain; charset=utf-8". In the answer to HEAD it is not sent.
// The connection ends when the response has left: DISCONNECTED follows, with phase HTTP and this status. The call may
// come in any later frame, from any thread.
//
// Returns WS_OK, WS_ERR_STATE (no request waits: the client has left, or it was answered), WS_ERR_KIND (not a client
// of a server), WS_ERR_ARG (`status`, a header is invalid, or `n` is over 100), WS_ERR_LIMIT (no memory is left; the
// request still waits), WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8, WS_ERR_TOO_BIG. Thread-safe.
WS_API ws_result ws_reply(ws_handle conn, int32_t status, const char *const *headers, size_t n, const uint8_t *body,
    size_t len);

// Declares a node of the game and all its RPCs, so that this program can call them and understand calls of them.
// `path` is "Game" or "/root/Game". `methods` names every function of the node's script that is annotated @rpc, and no
// other, in any order: "hello, move, shoot". Godot numbers these methods, and both sides compare a checksum of their
// names. Names after a semicolon are those that Node.rpc_config() made callable. `methods` NULL forgets the node.
// Declare nodes right after ws_host() or ws_join(): calls of an undeclared node are dropped, and ERROR with
// WS_CAUSE_NO_NODE reports them.
//
// `h` is a host or a join with WS_SCENE. Returns WS_OK, WS_ERR_ARG (the path, a name twice, declared with other
// methods, or nothing to forget), WS_ERR_LIMIT, WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8. Thread-safe.
WS_API ws_result ws_declare_node(ws_handle h, const char *path, const char *methods);

// Sends data for the authentication of a peer, after its AUTHENTICATING event: a host to that peer, a join to peer 1.
// The peer receives it as AUTH, or in Godot's auth_callback. Needs WS_SCENE | WS_AUTH.
//
// Returns WS_OK, WS_ERR_TARGET (no such peer, or it is admitted), WS_ERR_STATE (one side has completed), WS_ERR_ARG
// (no data), WS_ERR_FULL, WS_ERR_TOO_BIG (over 64 KiB), WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL. Thread-safe.
WS_API ws_result ws_send_auth(ws_handle h, int32_t peer_id, const uint8_t *data, size_t len);

// Completes the authentication of a peer on this side. The peer is then admitted when the other side has completed it
// too, or with the next packet of any type that it sends, as in Godot. CONNECTED follows; on a join OPEN and
// CONNECTED.
// Until then, AUTH events report the data that the peer sends for the authentication. Its other packets wait, even
// those that arrived before such data, and are dropped if the peer ends before it is admitted. To refuse a peer, call
// ws_disconnect(), or ws_close() on a join. A peer that is not authenticated within WS_OPT_AUTH_TIMEOUT_MS is
// disconnected.
//
// Returns WS_OK, WS_ERR_TARGET (no such peer, or it is admitted), WS_ERR_STATE (already completed), WS_ERR_FULL,
// WS_ERR_KIND, WS_ERR_HANDLE. Thread-safe.
WS_API ws_result ws_complete_auth(ws_handle h, int32_t peer_id);

// Encodes a call of `method` of the node at `path` ("Game" or "/root/Game"), to be sent with type WS_CALL. `items` are
// the arguments. Each value is one item; the item of a container is followed by the items that it contains,
// recursively. A call has at most 255 arguments.
//
//   ws_variant args[3] = {{.type = WS_VARIANT_INT, .integer = 5},
//                         {.type = WS_VARIANT_ARRAY, .count = 1},
//                         {.type = WS_VARIANT_FLOAT, .number = {1.5}}};
//   uint8_t call[256];
//   size_t len;
//   if (ws_encode_call("Game", "hello", args, 3, call, sizeof call, &len) == WS_OK)
//     ws_put_packet_to(h, 1, call, len, WS_CALL);   // hello(5, [1.5])
//
// `len` is set to the length of the call in bytes, even if it exceeds `cap`: the result is then WS_ERR_TOO_BIG, and
// `buf` has no usable content. `buf` must not overlap the path, the method, the items or what they point to. Returns
// WS_OK, WS_ERR_TOO_BIG, WS_ERR_ARG (an invalid item, or an overlap with `buf`; ws_last_error() says which),
// WS_ERR_NULL, WS_ERR_UTF8. Thread-safe.
WS_API ws_result ws_encode_call(const char *path, const char *method, const struct ws_variant *items, size_t count,
    uint8_t *buf, size_t cap, size_t *len);

// Decodes a call: a received packet of type WS_CALL. Its arguments become items, as for ws_encode_call(). What `out`
// and the items point to is lent as long as the packet.
//
// `out` receives the node, the method, and the numbers of arguments and items. At most `cap` items are written to
// `items`; if there are more, the result is WS_TRUNCATED. After a failure, `items` has no usable content. Neither
// `out` nor `items` may overlap `data`. Returns WS_OK, WS_TRUNCATED, WS_ERR_ARG (not a call), WS_ERR_UNSUPPORTED (an
// argument that only Godot can read), WS_ERR_NULL, WS_ERR_TOO_BIG. Thread-safe.
WS_API ws_result ws_decode_call(const uint8_t *data, size_t len, struct ws_call *out, struct ws_variant *items,
    size_t cap);

// Encodes one value as Godot's var_to_bytes() does, for bytes_to_var() and get_var(). `items` as for ws_encode_call().
//
// Outputs and results as ws_encode_call(); WS_ERR_ARG also if the items are not exactly one value. Thread-safe.
WS_API ws_result ws_encode_variant(const struct ws_variant *items, size_t count, uint8_t *buf, size_t cap, size_t *len);

// Decodes one value that Godot's var_to_bytes() or put_var() encoded. What the items point to lies in `data`.
//
// `count` is set to the number of items. At most `cap` are written to `items`; if there are more, the result is
// WS_TRUNCATED. `used` (may be NULL) is set to the length of the value in bytes, which may be below `len`. `items`
// must not overlap `data`. Returns as ws_decode_call(). Thread-safe.
WS_API ws_result ws_decode_variant(const uint8_t *data, size_t len, struct ws_variant *items, size_t cap,
    size_t *count, size_t *used);

// Serves the files of a directory from the port of a server or host: the page of a game beside the game. Plain GET and
// HEAD requests whose path begins with `prefix` ("/", "/game") get the file at the rest of the path, or index.html for
// a directory. Nothing is served without this call. Of several prefixes the longest one counts; a call with the same
// prefix again replaces its directory, and `directory` NULL removes it. `flags` is 0 or WS_SERVE_ISOLATED.
//
// Only regular files below the directory are sent: no hidden ones (their names begin with a dot) and nothing behind a
// link, whatever the path says. Served requests cause no events and do not count as clients; requests to open a
// WebSocket are never served. Files are read by threads of the library, and sent within poll_budget_us behind the
// messages to the clients. max_downloads, max_downloads_per_address and WS_OPT_DOWNLOAD_TIMEOUT_MS limit them.
// docs/serving.md says which types, compressed files, ranges and conditions are known.
//
// Returns WS_OK, WS_ERR_ARG (`prefix` is no path that begins with a slash and has only names that can be served, or
// `flags`; to be removed: there is no such prefix), WS_ERR_DIRECTORY, WS_ERR_KIND (not a server), WS_ERR_STATE (it is
// closing), WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8, WS_ERR_TOO_BIG. Thread-safe.
WS_API ws_result ws_serve(ws_handle server, const char *prefix, const char *directory, uint32_t flags);

// Fills a ws_sim with the figures of a preset (WS_SIM_*), which the program may change before it passes it to
// ws_set_sim(), and sets its struct_size. WS_SIM_NONE: zeros, a perfect network. Pass sizeof(ws_sim) as `size`.
//
// Returns WS_OK, WS_ERR_NULL, WS_ERR_CONFIG (an impossible size), WS_ERR_ARG (no such preset). Thread-safe.
WS_API ws_result ws_sim_init(struct ws_sim *sim, size_t size, int32_t preset);

// Simulates a bad network between a connection and its peer, to play a game on it: lag, jitter, little bandwidth,
// losses, stalls, links that are half-open or cut. A server's handle: for all its clients, and those to come. The
// handle of a server's client: for that client. `sim` is copied; NULL switches the simulation off, and what was held
// then leaves at once, in order.
// It applies from when a connection is OPEN, over TLS to the bytes inside. A bad network never reorders or loses bytes
// of a connection: what TCP repeats comes later, and all behind it waits. The same `sim` and the same calls at the same
// times have the same effect, in the browser too. What is held counts as sent, is bounded (buffer_bytes), and is
// reported in ws_stats.sim_bytes; beyond that, writing stops as on a full line. Half-open and cut happen once for each
// call and link; another link of the same client (WS_RECONNECT) has the other conditions.
// The work of a line is done by ws_poll(), whose rate limits how exact the times are; ws_wait() returns when something
// arrives. docs/simulator.md describes the model and the presets.
//
// Returns WS_OK, WS_ERR_CONFIG (struct_size, or the value of a field: ws_last_error() names it), WS_ERR_HANDLE.
// Thread-safe.
WS_API ws_result ws_set_sim(ws_handle h, const struct ws_sim *sim);

// Advances the time of a handle of ws_pair() or ws_attach() by `us` microseconds. From the first call on (`us` may be
// 0) its time, and that of the other end of a pair, moves in no other way: timeouts, heartbeats, times of events and
// simulated networks follow it, and polls have no time budget, so that a test does the same each time. ws_wait() then
// waits for no timer of it. As always, more than a second between two polls extends all timeouts: advance in smaller
// steps, and poll after each.
//
// Returns WS_OK, WS_ERR_KIND (sockets follow the system's time), WS_ERR_HANDLE. Thread-safe.
WS_API ws_result ws_advance_time(ws_handle h, uint32_t us);

// Sends a message of type WS_TEXT or WS_BINARY; its bytes are copied. A client sends to its peer. A server or host
// sends to all OPEN clients, and encodes the message once. A join sends to the host in Godot 4's format, and to
// everyone with WS_SCENE or WS_GODOT3, which have no WS_TEXT. With WS_SCENE a message of type WS_BINARY is what
// Godot's send_bytes() sends, and one of type WS_CALL, made by ws_encode_call(), calls a method of a node on the other
// side; one of type WS_REPLICATION is sent as it is.
// The message is written at once if no output is queued before it. With WS_COALESCE it waits for ws_flush(), the next
// poll or 128 KiB. With WS_DEFLATE a message over 64 KiB (less if deflate_level is above 2) is compressed in slices by
// the following polls and flushes.
//
// Returns WS_OK (accepted), WS_PARTIAL (a server: the queues of some clients were full; see SKIPPED), WS_ERR_FULL (not
// accepted: send it again after WRITABLE), WS_ERR_STATE (not OPEN), WS_ERR_LIMIT (not accepted: no memory is left),
// WS_ERR_TOO_BIG, WS_ERR_UTF8, WS_ERR_ARG, WS_ERR_NULL, WS_ERR_KIND (WS_CALL without WS_SCENE), WS_ERR_HANDLE.
// Thread-safe.
WS_API ws_result ws_put_packet(ws_handle h, const uint8_t *data, size_t len, int32_t type);

// Sends a message to one client of a server (`target` is its handle), to all clients (0), or to all but one (`target`
// is minus its handle; that client need not exist). On a host or join a target is a peer's id instead. A join in Godot
// 4's format reaches only the host: other targets, 0 included, are WS_ERR_TARGET. With WS_SCENE and WS_GODOT3 the host
// relays messages to the other peers.
//
// Returns as ws_put_packet(), and WS_ERR_TARGET (no such client or peer), WS_ERR_ARG (INT32_MIN), WS_ERR_KIND (not a
// server, host or join). Thread-safe.
WS_API ws_result ws_put_packet_to(ws_handle h, int32_t target, const uint8_t *data, size_t len, int32_t type);

// Puts packets[0] to packets[n - 1], in order, up to the first that is not accepted. Each has the rules and the effect
// of ws_put_packet(), or of ws_put_packet_to() if its target is not 0, but one call costs less than n.
// Without WS_COALESCE the messages are written together: at the end of the call, every 128 KiB, and when a full queue
// would refuse one. Through a server's or host's handle, clients are written to while poll_budget_us lasts; ws_flush()
// or the next poll writes to the others. Messages that another thread puts go before or after all of these.
//
// `taken` is set to the number of accepted messages; packets[*taken] is the first that was not. To a full queue, put it
// and those behind it again after WRITABLE; to skip it, go on at packets[*taken + 1].
// The call never blocks. Its time grows with the accepted messages, not with n: outbound_packets and outbound_bytes
// bound what it adds to a queue, beside what the transport takes meanwhile.
//
// Returns WS_OK (all are accepted; also if n is 0), WS_PARTIAL (all are accepted, one or more not by every client), or
// the error for packets[*taken]. With a `taken` of 0 also WS_ERR_HANDLE, WS_ERR_NULL (`packets` or `taken`),
// WS_ERR_TOO_BIG (n). Thread-safe.
WS_API ws_result ws_put_packets(ws_handle h, const struct ws_packet_out *packets, size_t n, size_t *taken);

// Writes queued output, as much as the transport takes. A server: that of all its clients.
//
// Returns WS_OK or WS_ERR_HANDLE. Thread-safe.
WS_API ws_result ws_flush(ws_handle h);

// Subscribes a client of a server or host to a topic: from now on it receives what ws_publish() sends to that topic.
// `conn` is the client's handle. A topic is any name of 1 to 255 bytes without control characters; names are compared
// byte by byte. It exists while it has a subscriber. A client keeps its topics while its link is lost (session_ms), and
// leaves them when it ends. Subscribing twice is the same as once.
//
// Returns WS_OK, WS_ERR_LIMIT (max_topics of the client, max_server_topics of the server), WS_ERR_STATE (the client is
// not OPEN, or LOST with a session), WS_ERR_ARG (the name), WS_ERR_UTF8, WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL.
// Thread-safe.
WS_API ws_result ws_subscribe(ws_handle conn, const char *topic);

// Ends the subscription of a client to a topic; NULL: to all of its topics. A topic that it has not subscribed to is no
// error.
//
// Returns WS_OK, WS_ERR_ARG (the name), WS_ERR_UTF8, WS_ERR_KIND, WS_ERR_HANDLE. Thread-safe.
WS_API ws_result ws_unsubscribe(ws_handle conn, const char *topic);

// Sends a message from a server or host to the clients that have subscribed to a topic, except one: `except` is the
// handle of a client, on a host the id of a peer, which need not exist; 0: nobody is left out. The message is encoded
// and compressed once, and is sent in order with all other messages. Its cost grows with the number of subscribers, not
// of clients. A topic without subscribers is no error. On a host `type` may be WS_CALL with WS_SCENE.
//
// Returns as ws_put_packet() on a server, and WS_ERR_ARG (the name of the topic, a negative `except`). Thread-safe.
WS_API ws_result ws_publish(ws_handle h, const char *topic, int32_t except, const uint8_t *data, size_t len,
    int32_t type);

// Sends a message to the clients that have subscribed to a topic as ws_publish() does, and for each of them takes the
// place of the message with the same key that has not left, as ws_put_latest() does.
//
// Returns as ws_publish(), and WS_ERR_ARG for WS_CALL. Thread-safe.
WS_API ws_result ws_publish_latest(ws_handle h, const char *topic, int32_t except, uint32_t key, const uint8_t *data,
    size_t len, int32_t type);

// Copies the topics of a client of a server or host to `buf`, one a line, sorted; of a server or host: all topics that
// have subscribers.
//
// Outputs and results as ws_get_text(). Thread-safe.
WS_API ws_result ws_get_topics(ws_handle h, char *buf, size_t cap, size_t *len);

// Waits until one of `n` handles has something to poll or to take: for programs without frames. It is the only call
// that may block. 0 and stale handles are ignored. `timeout_ms` is in milliseconds; -1: no timeout, 0: check only.
//
// Returns WS_OK (poll now), WS_EMPTY (the timeout expired), WS_ERR_NULL, WS_ERR_ARG, WS_ERR_HANDLE (none of the
// handles is valid), WS_ERR_LIMIT (the system cannot wait). Thread-safe; each thread waits separately.
WS_API ws_result ws_wait(const ws_handle *handles, size_t n, int32_t timeout_ms);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* WSPEER_H */
