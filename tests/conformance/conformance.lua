-- The conformance program in LuaJIT, through its FFI only: docs/conformance.md and docs/binding.md.
-- Usage: luajit conformance.lua SCENARIO [URL [CA.pem]]     in the root of the tree; WSPEER_LIBRARY names the library
local ffi = require("ffi")
local header = assert(io.open("include/wspeer.h")):read("*a")
local K = {}
for name, value in header:gmatch("#define (WS_[%u%d_]+) (%-?[%dxA-F]+)") do K[name] = tonumber(value) end
ffi.cdef((header:gsub("#[^\n]*", ""):gsub('extern "C" {', ""):gsub('}  // extern "C"', ""):gsub("WS_API", "")))
ffi.cdef("int usleep(unsigned microseconds);")
local ws = ffi.load(os.getenv("WSPEER_LIBRARY") or "build/libwspeer.so")

-- ---- The trace ----

local text_buffer, text_length = ffi.new("char[65536]"), ffi.new("size_t[1]")

local function last_error()
  ws.ws_last_error(text_buffer, 65536, nil)
  return ffi.string(text_buffer)
end

local function check(verb, result)
  if result < 0 then print(("failed %s %s: %s"):format(verb, ffi.string(ws.ws_result_name(result)), last_error())) end
  return result
end

local function text_of(h, what)
  if ws.ws_get_text(h, what, text_buffer, 65536, nil) ~= 0 then return "" end
  return ffi.string(text_buffer)
end

local function adler32(data, length)
  local a, b = 1, 0
  for i = 0, length - 1 do
    a = (a + data[i]) % 65521
    b = (b + a) % 65521
  end
  return ("%04x%04x"):format(b, a)
end

local ends, peer_names = {}, {}

local function show(name, line) print(name == "" and line or name .. " " .. line) end

local function peer_field(id) return id == 0 and "" or " peer=" .. (peer_names[id] or "nobody") end

local function print_packet(name, packet)
  local length = tonumber(packet.len)
  local is_text = packet.type == K.WS_TEXT
  local form = is_text and "text" or packet.type == K.WS_REPLICATION and "replication" or "binary"
  local line = ("%s %d %s%s"):format(form, length,
    adler32(packet.data, length), peer_field(packet.peer_id))
  if is_text and length > 0 and length <= 64 then line = line .. " " .. ffi.string(packet.data, length) end
  show(name, line)
end

-- What a packet of type WS_SPAWN, WS_DESPAWN or WS_SYNC brings, one line for each node; in local.lua.
local print_nodes

