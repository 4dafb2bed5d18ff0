-- The conformance program in LuaJIT: scenarios whose ends are all in this program.
local ffi = require("ffi")
-- What conformance.lua shares are this file's globals.
setfenv(1, setmetatable(..., { __index = _G }))

-- ---- Two ends in memory ----

local function yes_no(value) return value and "yes" or "no" end

local function until_state(one, state)
  poll_until(one.name, function() return ws.ws_get_state(one.h) == state end)
end

-- An end with the handle that the call gives.
local function opened(name, verb, ...)
  if check(verb, ws["ws_" .. verb](...)) < 0 then os.exit(1) end
  local one = { name = name, h = out[0] }
  add_end(one)
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
  add_end(near)
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
  set_between_polls(function()
    carry(near, server)
    carry(server, near)
  end)
  take(near, 1)
  take(server, 1)
  put(near.h, "hello")
  take(server, 1)
  -- The transport takes a part of the first, and the second does not fit in the queue behind it.
  put(near.h, big, K.WS_BINARY)
  put(near.h, big, K.WS_BINARY)
  take(server, 1)
  take(near, 1)
  set_between_polls(function() end)
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
  poll_only(host)
  put_big()
  put_big()
  take(host, 1)
  set_on_full(K.WS_FULL_ALL_OR_NONE)
  put_big()
  poll_only(host, a)
  take(a, 1)
  take(host, 1)
  poll_only(host)
  set_on_full(K.WS_FULL_DISCONNECT)
  put_big()
  put_big()
  poll_only(host, a)
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
    max_call_bytes = 121, max_call_items = 122, ipv6_prefix_bits = 56, max_body_bytes = 123, max_downloads = 124,
    max_downloads_per_address = 125, retry_min_ms = 126, retry_max_ms = 127, retry_tries = 128,
    session_bytes = 129, max_lost = 130, max_topics = 131, max_server_topics = 132, max_total_mib = 133,
    max_put_bytes = 134,
    flags = bit.bor(K.WS_DEFLATE, K.WS_SCENE) })
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
    local near = { name = "client", h = open("connect", url, { subprotocols = "chat", flags = K.WS_DEFLATE }) }
    poll_only(server, near)
    take(near, 1)
    return near
  end
  ws.ws_free(visit().h)
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
    local grows = struct.name == "CONFIG" or struct.name == "STATS" or struct.name == "SIM"
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

-- ---- A bad network between two ends in memory, whose time this program advances ----

function scenarios.simulate()
  local sim, stats = ffi.new("ws_sim"), ffi.new("ws_stats")
  local size = ffi.sizeof(sim)
  for preset = K.WS_SIM_NONE, K.WS_SIM_SATELLITE do
    check("sim_init", ws.ws_sim_init(sim, size, preset))
    print(("preset %d up %d %d %d %d %d down %d %d %d %d %d"):format(preset, sim.up_lag_us, sim.up_jitter_us,
      sim.up_bytes_per_s, sim.up_stall_for_ms, sim.up_stall_every_ms, sim.down_lag_us, sim.down_jitter_us,
      sim.down_bytes_per_s, sim.down_stall_for_ms, sim.down_stall_every_ms))
  end
  local second = ffi.new("ws_handle[1]")
  local server = opened("server", "pair", nil, out, second)
  local near = { name = "client", h = second[0] }
  add_end(near)
  check("advance_time", ws.ws_advance_time(near.h, 0))
  take(server, 1)
  take(near, 1)

  ws.ws_sim_init(sim, size, K.WS_SIM_NONE)
  sim.up_loss_ppm = 1000001
  check("set_sim", ws.ws_set_sim(near.h, sim))
  ws.ws_sim_init(sim, size, K.WS_SIM_NONE)
  sim.up_lag_us, sim.down_loss_ppm, sim.down_loss_stall_us = 30000, 1000000, 50000
  check("set_sim", ws.ws_set_sim(near.h, sim))
  put(near.h, "up")
  put(server.h, "down")
  ws.ws_get_stats(near.h, stats, ffi.sizeof(stats))
  print("held " .. yes_no(stats.sim_bytes > 0))
  -- What one end passes on, the other reads in its next poll.
  local function poll_both()
    for _ = 1, 2 do
      for _, one in ipairs { server, near } do ws.ws_poll(one.h) end
    end
  end
  poll_both()
  local told = {}
  for ms = 1, 60 do
    check("advance_time", ws.ws_advance_time(near.h, 1000))
    poll_both()
    for _, one in ipairs { server, near } do
      if ws.ws_get_available(one.h) == 1 and not told[one.name] then
        told[one.name] = true
        print(("%s after %d ms"):format(one.name, ms))
      end
    end
  end
  take(server, 1)
  take(near, 1)
  ws.ws_get_stats(near.h, stats, ffi.sizeof(stats))
  print("losses " .. tonumber(stats.sim_losses))

  sim.up_lag_us = 60000000
  check("set_sim", ws.ws_set_sim(near.h, sim))
  put(near.h, "at once")
  check("set_sim", ws.ws_set_sim(near.h, nil))
  take(server, 1)

  local listening = open("listen", localhost)
  check("set_sim", ws.ws_set_sim(listening, sim))
  check("advance_time", ws.ws_advance_time(listening, 1))
  ws.ws_free(listening)
