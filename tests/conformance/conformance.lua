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
  local line = ("%s %d %s%s"):format(is_text and "text" or "binary", length,
    adler32(packet.data, length), peer_field(packet.peer_id))
  if is_text and length > 0 and length <= 64 then line = line .. " " .. ffi.string(packet.data, length) end
  show(name, line)
end

local function print_event(name, event)
  local kind, words = event.type, ffi.string(event.packet.data, event.packet.len)
  if kind == K.WS_EVENT_MESSAGE then return print_packet(name, event.packet) end
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

-- ---- Two ends in memory ----

local function yes_no(value) return value and "yes" or "no" end

local function until_state(one, state)
  poll_until(one.name, function() return ws.ws_get_state(one.h) == state end)
end

-- An end with the handle that the call gives.
local function opened(name, verb, ...)
  if check(verb, ws["ws_" .. verb](...)) < 0 then os.exit(1) end
  local one = { name = name, h = out[0] }
  ends[#ends + 1] = one
  return one
end

local function print_user(packet) print("user " .. tonumber(packet.user)) end

function scenarios.pair()
  local config = config_of { owner = 7, user = ffi.cast("void *", 11),
    flags = bit.bor(K.WS_QUEUE_BEFORE_OPEN, K.WS_COALESCE, K.WS_DEFLATE, K.WS_SERVER_NO_CONTEXT_TAKEOVER,
      K.WS_CLIENT_NO_CONTEXT_TAKEOVER) }
  local second = ffi.new("ws_handle[1]")
  local server = opened("server", "pair", config, out, second)
  local near = { name = "client", h = second[0] }
  ends[2] = near
  put(server.h, "early")
  take(server, 1)
  take(near, 2)
  print("extensions " .. text_of(near.h, K.WS_GET_EXTENSIONS))

  local words = { "one", "\0\255", "three" }
  local packets, taken = ffi.new("ws_packet_out[3]"), ffi.new("size_t[1]")
  for i = 0, 2 do
    packets[i].data, packets[i].len = ffi.cast("const uint8_t *", words[i + 1]), #words[i + 1]
    packets[i].type = i == 1 and K.WS_BINARY or K.WS_TEXT
  end
  check("put_packets", ws.ws_put_packets(near.h, packets, 3, taken))
  check("flush", ws.ws_flush(near.h))
  local waited = ws.ws_wait(ffi.new("ws_handle[2]", server.h, near.h), 2, 10000)
  print(("taken %d wait %s"):format(tonumber(taken[0]), ffi.string(ws.ws_result_name(waited))))
  poll_until("server", function() return ws.ws_get_available(server.h) >= 3 end)
  local packet = ffi.new("ws_packet")
  ws.ws_get_packet(server.h, packet)
  print_packet("server", packet)
  print_user(packet)
  local events = ffi.new("ws_event[8]")
  check("next_events", ws.ws_next_events(server.h, events, 8, taken))
  for i = 0, tonumber(taken[0]) - 1 do print_event("server", events[i]) end
  check("set_user", ws.ws_set_user(server.h, 12))
  put(near.h, "more")
  print_event("server", next_event(server))
  print_user(event.packet)
  local stats = ffi.new("ws_stats")
  ws.ws_get_stats(server.h, stats, ffi.sizeof(stats))
  print(("messages in %d out %d"):format(tonumber(stats.messages_in), tonumber(stats.messages_out)))

  local last = ffi.new("ws_event")
  print("ended " .. yes_no(ws.ws_get_end(near.h, last) == K.WS_OK))
  check("close", ws.ws_close(near.h, 4000, "done"))
  print("state " .. ws.ws_get_state(near.h))
  until_state(near, K.WS_CLOSED)
  local ended = yes_no(ws.ws_get_end(near.h, last) == K.WS_OK)
  print(("ended %s code=%d cause=%d"):format(ended, last.code, last.cause))
  until_event(server, K.WS_EVENT_CLOSED)
  until_event(near, K.WS_EVENT_CLOSED)
  ws.ws_free_owner(7)
  check("poll", ws.ws_poll(server.h))
end

-- ---- Two connections whose bytes this program carries ----

local function carry(from, to)
  local bytes, length, taken = ffi.new("uint8_t[4096]"), ffi.new("size_t[1]"), ffi.new("size_t[1]")
  while ws.ws_take_output(from.h, bytes, 4096, length) == K.WS_OK and length[0] > 0 do
    local at = 0
    while at < length[0] do
      if ws.ws_feed(to.h, bytes + at, length[0] - at, taken) < 0 or taken[0] == 0 then return end
      at = at + tonumber(taken[0])
    end
  end
end

function scenarios.attach()
  local big = ("\0"):rep(300000)
  local config = config_of { outbound_packets = 1 }
  local server = opened("server", "attach", config, K.WS_ROLE_SERVER, out)
  local near = opened("client", "attach", config, K.WS_ROLE_CLIENT, out)
  between_polls = function()
    carry(near, server)
    carry(server, near)
  end
  take(near, 1)
  take(server, 1)
  put(near.h, "hello")
  take(server, 1)
  -- The transport takes a part of the first, and the second does not fit in the queue behind it.
  put(near.h, big, K.WS_BINARY)
  put(near.h, big, K.WS_BINARY)
  take(server, 1)
  take(near, 1)
  between_polls = function() end
  check("feed", ws.ws_feed(server.h, nil, 0, nil))
  take(server, 1)
  check("feed", ws.ws_feed(server.h, big, 1, nil))
end

-- ---- A queue that is full ----

function scenarios.full()
  local big = ("\0"):rep(300000)
  local host = opened("host", "host", localhost, config_of { outbound_packets = 1, on_full = K.WS_FULL_SKIP }, out)
  local a = opened("a", "join_local", host.h, nil, out)
  local function put_big()
    local result = put(host.h, big, K.WS_BINARY)
    if result >= 0 then print("put " .. ffi.string(ws.ws_result_name(result))) end
  end
  local function set_on_full(policy) check("set_option", ws.ws_set_option(host.h, K.WS_OPT_ON_FULL, policy)) end
  until_state(a, K.WS_OPEN)
  peer_names[1], peer_names[ws.ws_get_peer_id(a.h)] = "host", "a"
  take(host, 1)
  take(a, 2)

  check("get_conn", ws.ws_get_conn(host.h, ws.ws_get_peer_id(a.h), out))
  print("conn of " .. peer_names[ws.ws_get_peer_id(out[0])])
  check("get_conn", ws.ws_get_conn(host.h, -1, out))

  -- a is not polled, so it does not read.
  ends = { host }
  put_big()
  put_big()
  take(host, 1)
  set_on_full(K.WS_FULL_ALL_OR_NONE)
  put_big()
  ends = { host, a }
  take(a, 1)
  take(host, 1)
  ends = { host }
  set_on_full(K.WS_FULL_DISCONNECT)
  put_big()
  put_big()
  ends = { host, a }
  next_event(host)
  print(("host event %d code=%d cause=%d"):format(event.type, event.code, event.cause))
end

-- ---- Options and texts ----

-- The constants with a prefix, by number: each name without the prefix, and the number.
local function constants(prefix)
  local found = {}
  for name, number in pairs(K) do
    if name:sub(1, #prefix) == prefix then found[#found + 1] = { name = name:sub(#prefix + 1), number = number } end
  end
  table.sort(found, function(one, other) return one.number < other.number end)
  return found
end

-- Every option of a host: its value, then the value after it was set to 1, or to 0 if it was 1.
function scenarios.options()
  local host = open("host", localhost, { poll_budget_us = 101, connect_timeout_ms = 102, handshake_timeout_ms = 103,
    close_timeout_ms = 104, heartbeat_ms = 105, pong_timeout_ms = 106, max_message_bytes = 107, max_fragments = 108,
    max_header_bytes = 1090, inbound_packets = 110, inbound_bytes = 111, outbound_packets = 112, outbound_bytes = 113,
    max_messages_per_s = 114, max_bytes_per_s = 115, max_clients = 116, max_clients_per_address = 117,
    max_pending_handshakes = 118, on_full = K.WS_FULL_ALL_OR_NONE, no_delay = K.WS_OFF, deflate_level = 9,
    deflate_threshold_bytes = 119, server_max_window_bits = 12, client_max_window_bits = 13, max_inflate_ratio = 120,
    max_call_bytes = 121, max_call_items = 122, ipv6_prefix_bits = 56, flags = bit.bor(K.WS_DEFLATE, K.WS_SCENE) })
  local value = ffi.new("uint32_t[1]")
  local function get(option)
    check("get_option", ws.ws_get_option(host, option, value))
    return value[0]
  end
  for _, option in ipairs(constants("WS_OPT_")) do
    local before = get(option.number)
    if option.name == "PORT" then
      print("option PORT " .. yes_no(before ~= 0))
    else
      check("set_option", ws.ws_set_option(host, option.number, before == 1 and 0 or 1))
      print(("option %s %u %u"):format(option.name, before, get(option.number)))
    end
  end
end

-- Every text of a server's client, and the lists of clients. The first client is refused.
function scenarios.texts()
  local server = { name = "server",
    h = open("listen", localhost, { subprotocols = "chat", flags = bit.bor(K.WS_DEFLATE, K.WS_REFUSE_NEW) }) }
  local url = text_of(server.h, K.WS_GET_URL) .. "/room?x=1"
  local function visit()
    ws.ws_free(client.h)
    client = { name = "client", h = open("connect", url, { subprotocols = "chat", flags = K.WS_DEFLATE }) }
    ends = { server, client }
    take(client, 1)
  end
  visit()
  check("set_option", ws.ws_set_option(server.h, K.WS_OPT_REFUSE_NEW, 0))
  visit()
  local list, count, waiting = ffi.new("ws_handle[4]"), ffi.new("size_t[1]"), ffi.new("size_t[1]")
  poll_until("server", function()
    check("get_waiting", ws.ws_get_waiting(server.h, list, 4, waiting))
    return waiting[0] > 0
  end)
  check("get_conns", ws.ws_get_conns(server.h, list, 4, count))
  print(("clients %d waiting %d"):format(tonumber(count[0]), tonumber(waiting[0])))
  take(server, 1)
  for _, what in ipairs(constants("WS_GET_")) do
    print(("text %s %s"):format(what.name, (text_of(list[0], what.number):gsub(":%d+", ":PORT"))))
  end
end

-- ---- The library itself ----

function scenarios.library()
  local fits = ws.ws_abi_version() == K.WS_ABI_VERSION
  for _, struct in ipairs(constants("WS_STRUCT_")) do
    local size, own = ws.ws_struct_size(struct.number), ffi.sizeof("ws_" .. struct.name:lower())
    local grows = struct.name == "CONFIG" or struct.name == "STATS"
    fits = fits and (size == own or grows and size > own)
  end
  print("fits " .. yes_no(fits))
  print("version " .. yes_no(ws.ws_version() > 0))
  print("features " .. ws.ws_get_features())
  for level = K.WS_LOG_OFF, K.WS_LOG_DEBUG do
    local logged = false
    check("set_log_level", ws.ws_set_log_level(level))
    ws.ws_free(open("listen", localhost))
    while ws.ws_get_log(text_buffer, 65536, nil) == K.WS_OK do logged = true end
    print(("log %d %s"):format(level, yes_no(logged)))
  end
end

-- ---- Certificates that a client trusts, or not ----

function scenarios.trust()
  local made = make_certificate("game.example", 30)
  local server = { name = "server",
    h = open("listen", "wss://127.0.0.1:0", { cert_pem = made.cert, key_pem = made.key }) }
  ends = { server }
  for _, way in ipairs {
    { "strict", { flags = K.WS_ONLY_CA_PEM, ca_pem = made.cert } },
    { "named", { flags = K.WS_ONLY_CA_PEM, ca_pem = made.cert, server_name = "game.example" } },
    { "any name", { flags = bit.bor(K.WS_ONLY_CA_PEM, K.WS_ANY_NAME), ca_pem = made.cert } },
    { "insecure", { flags = K.WS_INSECURE } },
  } do
    local one = { name = way[1], h = open("connect", text_of(server.h, K.WS_GET_URL), way[2]) }
    ends[#ends + 1] = one
    take(one, 1)
    if one.name ~= "strict" then take(server, 1) end
  end
end

-- ---- Scenes ----

local function settle(host, one)
  until_state(one, K.WS_OPEN)
  one.id = ws.ws_get_peer_id(one.h)
  peer_names[1], peer_names[one.id] = "host", one.name
  take(host, 1)
  take(one, 2)
end

-- A value as text, and the index of the item behind it.
local function value_of(items, at)
  local item, kind = items[at], items[at].type
  local function inner(count, each)
    local parts = {}
    for i = 1, count do parts[i] = each() end
    return table.concat(parts, ", ")
  end
  local following = at + 1
  local function one()
    local text
    text, following = value_of(items, following)
    return text
  end
  local text
  if kind == K.WS_VARIANT_NIL then text = "null"
  elseif kind == K.WS_VARIANT_BOOL then text = item.integer == 1 and "true" or "false"
  elseif kind == K.WS_VARIANT_INT then text = ("%d"):format(tonumber(item.integer))
  elseif kind == K.WS_VARIANT_FLOAT then text = ("%g"):format(item.number[0])
  elseif kind == K.WS_VARIANT_STRING then text = '"' .. ffi.string(item.data, item.len) .. '"'
  elseif kind == K.WS_VARIANT_VECTOR2 then text = ("Vector2(%g, %g)"):format(item.number[0], item.number[1])
  elseif kind == K.WS_VARIANT_PACKED_BYTE_ARRAY then
    text = ("bytes %d %s"):format(tonumber(item.len), adler32(item.data, tonumber(item.len)))
  elseif kind == K.WS_VARIANT_ARRAY then text = "[" .. inner(item.count, one) .. "]"
  elseif kind == K.WS_VARIANT_DICTIONARY then
    text = "{" .. inner(item.count, function() return one() .. ": " .. one() end) .. "}"
  else text = "type " .. kind end
  return text, following
end

local items = ffi.new("ws_variant[32]")

-- The next event, which must be a call.
local function hear_call(one)
  local call = ffi.new("ws_call")
  next_event(one)
  if event.packet.type ~= K.WS_CALL then return print_event(one.name, event) end
  check("decode_call", ws.ws_decode_call(event.packet.data, event.packet.len, call, items, 32))
  local values, at = {}, 0
  for i = 1, call.arguments do values[i], at = value_of(items, at) end
  show(one.name, ("call %s.%s(%s)%s"):format(ffi.string(call.path), ffi.string(call.method),
    table.concat(values, ", "), peer_field(event.peer_id)))
end

local function say_call(one, target, path, method, values)
  local given = ffi.new("ws_variant[?]", math.max(#values, 1), values)
  local call, length = ffi.new("uint8_t[512]"), ffi.new("size_t[1]")
  if check("encode_call", ws.ws_encode_call(path, method, given, #values, call, 512, length)) < 0 then return end
  check("put_to", ws.ws_put_packet_to(one.h, target, call, length[0], K.WS_CALL))
end

local function string_of(words)
  return { type = K.WS_VARIANT_STRING, data = ffi.cast("const uint8_t *", words), len = #words }
end

function scenarios.scene()
  local config = config_of { flags = K.WS_SCENE }
  local host = opened("host", "host", localhost, config, out)
  local a = opened("a", "join", text_of(host.h, K.WS_GET_URL), config, out)
  settle(host, a)
  local b = opened("b", "join_local", host.h, nil, out)
  settle(host, b)
  take(b, 1)
  take(a, 1)
  for _, one in ipairs(ends) do check("declare_node", ws.ws_declare_node(one.h, "/root/Game", "hello, move")) end

  local three = "\1\2\255"
  local array = { { type = K.WS_VARIANT_ARRAY, count = 2 }, { type = K.WS_VARIANT_INT, integer = 1 }, string_of("x") }
  say_call(a, 1, "Game", "hello", {
    { type = K.WS_VARIANT_NIL },
    { type = K.WS_VARIANT_BOOL, integer = 1 },
    { type = K.WS_VARIANT_INT, integer = -5 },
    { type = K.WS_VARIANT_FLOAT, number = { 1.5, 0 } },
    string_of("κόσμε"),
    array[1],
    array[2],
    array[3],
    { type = K.WS_VARIANT_DICTIONARY, count = 1 },
    string_of("k"),
    { type = K.WS_VARIANT_INT, integer = 2 },
    { type = K.WS_VARIANT_PACKED_BYTE_ARRAY, count = 3, data = ffi.cast("const uint8_t *", three), len = 3 },
  })
  hear_call(host)
  -- The call goes back as it came.
  check("put_to", ws.ws_put_packet_to(host.h, event.peer_id, event.packet.data, event.packet.len, K.WS_CALL))
  hear_call(a)
  local place = { { type = K.WS_VARIANT_VECTOR2, number = { 1.5, -2 } } }
  say_call(host, 0, "Game", "move", place)
  hear_call(a)
  hear_call(b)
  say_call(b, a.id, "Game", "move", place)
  hear_call(a)

  -- A value as the bytes of a packet.
  local bytes, length = ffi.new("uint8_t[128]"), ffi.new("size_t[1]")
  check("encode_variant", ws.ws_encode_variant(ffi.new("ws_variant[3]", array), 3, bytes, 128, length))
  check("put_to", ws.ws_put_packet_to(host.h, a.id, bytes, length[0], K.WS_BINARY))
  print_event("a", next_event(a))
  check("decode_variant", ws.ws_decode_variant(event.packet.data, event.packet.len, items, 8, length, nil))
  print("a value " .. value_of(items, 0))

  -- A node that the host has not declared.
  check("declare_node", ws.ws_declare_node(a.h, "Secret", "open"))
  say_call(a, 1, "Secret", "open", {})
  take(host, 1)
  check("declare_node", ws.ws_declare_node(a.h, "Secret", nil))
  check("close", ws.ws_close(a.h, 4001, "bye"))
  until_event(host, K.WS_EVENT_DISCONNECTED)
  until_event(a, K.WS_EVENT_CLOSED)
  take(b, 1)
end

-- ---- Authentication; the clients do not learn of each other ----

function scenarios.auth()
  local config = config_of { flags = bit.bor(K.WS_SCENE, K.WS_AUTH, K.WS_NO_RELAY) }
  local host = opened("host", "host", localhost, config, out)
  peer_names[1] = "host"
  local function knock(name)
    local one = opened(name, "join", text_of(host.h, K.WS_GET_URL), config, out)
    one.id = next_event(host).peer_id
    peer_names[one.id] = name
    print_event("host", event)
    take(one, 1)
    return one
  end
  local function send_auth(one, id, words) check("send_auth", ws.ws_send_auth(one.h, id, words, #words)) end
  local joins = {}
  for i, name in ipairs { "a", "b" } do
    local one = knock(name)
    joins[i] = one
    send_auth(one, 1, "password")
    take(host, 1)
    send_auth(host, one.id, "welcome")
    take(one, 1)
    check("complete_auth", ws.ws_complete_auth(host.h, one.id))
    check("complete_auth", ws.ws_complete_auth(one.h, 1))
    take(host, 1)
    take(one, 2)
  end
  put_to(joins[1].h, 0, "to all", K.WS_BINARY)
  take(host, 1)
  put_to(host.h, 0, "to both", K.WS_BINARY)
  for _, one in ipairs(joins) do take(one, 1) end
  local c = knock("c")
  check("disconnect", ws.ws_disconnect(host.h, c.id, 4003, "wrong password"))
  until_event(c, K.WS_EVENT_CLOSED)
  until_event(host, K.WS_EVENT_DISCONNECTED)
end

local run = scenarios[arg[1] or ""]
if not run then
  io.stderr:write("usage: conformance.lua SCENARIO [URL [CA.pem]]\n")
  os.exit(2)
end
run(arg[2], arg[3])
ws.ws_shutdown()