local function print_event(name, event)
  local kind, words = event.type, ffi.string(event.packet.data, event.packet.len)
  if kind == K.WS_EVENT_MESSAGE then return print_packet(name, event.packet) end
  if kind >= K.WS_EVENT_SPAWN and kind <= K.WS_EVENT_SYNC then return print_nodes(name, event.packet) end
  if kind == K.WS_EVENT_OPEN then return show(name, "open protocol=" .. text_of(event.conn, K.WS_GET_SUBPROTOCOL)) end
  local line = ("event %d"):format(kind)
  if kind == K.WS_EVENT_CONNECTED then
    line = "connected"
    if event.peer_id == 0 then
      line = ("connected path=%s query=%s protocol=%s"):format(text_of(event.conn, K.WS_GET_PATH),
        text_of(event.conn, K.WS_GET_QUERY), text_of(event.conn, K.WS_GET_SUBPROTOCOL))
    end
  elseif kind == K.WS_EVENT_CLOSE_REQUEST then
    line = ("close-request code=%d reason=%s"):format(event.code, words)
  elseif kind == K.WS_EVENT_LOST then
    line = ("lost code=%d phase=%d cause=%d status=%d unsent=%d"):format(event.code, event.phase, event.cause,
      event.http_status, event.unsent)
  elseif kind == K.WS_EVENT_RESUMED then
    line = ("resumed count=%d"):format(tonumber(event.count))
  elseif kind == K.WS_EVENT_CLOSED or kind == K.WS_EVENT_DISCONNECTED then
    line = ("%s code=%d clean=%d phase=%d cause=%d status=%d unsent=%d reason=%s error=%s"):format(
      kind == K.WS_EVENT_CLOSED and "closed" or "disconnected", event.code,
      event.clean, event.phase, event.cause, event.http_status, event.unsent,
      text_of(event.conn, K.WS_GET_CLOSE_REASON), words)
  elseif kind == K.WS_EVENT_WRITABLE then
    line = "writable"
  elseif kind == K.WS_EVENT_SKIPPED then
    line = ("skipped count=%d"):format(tonumber(event.count))
  elseif kind == K.WS_EVENT_ERROR then
    line = ("error phase=%d cause=%d count=%d"):format(event.phase, event.cause, tonumber(event.count))
    -- A text about a peer has its random id.
    if event.peer_id == 0 then line = line .. " error=" .. words end
  elseif kind == K.WS_EVENT_REFUSED then
    line = ("refused phase=%d cause=%d status=%d count=%d error=%s"):format(event.phase, event.cause,
      event.http_status, tonumber(event.count), words:match(": (.*)"))
  elseif kind == K.WS_EVENT_AUTHENTICATING then
    line = "authenticating"
  elseif kind == K.WS_EVENT_AUTH then
    line = ("auth %d %s"):format(#words, adler32(event.packet.data, #words))
  end
  show(name, line .. peer_field(event.peer_id))
end

local function print_header(name, h, header_name, index)
  if ws.ws_get_header(h, header_name, index, text_buffer, 65536, nil) ~= 0 then
    return show(name, ("no header %s %d"):format(header_name, index))
  end
  show(name, ("header %s %d=%s"):format(header_name, index, ffi.string(text_buffer)))
end

-- ---- Polling ----

-- What a scenario does in each round of polling besides.
local between_polls = function() end

local function poll_all()
  between_polls()
  for _, one in ipairs(ends) do ws.ws_poll(one.h) end
  ffi.C.usleep(500)
end

local function poll_until(name, done)
  local limit = os.time() + 10
  while not done() do
    if os.time() > limit then
      print(("nothing came to '%s' for 10 s"):format(name))
      os.exit(1)
    end
    poll_all()
  end
end

local event = ffi.new("ws_event")

local function next_event(one)
  poll_until(one.name, function() return ws.ws_next_event(one.h, event) == K.WS_OK end)
  return event
end

local function take(one, count)
  for _ = 1, count do print_event(one.name, next_event(one)) end
end

local function until_event(one, kind)
  repeat print_event(one.name, next_event(one)) until event.type == kind
end

-- A config, and a table that keeps its strings alive until the call that copies them.
local function config_of(fields)
  local config, kept = ffi.new("ws_config"), {}
  ws.ws_config_init(config, ffi.sizeof(config))
  for name, value in pairs(fields or {}) do
    if name == "headers" then
      kept.headers = ffi.new("const char *[?]", #value, value)
      config.headers, config.headers_count = kept.headers, #value
    else
      config[name] = value
      kept[name] = value
    end
  end
  return config, kept
end

local out = ffi.new("ws_handle[1]")

-- The call is one of connect, listen, host and join. Returns the handle, or nothing.
local function open(verb, url, fields)
  local config, kept = config_of(fields)
  local result = check(verb, ws["ws_" .. verb](url, config, out))
  assert(kept)
  if result >= 0 then return out[0] end
end

local function put(h, words, kind) return check("put", ws.ws_put_packet(h, words, #words, kind or K.WS_TEXT)) end

local function put_to(h, target, words, kind)
  return check("put_to", ws.ws_put_packet_to(h, target, words, #words, kind or K.WS_TEXT))
end

-- ---- Scenarios of a client ----

local client = { name = "", h = 0 }

local function open_client(url, fields)
  ws.ws_free(client.h)
  client.h, ends = open("connect", url, fields) or 0, { client }
  if client.h ~= 0 then take(client, 1) end
end

local function close_client(code, reason)
  check("close", ws.ws_close(client.h, code or 1000, reason or ""))
  until_event(client, K.WS_EVENT_CLOSED)
end

local scenarios = {}

function scenarios.echo(url)
  open_client(url .. "/echo")
  for _, words in ipairs { "hello", "κόσμε 🎮" } do
    put(client.h, words)
    take(client, 1)
  end
  close_client()
end

function scenarios.sizes(url)
  local big = 1048576
  local bytes = ffi.new("uint8_t[?]", big)
  open_client(url .. "/echo")
  for kind = K.WS_TEXT, K.WS_BINARY do
    for i = 0, big - 1 do bytes[i] = kind == K.WS_TEXT and 97 + i % 26 or i % 251 end
    for _, length in ipairs { 0, 1, 125, 126, 65535, 65536, big } do
      check("put", ws.ws_put_packet(client.h, bytes, length, kind))
      take(client, 1)
    end
  end
  close_client()
end

function scenarios.wss(url, ca)
  open_client(url .. "/echo", { flags = K.WS_ONLY_CA_PEM, ca_pem = assert(io.open(ca)):read("*a") })
  print("tls " .. (text_of(client.h, K.WS_GET_TLS) == "" and "no" or "yes"))
  put(client.h, "secret")
  take(client, 1)
  close_client()
end

function scenarios.subprotocol(url)
  open_client(url .. "/echo", { subprotocols = "chat.v3, chat.v2" })
  close_client()
  open_client(url .. "/echo", { subprotocols = "other" })
end

function scenarios.headers(url)
  open_client(url .. "/echo?a=1&b=%20", { headers = { "X-Ask: one", "X-Ask: two words" } })
  for i = 0, 2 do print_header("", client.h, "x-answer", i) end
  print_header("", client.h, "x-missing", 0)
  close_client()
end

function scenarios.certificate(url) open_client(url .. "/echo") end

function scenarios.status(url)
  open_client(url .. "/refuse/403")
  print_header("", client.h, "x-refused", 0)
  print("body " .. text_of(client.h, K.WS_GET_BODY))
end

function scenarios.nobody(url) open_client(url .. "/") end

-- Sentences, and the number of steps, depend on the system.
function scenarios.diagnose(url)
  for _, path in ipairs { "/echo", "/refuse/403" } do
    ws.ws_free(client.h)
    client.h = open("diagnose", url .. path) or 0
    ends = { client }
    put(client.h, "no message")
    local last
    while next_event(client).type == K.WS_EVENT_STEP do
      if event.phase ~= last then print(("step phase=%d"):format(event.phase)) end
      last = event.phase
    end
    print(("advice code=%d clean=%d phase=%d cause=%d status=%d"):format(event.code, event.clean, event.phase,
      event.cause, event.http_status))
  end
end

-- The URL is that of the proxy.
function scenarios.proxy(url)
  open_client("ws://game.example/echo", { proxy = url })
  put(client.h, "through")
  take(client, 1)
  close_client()
  open_client("ws://refused.example/", { proxy = url })
  print_header("", client.h, "x-proxy", 0)
  print("body " .. text_of(client.h, K.WS_GET_BODY))
  open_client("ws://login.example/", { proxy = url })
  open_client("ws://game.example/", { proxy = "ftp://127.0.0.1:1" })
end

-- Before OPEN, and with WS_COALESCE until it is flushed, only the newest message of each key waits.
function scenarios.latest(url)
  client.h = open("connect", url .. "/echo",
    { flags = bit.bor(K.WS_COALESCE, K.WS_QUEUE_BEFORE_OPEN), max_message_bytes = 1000 })
  ends = { client }
  local function put_latest(key, words, kind)
    check("put_latest", ws.ws_put_latest(client.h, 0, key, words, #words, kind or K.WS_TEXT))
  end
  put_latest(1, "first")
  put(client.h, "plain")
  put_latest(1, "second")
  take(client, 3)
  put_latest(1, "one")
  put_latest(0xFFFFFFFF, "\0", K.WS_BINARY)
  put(client.h, "between")
  put_latest(1, "a longer one")
  put_latest(0xFFFFFFFF, "\0\255", K.WS_BINARY)
  put_latest(2, "")
  check("flush", ws.ws_flush(client.h))
  put_latest(1, "after")
  take(client, 5)
  local stats = ffi.new("ws_stats")
  ws.ws_get_stats(client.h, stats, ffi.sizeof(stats))
  print(("replaced %d out %d"):format(tonumber(stats.replaced), tonumber(stats.messages_out)))
  put_latest(1, ("\0"):rep(1001), K.WS_BINARY)
  close_client()
  put_latest(1, "too late")
end

-- The server has no application heartbeat.
function scenarios.heartbeat(url)
  open_client(url .. "/echo", { flags = K.WS_APP_HEARTBEAT })
  put(client.h, "hello")
  take(client, 2)
  close_client()
end

-- The texts have the program's own name for a word of the header.
function scenarios.names(url)
  local zeros = ("\0"):rep(1001)
  open_client(url .. "/echo", { max_message_bytes = 1000 })
  check("set_name", ws.ws_set_name("max_message_bytes", "Longest"))
  put(client.h, zeros, K.WS_BINARY)
  check("set_name", ws.ws_set_name("max_message_bytes", nil))
  put(client.h, zeros, K.WS_BINARY)
  close_client()
end

function scenarios.reconnect(url)
  open_client(url .. "/echo?try=1", { flags = K.WS_RECONNECT, retry_min_ms = 1, retry_max_ms = K.WS_OFF })
  open_client(url .. "/echo?try=1", { flags = K.WS_RECONNECT, retry_min_ms = 1, retry_max_ms = 20 })
  take(client, 2)
  print("state " .. ws.ws_get_state(client.h))
  put(client.h, "too early")
  check("set_url", ws.ws_set_url(client.h, "http://localhost"))
  check("set_url", ws.ws_set_url(client.h, url .. "/echo?try=2"))
  check("set_header", ws.ws_set_header(client.h, "X-Ask", "again"))
  take(client, 2)
  put(client.h, "back")
  take(client, 1)
  close_client()
end

scenarios["close-here"] = function(url)
  for _, one in ipairs { { 0, "" }, { 1000, "bye" }, { 1001, "" }, { 3000, "κόσμε" }, { 4999, ("r"):rep(123) } } do
    open_client(url .. "/sink")
    put(client.h, "last")
    close_client(one[1], one[2])
  end
  open_client(url .. "/echo")
  close_client(-1)
end

scenarios["close-there"] = function(url)
  for _, path in ipairs { "/close/1000/", "/close/1001/going", "/close/4001/bye" } do
    open_client(url .. path)
    until_event(client, K.WS_EVENT_CLOSED)
  end
end

function scenarios.burst(url)
  open_client(url .. "/burst")
  poll_until("", function() return ws.ws_get_state(client.h) == K.WS_CLOSED end)
  print(("state %d available %d"):format(ws.ws_get_state(client.h), ws.ws_get_available(client.h)))
  local packets = ffi.new("ws_packet[32]")
  while ws.ws_get_packets(client.h, packets, 32, text_length) == K.WS_OK do
    for i = 0, tonumber(text_length[0]) - 1 do print_packet("", packets[i]) end
  end
  until_event(client, K.WS_EVENT_CLOSED)
end

scenarios["bad-peer"] = function(url)
  for _, path in ipairs { "/close/none", "/close/drop", "/bad/utf8", "/bad/reserved", "/bad/big" } do
    open_client(url .. path, { max_message_bytes = 1000 })
    until_event(client, K.WS_EVENT_CLOSED)
  end
end

-- ---- Bad input ----

scenarios["bad-open"] = function()
  for _, url in ipairs { "", "game.example:9080", "http://127.0.0.1/", "ws://127.0.0.1:99999", "ws://" } do
    open("connect", url)
  end
  for _, url in ipairs { "nothing", "ws://game.example:0", "wss://127.0.0.1:0" } do open("listen", url) end
  open("connect", "ws://127.0.0.1:1", { headers = { "X-Bad: one\r\nX-Worse: two" } })
  open("connect", "ws://127.0.0.1:1", { headers = { "no colon" } })
  open("connect", "wss://127.0.0.1:1", { ca_pem = "no certificate" })
  open("connect", "ws://127.0.0.1:1", { flags = K.WS_DEFLATE, deflate_level = 10 })
end

scenarios["bad-put"] = function(url)
  local zeros = ("\0"):rep(1001)
  client.h = open("connect", url, { max_message_bytes = 1000 })
  put(client.h, "too early")
  open_client(url .. "/echo", { max_message_bytes = 1000 })
  put(client.h, zeros, K.WS_BINARY)
  put(client.h, zeros:sub(2), K.WS_BINARY)
  take(client, 1)
  close_client()
  put(client.h, "too late")
end

scenarios["bad-text"] = function(url)
  open_client(url .. "/echo")
  put(client.h, "a\206")
  put(client.h, "good")
  take(client, 1)
  close_client()
end

scenarios["bad-close"] = function(url)
  open_client(url .. "/echo")
  check("close", ws.ws_close(client.h, 1000, ("r"):rep(124)))
  for _, code in ipairs { 999, 1005, 5000 } do check("close", ws.ws_close(client.h, code, "")) end
  close_client()
end

-- ---- Handles that have ended ----

function scenarios.stale(url)
  open_client(url .. "/echo")
  ws.ws_free(client.h)
  put(client.h, "to nobody")
  check("close", ws.ws_close(client.h, 1000, ""))
  check("poll", ws.ws_poll(client.h))
  ws.ws_free(client.h)

  local server = { name = "server", h = open("listen", "ws://127.0.0.1:0") }
  client = { name = "client", h = open("connect", text_of(server.h, K.WS_GET_URL)) }
  ends = { server, client }
  take(client, 1)
  local gone = next_event(server).conn
  print_event("server", event)
  check("close", ws.ws_close(client.h, -1, ""))
  until_event(server, K.WS_EVENT_DISCONNECTED)
  put(gone, "just gone")
  ws.ws_poll(server.h)
  put(gone, "to nobody")
  put_to(server.h, 12345, "", K.WS_BINARY)
end

-- ---- A session. The remote peer is a relay, which cuts the first link in the place of the server's "cut" ----

function scenarios.session(url)
  local server = { name = "server", h = open("listen", "ws://127.0.0.1:0", { session_ms = 60000, node = "node-1" }) }
  local port, stats = ffi.new("uint32_t[1]"), ffi.new("ws_stats")
  local config = { session_ms = 60000, retry_min_ms = 1, retry_max_ms = 20 }
  ws.ws_get_option(server.h, K.WS_OPT_PORT, port)
  client = { name = "client", h = open("connect", ("%s/%d/room"):format(url, port[0]), config) }
  ends = { server, client }
  take(client, 1)
  local seat = next_event(server).conn
  print_event("server", event)
  local function print_states() print(("state %d %d"):format(ws.ws_get_state(client.h), ws.ws_get_state(seat))) end
  put(client.h, "one")
  take(server, 1)
  put(seat, "cut")
  take(client, 1)
  -- The client is not polled, so it does not come back before both have put.
  ends = { server }
  take(server, 1)
  print_states()
  put(client.h, "two")
  put(client.h, "three")
  put(seat, "four")
  ends = { server, client }
  take(server, 3)
  take(client, 3)
  print_states()
  ws.ws_get_stats(server.h, stats, ffi.sizeof(stats))
  print(("losses %d resumed %d"):format(tonumber(stats.losses), tonumber(stats.resumed)))
  put(seat, "five")
  take(client, 1)
  check("close", ws.ws_close(client.h, 4000, "bye"))
  until_event(client, K.WS_EVENT_CLOSED)
  until_event(server, K.WS_EVENT_DISCONNECTED)

  -- A server without sessions.
  server.h = open("listen", "ws://127.0.0.1:0")
  client.h = open("connect", text_of(server.h, K.WS_GET_URL), config)
  take(client, 2)
  take(server, 1)
  put(client.h, "without")
  take(server, 1)
  for _, hint in ipairs { K.WS_HINT_SUSPEND, K.WS_HINT_RESUME, K.WS_HINT_NETWORK_CHANGED } do
    check("hint", ws.ws_hint(client.h, hint))
  end
  check("drain", ws.ws_drain(server.h, 5000, 0, "http://localhost"))
  check("drain", ws.ws_drain(server.h, 5000, 0, nil))
  until_event(client, K.WS_EVENT_CLOSED)
  until_event(server, K.WS_EVENT_DISCONNECTED)
  print("server event " .. next_event(server).type)
end

-- ---- A certificate that is replaced while the server runs ----

local function make_certificate(names, days)
  local cert, key, sha256 = ffi.new("char[4096]"), ffi.new("char[512]"), ffi.new("char[65]")
  if check("make_certificate", ws.ws_make_certificate(names, days, cert, 4096, key, 512, sha256, 65)) < 0 then return end
  return { cert = ffi.string(cert), key = ffi.string(key), sha256 = ffi.string(sha256) }
end

function scenarios.renew()
  make_certificate("", 30)
  make_certificate("localhost:443", 30)
  make_certificate("localhost", 0)
  local names = "localhost, 127.0.0.1, ::1"
  local first, second = make_certificate(names, 30), make_certificate(names, 30)
  print("sha256 " .. #first.sha256)
  local plain = open("listen", "ws://127.0.0.1:0")
  check("set_certificate", ws.ws_set_certificate(plain, first.cert, first.key))
  ws.ws_free(plain)

  local server = { name = "server",
    h = open("listen", "wss://127.0.0.1:0", { cert_pem = first.cert, key_pem = first.key }) }
  ends = { server }
  local url = text_of(server.h, K.WS_GET_URL)
  local function visit(name, fields)
    local one = { name = name, h = open("connect", url, fields) }
    ends[#ends + 1] = one
    take(one, 1)
    return one
  end
  local a = visit("a", { pin_sha256 = first.sha256 })
  take(server, 1)
  check("set_certificate", ws.ws_set_certificate(server.h, second.cert, second.key))
  visit("b", { pin_sha256 = second.sha256 })
  take(server, 1)
  put(a.h, "still here")
  take(server, 1)
  visit("c", { flags = K.WS_ONLY_CA_PEM, ca_pem = first.cert })
  check("set_certificate", ws.ws_set_certificate(server.h, first.cert, second.key))
  check("set_certificate", ws.ws_set_certificate(server.h, "no certificate", second.key))
  visit("d", { flags = K.WS_ONLY_CA_PEM, ca_pem = second.cert })
  take(server, 1)
end

-- ---- A client behind a proxy, which is this program ----

local localhost = "ws://127.0.0.1:0"

local function listen_behind(flags, trusted)
  return open("listen", localhost, { flags = flags, trusted_proxies = trusted })
end

-- A server with these settings, and a client that sends both headers.
local function visit_behind(flag, trusted)
  local server = { name = "server", h = listen_behind(flag, trusted) }
  local lines = { "X-Forwarded-For: 198.51.100.1, 203.0.113.7", "Forwarded: for=198.51.100.2" }
  local near = { name = "client", h = open("connect", text_of(server.h, K.WS_GET_URL), { headers = lines }) }
  ends = { server, near }
  take(near, 1)
  local conn = next_event(server).conn
  print_event("server", event)
  print("remote " .. text_of(conn, K.WS_GET_REMOTE_ADDRESS):match("[^:]*"))
  print("peer " .. text_of(conn, K.WS_GET_PEER_ADDRESS):match("[^:]*"))
  ws.ws_free(near.h)
  ws.ws_free(server.h)
end

function scenarios.proxied()
  listen_behind(K.WS_FORWARDED)
  listen_behind(K.WS_FORWARDED, "127.0.0.1/33")
  listen_behind(bit.bor(K.WS_FORWARDED, K.WS_X_FORWARDED_FOR), "127.0.0.0/8, ::1")
  visit_behind(K.WS_X_FORWARDED_FOR, "127.0.0.0/8, ::1")
  visit_behind(K.WS_FORWARDED, "127.0.0.0/8, ::1")
  -- The client is none of the proxies, so it sends no header of the PROXY protocol.
  visit_behind(K.WS_PROXY_PROTOCOL, "192.0.2.0/24")
end

-- ---- Clients that a server turns away ----

function scenarios.refused()
  local function listen(hosts, origins)
    return open("listen", "ws://127.0.0.1:0", { allowed_hosts = hosts, allowed_origins = origins, flags = K.WS_REPORT_REFUSED })
  end
  listen("localhost, game.example/")
  listen("localhost, 127.0.0.1", "game.example")
  local server = { name = "server", h = listen("localhost, 127.0.0.1", "https://game.example, https://*.game.example") }
  local function knock(origin)
    local lines = { "Origin: " .. origin }
    client = { name = "client", h = open("connect", text_of(server.h, K.WS_GET_URL), { headers = lines }) }
    ends = { server, client }
    take(client, 1)
    take(server, 1)
  end
  knock("https://evil.example")
  knock("https://www.game.example")
  check("set_option", ws.ws_set_option(server.h, K.WS_OPT_REFUSE_NEW, 1))
  knock("https://game.example")
  local stats = ffi.new("ws_stats")
  check("get_stats", ws.ws_get_stats(server.h, stats, ffi.sizeof(stats)))
  print(("refused %d request %d limit %d"):format(tonumber(stats.refused), tonumber(stats.refused_request),
    tonumber(stats.refused_limit)))
end

-- ---- A server ----

function scenarios.server()
  local server = { name = "",
    h = open("listen", "ws://127.0.0.1:0", { subprotocols = "chat", headers = { "X-Answer: yes" } }) }
  ends = { server }
  local port, numbers, count = ffi.new("uint32_t[1]"), {}, 0
  ws.ws_get_option(server.h, K.WS_OPT_PORT, port)
  print("port " .. port[0])
  io.stdout:flush()
  while next_event(server).conn ~= server.h do
    local conn, kind = event.conn, event.type
    if kind == K.WS_EVENT_CONNECTED then
      count = count + 1
      numbers[conn] = tostring(count)
    end
    local number = numbers[conn]
    print_event(number, event)
    if kind == K.WS_EVENT_CONNECTED then
      print_header(number, conn, "x-name", 0)
      put(conn, "welcome " .. number)
    elseif kind == K.WS_EVENT_MESSAGE then
      local words = ffi.string(event.packet.data, event.packet.len)
      if words == "me" then put_to(server.h, conn, words)
      elseif words == "others" then put_to(server.h, -conn, words)
      elseif words == "end" then check("disconnect", ws.ws_disconnect(server.h, conn, 4004, "as you wish"))
      elseif words == "stop" then check("close", ws.ws_close(server.h, 4100, "over"))
      else put(server.h, words, event.packet.type) end
    elseif kind == K.WS_EVENT_DISCONNECTED and ws.ws_get_state(server.h) == K.WS_OPEN then
      put(server.h, number .. " has left")
    end
  end
  print("server closed")
end

-- ---- A server that serves a directory. The driver's client asks for files, then joins and says "stop" ----

function scenarios.files(directory)
  local server = { name = "server", h = open("listen", "ws://127.0.0.1:0") }
  ends = { server }
  local port, stats = ffi.new("uint32_t[1]"), ffi.new("ws_stats")
  ws.ws_get_option(server.h, K.WS_OPT_PORT, port)
  print("port " .. port[0])
  io.stdout:flush()
  check("serve", ws.ws_serve(server.h, "page", directory, 0))
  check("serve", ws.ws_serve(server.h, "/.git", directory, 0))
  check("serve", ws.ws_serve(server.h, "/", "no such directory", 0))
  check("stop_serving", ws.ws_serve(server.h, "/threads", nil, 0))
  check("serve", ws.ws_serve(server.h, "/", directory, 0))
  check("serve", ws.ws_serve(server.h, "/threads", directory, K.WS_SERVE_ISOLATED))
  local conn = next_event(server).conn
  print_event("server", event)
  take(server, 1)
  check("stop_serving", ws.ws_serve(server.h, "/threads", nil, 0))
  put(conn, "stopped")
  take(server, 2)
  ws.ws_get_stats(server.h, stats, ffi.sizeof(stats))
  print("served " .. tonumber(stats.served))
end

-- ---- A server that decides on requests ----

local function lines_of(...) return ffi.new("const char *[?]", select("#", ...), { ... }), select("#", ...) end

local function decide()
  local conn, count = event.conn, tonumber(event.count)
  local query, body = text_of(conn, K.WS_GET_QUERY), ffi.string(event.packet.data, event.packet.len)
  print(("request websocket=%d method=%s path=%s query=%s body=%s"):format(count, text_of(conn, K.WS_GET_METHOD),
    text_of(conn, K.WS_GET_PATH), query, body))
  local function accept(subprotocol, ...)
    local lines, n = lines_of(...)
    check("accept", ws.ws_accept(conn, subprotocol, lines, n))
  end
  local function reply(status, text, ...)
    local lines, n = lines_of(...)
    check("reply", ws.ws_reply(conn, status, lines, n, text, #text))
  end
  if count == 0 then
    accept()
    reply(200, body, "Content-Type: text/html")
  elseif query == "token=good" then
    accept("chat.v9")
    accept("chat.v2", "X-Room: 7\r\nX-Other: 8")
    accept("chat.v2", "X-Room: 7")
    reply(200, "no")
  else
    reply(101, "no")
    reply(401, "no", "WWW-Authenticate: Bearer")
  end
end

function scenarios.requests()
  local server = { name = "", h = open("listen", "ws://127.0.0.1:0", { flags = K.WS_ASK }) }
  ends = { server }
  local port, connected = ffi.new("uint32_t[1]"), false
  ws.ws_get_option(server.h, K.WS_OPT_PORT, port)
  print("port " .. port[0])
  io.stdout:flush()
  repeat
    local kind = next_event(server).type
    if kind == K.WS_EVENT_REQUEST then
      decide()
    else
      connected = connected or kind == K.WS_EVENT_CONNECTED
      print_event("", event)
    end
  until connected and kind == K.WS_EVENT_DISCONNECTED
  ws.ws_free(server.h)
end

-- ---- A game ----

local function play(format)
  local godot3 = format == K.WS_GODOT3
  local kind = godot3 and K.WS_BINARY or K.WS_TEXT
  local host = { name = "host", h = open("host", "ws://127.0.0.1:0", { flags = format }) }
  local joins = {}
  ends, peer_names[1] = { host }, "host"
  for i, name in ipairs { "a", "b", "c" } do
    local join = { name = name, h = open("join", text_of(host.h, K.WS_GET_URL), { flags = format }) }
    joins[i], ends[i + 1] = join, join
    poll_until(name, function() return ws.ws_get_state(join.h) ~= K.WS_CONNECTING end)
    join.id = ws.ws_get_peer_id(join.h)
    peer_names[join.id] = name
    take(host, 1)
    take(join, godot3 and 1 + i or 2)
    for there = 1, godot3 and i - 1 or 0 do take(joins[there], 1) end
  end
  local a, b, c = joins[1], joins[2], joins[3]

  put(host.h, "to all", kind)
  for _, join in ipairs(joins) do take(join, 1) end
  put_to(host.h, b.id, "to b", kind)
  take(b, 1)
  put_to(host.h, -c.id, "not to c", kind)
  take(a, 1)
  take(b, 1)
  put_to(host.h, 1, "to myself", kind)
  for _, join in ipairs(joins) do
    put(join.h, "from me", kind)
    take(host, 1)
    for _, other in ipairs(godot3 and joins or {}) do
      if other ~= join then take(other, 1) end
    end
  end
  put_to(a.h, 1, "to the host", kind)
  take(host, 1)
  put_to(a.h, c.id, "to c", kind)
  if godot3 then take(c, 1) end

  check("disconnect", ws.ws_disconnect(host.h, b.id, 4003, "kicked"))
  until_event(host, K.WS_EVENT_DISCONNECTED)
  until_event(b, K.WS_EVENT_CLOSED)
  if godot3 then take(a, 1) end
  if godot3 then take(c, 1) end
  check("close", ws.ws_close(c.h, 4005, "leaving"))
  until_event(host, K.WS_EVENT_DISCONNECTED)
  until_event(c, K.WS_EVENT_CLOSED)
  if godot3 then take(a, 1) end
  check("close", ws.ws_close(host.h, 0, "the game is over"))
  until_event(host, K.WS_EVENT_DISCONNECTED)
  until_event(a, K.WS_EVENT_CLOSED)
end

function scenarios.multiplayer() play(0) end

function scenarios.multiplayer3() play(K.WS_GODOT3) end

-- The scenarios whose ends are all in this program.
assert(loadfile("tests/conformance/local.lua")) {
  ws = ws, K = K, scenarios = scenarios, check = check,
  text_of = text_of, adler32 = adler32, peer_names = peer_names, show = show,
  peer_field = peer_field, print_packet = print_packet, print_event = print_event, poll_until = poll_until,
  event = event, next_event = next_event, take = take, until_event = until_event,
  config_of = config_of, out = out, open = open, put = put,
  put_to = put_to, make_certificate = make_certificate, localhost = localhost, text_buffer = text_buffer,
  add_end = function(one) ends[#ends + 1] = one end,
  poll_only = function(...) ends = { ... } end,
  set_between_polls = function(between) between_polls = between end,
  set_print_nodes = function(print) print_nodes = print end,
}

local run = scenarios[arg[1] or ""]
if not run then
  io.stderr:write("usage: conformance.lua SCENARIO [URL [CA.pem]]\n")
  os.exit(2)
end
run(arg[2], arg[3])
ws.ws_shutdown()