end

-- ---- Certificates that a client trusts, or not ----

function scenarios.trust()
  local made = make_certificate("game.example", 30)
  local server = { name = "server",
    h = open("listen", "wss://127.0.0.1:0", { cert_pem = made.cert, key_pem = made.key }) }
  poll_only(server)
  for _, way in ipairs {
    { "strict", { flags = K.WS_ONLY_CA_PEM, ca_pem = made.cert } },
    { "named", { flags = K.WS_ONLY_CA_PEM, ca_pem = made.cert, server_name = "game.example" } },
    { "any name", { flags = bit.bor(K.WS_ONLY_CA_PEM, K.WS_ANY_NAME), ca_pem = made.cert } },
    { "insecure", { flags = K.WS_INSECURE } },
  } do
    local one = { name = way[1], h = open("connect", text_of(server.h, K.WS_GET_URL), way[2]) }
    add_end(one)
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

-- Topics: who receives what a server or host publishes.
function scenarios.topics()
  local server = { name = "server", h = open("listen", localhost,
    { flags = K.WS_COALESCE + K.WS_SHARE_PORT, max_topics = 2, max_server_topics = 3 }) }
  poll_only(server)
  local clients, conns = {}, {}
  for i, name in ipairs { "a", "b", "c" } do
    clients[i] = opened(name, "connect", text_of(server.h, K.WS_GET_URL), nil, out)
    take(clients[i], 1)
    conns[i] = next_event(server).conn
    print_event("server", event)
  end
  local function subscribe(conn, topic) check("subscribe", ws.ws_subscribe(conn, topic)) end
  local function unsubscribe(conn, topic) check("unsubscribe", ws.ws_unsubscribe(conn, topic)) end
  local function publish(h, topic, except, words)
    check("publish", ws.ws_publish(h, topic, except, words, #words, K.WS_TEXT))
  end
  local function publish_latest(h, topic, except, key, words)
    check("publish_latest", ws.ws_publish_latest(h, topic, except, key, words, #words, K.WS_TEXT))
  end
  local function print_topics(name, h)
    check("get_topics", ws.ws_get_topics(h, text_buffer, 65536, nil))
    print(("topics of %s: %s"):format(name, (ffi.string(text_buffer):gsub("\n", ","))))
  end
  local function take_all(...)
    for i, count in ipairs { ... } do take(clients[i], count) end
  end
  local stats = ffi.new("ws_stats")
  local function read_stats() ws.ws_get_stats(server.h, stats, ffi.sizeof(stats)) end
  local a, b, c = conns[1], conns[2], conns[3]
  for _, pair in ipairs { { a, "red" }, { a, "blue" }, { a, "red" }, { a, "green" }, { b, "green" }, { b, "red" },
    { c, "yellow" } } do subscribe(pair[1], pair[2]) end
  for i, one in ipairs(clients) do print_topics(one.name, conns[i]) end
  print_topics("server", server.h)
  read_stats()
  print(("topics %d subscriptions %d"):format(tonumber(stats.topics), tonumber(stats.subscriptions)))

  publish(server.h, "red", 0, "to red")
  publish(server.h, "red", a, "to red but a")
  publish(server.h, "yellow", 0, "to nobody")
  put(server.h, "to all")
  take_all(2, 3, 1)
  -- With WS_COALESCE only the newest of each key leaves.
  publish_latest(server.h, "red", 0, 1, "one")
  publish_latest(server.h, "red", 0, 2, "two")
  publish(server.h, "red", 0, "between")
  publish_latest(server.h, "red", b, 1, "one for a")
  publish_latest(server.h, "red", 0, 2, "two again")
  take_all(3, 3)
  read_stats()
  print(("replaced %d"):format(tonumber(stats.replaced)))

  publish(server.h, "red", 0, "before")
  unsubscribe(b, "red")
  unsubscribe(b, "red")
  publish(server.h, "red", 0, "without b")
  unsubscribe(a, nil)
  publish(server.h, "red", 0, "to nobody")
  put(server.h, "to all")
  take_all(3, 2, 1)
  print_topics("server", server.h)
  subscribe(c, "")
  subscribe(c, "two\nlines")
  publish(server.h, "", 0, "")
  check("close", ws.ws_close(clients[2].h, 1000, ""))
  until_event(server, K.WS_EVENT_DISCONNECTED)
  ws.ws_poll(server.h)
  print_topics("server", server.h)

  local host = { name = "host", h = open("host", localhost) }
  poll_only(host)
  local joins = {}
  for i, name in ipairs { "a", "b" } do
    joins[i] = opened(name, "join", text_of(host.h, K.WS_GET_URL), nil, out)
    settle(host, joins[i])
    check("get_conn", ws.ws_get_conn(host.h, joins[i].id, out))
    subscribe(out[0], "room")
  end
  publish(host.h, "room", 0, "to both")
  publish(host.h, "room", joins[1].id, "to b")
  publish_latest(host.h, "room", joins[2].id, 1, "to a")
  publish(host.h, "room", -1, "")
  for _, one in ipairs(joins) do take(one, 2) end
  print_topics("host", host.h)
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
  for _, one in ipairs { host, a, b } do
    check("declare_node", ws.ws_declare_node(one.h, "/root/Game", "hello, move"))
  end

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

-- ---- Replication: nodes that a host and a client spawn and synchronize ----

local replicated, at = ffi.new("ws_replicated"), ffi.new("size_t[1]")

local function print_nodes(name, packet)
  local verb = packet.type == K.WS_SPAWN and "spawn" or packet.type == K.WS_DESPAWN and "despawn" or "sync"
  at[0] = 0
  local function next_node()
    return check("decode_replication",
      ws.ws_decode_replication(packet.data, packet.len, at, replicated, items, 32)) == K.WS_OK
  end
  while next_node() do
    local line = ("%s path=%s name=%s node=%d scene=%d"):format(verb, ffi.string(replicated.path),
      ffi.string(replicated.name), replicated.node, replicated.scene)
    local text, i = nil, 0
    if replicated.data_items > 0 then
      text, i = value_of(items, 0)
      line = line .. " data=" .. text
    end
    while i < replicated.items do
      local property = ffi.string(items[i].data, items[i].len)
      text, i = value_of(items, i + 1)
      line = ("%s %s=%s"):format(line, property, text)
    end
    show(name, line .. peer_field(packet.peer_id))
  end
end
set_print_nodes(print_nodes)

local number = ffi.new("uint32_t[1]")

local function declare_scene(one, spawner, authority, scene, synchronizers)
  check("declare_scene", ws.ws_declare_scene(one.h, spawner, authority, scene, synchronizers))
end

local function declare_synchronizer(one, path, authority, properties)
  check("declare_synchronizer", ws.ws_declare_synchronizer(one.h, path, authority, properties, number))
  return number[0]
end

local function spawn(one, spawner, scene, name, values)
  local given = ffi.new("ws_variant[?]", math.max(#values, 1), values)
  if check("spawn", ws.ws_spawn(one.h, spawner, scene, name, given, #values, number)) == K.WS_OK then
    show(one.name, ("spawned %s %d"):format(name, number[0]))
  end
  return number[0]
end

local function despawn(one, node) check("despawn", ws.ws_despawn(one.h, node)) end

local function sync(one, node, values)
  check("sync", ws.ws_sync(one.h, node, ffi.new("ws_variant[?]", #values, values), #values))
end

local function set_visible(one, node, peer_id, visible)
  check("set_visible", ws.ws_set_visible(one.h, node, peer_id, visible))
end

local function int_of(value) return { type = K.WS_VARIANT_INT, integer = value } end

local function vector2(x, y) return { type = K.WS_VARIANT_VECTOR2, number = { x, y } } end

local function bad_replication(host)
  local x = { string_of(".:x"), int_of(5) }
  declare_scene(host, "", 0, 0, "")
  declare_scene(host, "Bad", -1, 0, "")
  declare_scene(host, "Bad", 0, K.WS_NO_SCENE, "")
  declare_scene(host, "Bad", 0, 0, ".:x always change")
  declare_scene(host, "Bad", 0, 0, ".:x, .:x")
  declare_scene(host, "Bad", 0, 0, nil)
  declare_synchronizer(host, "Bad", 0, nil)
  declare_scene(host, "Bad", 0, 0, ".:x")
  declare_scene(host, "Bad", 0, 0, ".:y")
  declare_scene(host, "Bad", 5, 1, "")
  declare_scene(host, "Theirs", 5, 0, ".:x")
  spawn(host, "Bad", 1, "One", x)
  spawn(host, "Theirs", 0, "One", x)
  spawn(host, "Bad", 0, "a/b", x)
  spawn(host, "Bad", 0, "One", {})
  spawn(host, "Bad", 0, "One", { x[1], x[2], string_of(".:y"), x[2] })
  spawn(host, "Bad", 0, "One", { x[2], x[1] })
  despawn(host, 99)
  sync(host, 99, x)
  set_visible(host, 99, 0, 1)
  declare_scene(host, "Bad", 0, 0, nil)
  declare_scene(host, "Theirs", 5, 0, nil)
end

local spawner = "Game/Spawner"

local function replicate_scenes()
  local mob = ".:position, .:skin spawn, .:health spawn change; Body:aim always"
  local clock_values = ".:time spawn change, .:day always"
  local config = config_of { flags = K.WS_SCENE }
  local host = opened("host", "host", localhost, config, out)
  bad_replication(host)
  declare_scene(host, "/root/Game/Spawner", 1, 0, mob)
  declare_scene(host, spawner, 0, K.WS_CUSTOM_SCENE, "")
  local a = opened("a", "join", text_of(host.h, K.WS_GET_URL), config, out)
  declare_scene(a, spawner, 1, 0, mob)
  declare_scene(a, spawner, 1, K.WS_CUSTOM_SCENE, "")
  settle(host, a)

  local one = spawn(host, spawner, 0, "Mob", { string_of(".:position"), vector2(1.5, -2), string_of(".:skin"),
    string_of("red"), string_of(".:health"), int_of(5) })
  take(a, 2)
  -- Each synchronizer with a property that is given sends all it sends always.
  sync(host, one, { string_of(".:position"), vector2(2, 3) })
  take(a, 1)
  sync(host, one, { string_of("Body:aim"), { type = K.WS_VARIANT_FLOAT, number = { 0.5, 0 } },
    string_of(".:position"), vector2(4, 5) })
  take(a, 1)
  -- The same value again is no change, and a spawn alone brings the skin.
  sync(host, one, { string_of(".:health"), int_of(4) })
  sync(host, one, { string_of(".:health"), int_of(4) })
  sync(host, one, { string_of(".:skin"), string_of("blue") })
  sync(host, one, { string_of(".:health"), int_of(3) })
  take(a, 2)

  -- A late one gets what is there.
  local b = opened("b", "join_local", host.h, nil, out)
  declare_scene(b, spawner, 1, 0, mob)
  declare_scene(b, spawner, 1, K.WS_CUSTOM_SCENE, "")
  settle(host, b)
  take(b, 3)
  take(a, 1)
  local item = spawn(host, spawner, K.WS_CUSTOM_SCENE, "Item",
    { { type = K.WS_VARIANT_DICTIONARY, count = 1 }, string_of("k"), int_of(2) })
  take(a, 1)
  take(b, 1)

  -- Hidden from all, shown to one, shown to all.
  set_visible(host, item, 5, 1)
  set_visible(host, item, 0, 0)
  take(a, 1)
  take(b, 1)
  set_visible(host, item, b.id, 1)
  take(b, 1)
  set_visible(host, item, 0, 1)
  take(a, 1)
  set_visible(host, item, b.id, 0)
  despawn(host, one)
  despawn(host, one)
  take(a, 1)
  take(b, 1)

  -- A client is the authority of another spawner.
  declare_scene(a, "Players", 0, 0, ".:position")
  declare_scene(host, "Players", a.id, 0, ".:position")
  declare_scene(b, "Players", a.id, 0, ".:position")
  local position = { string_of(".:position"), vector2(0, 1) }
  local other = spawn(a, "Players", 0, "A", position)
  take(host, 1)
  take(b, 1)
  sync(a, other, { string_of(".:position"), vector2(0, 2) })
  take(host, 1)
  take(b, 1)

  -- A synchronizer by its path.
  local clock = declare_synchronizer(host, "Game/Clock", 0, clock_values)
  print("host synchronizer " .. clock)
  print("b synchronizer " .. declare_synchronizer(b, "/root/Game/Clock", 1, clock_values))
  declare_synchronizer(a, "Game/Clock", 1, clock_values)
  sync(host, clock, { string_of(".:time"), int_of(1) })
  take(a, 1)
  take(b, 1)
  sync(host, clock, { string_of(".:day"), int_of(2) })
  take(a, 1)
  take(b, 1)
  set_visible(host, clock, 0, 0)
  set_visible(host, clock, a.id, 1)
  sync(host, clock, { string_of(".:day"), int_of(3) })
  take(a, 2)
  despawn(host, clock)
  declare_synchronizer(host, "Game/Clock", 0, nil)

  -- The nodes of one that leaves are gone with it.
  check("close", ws.ws_close(a.h, 1000, ""))
  until_event(a, K.WS_EVENT_CLOSED)
  until_event(host, K.WS_EVENT_DISCONNECTED)
  take(b, 1)

  -- What is not declared, of another authority, or with other properties does not arrive.
  declare_scene(b, "Secret", 0, 0, "")
  spawn(b, "Secret", 0, "One", {})
  take(host, 1)
  declare_scene(b, "Game/Other", 0, 0, "")
  declare_scene(host, "Game/Other", 1, 0, "")
  spawn(b, "Game/Other", 0, "One", {})
  take(host, 1)
  declare_scene(b, "Mine", 0, 0, ".:position")
  declare_scene(host, "Mine", b.id, 0, ".:position, .:skin")
  local mine = spawn(b, "Mine", 0, "One", position)
  take(host, 1)
  despawn(b, mine)
  take(host, 1)

  -- As packets, without the events.
  local packet = ffi.new("ws_packet")
  despawn(host, item)
  poll_until("b", function() return ws.ws_get_packet(b.h, packet) == K.WS_OK end)
  print_nodes("b", packet)
end

function scenarios.replication()
  replicate_scenes()
  poll_only()

  -- Packets as they are on the wire.
  local gone = "\5\1\0\0\0"
  local config = config_of { flags = K.WS_SCENE + K.WS_RAW_REPLICATION }
  local host = opened("host", "host", localhost, config, out)
  local a = opened("a", "join", text_of(host.h, K.WS_GET_URL), config, out)
  settle(host, a)
  declare_scene(host, spawner, 0, 0, "")
  put(host.h, gone, K.WS_REPLICATION)
  take(a, 1)
  put_to(a.h, 1, gone, K.WS_REPLICATION)
  take(host, 1)
  put_to(a.h, 1, "\3hello", K.WS_REPLICATION)

  at[0] = 0
  check("decode_replication", ws.ws_decode_replication(gone, #gone, at, replicated, nil, 0))
  local plain = opened("host", "host", localhost, nil, out)
  declare_scene(plain, spawner, 0, 0, "")
end
