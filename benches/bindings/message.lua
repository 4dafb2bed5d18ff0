-- Measures the cost of one 64 B message in LuaJIT, converted to a Lua string, like message.c. Run it in the root of the
-- tree; WSPEER_LIBRARY names the library.
local ffi = require("ffi")
local header = assert(io.open("include/wspeer.h")):read("*a")
ffi.cdef((header:gsub("#[^\n]*", ""):gsub('extern "C" {', ""):gsub('}  // extern "C"', ""):gsub("WS_API", "")))
local ws = ffi.load(os.getenv("WSPEER_LIBRARY") or "build/libwspeer.so")

local SIZE, FRAME, CHUNK, BINARY, OPEN = 64, 32, 100, 2, 1
local ends = ffi.new("ws_handle[2]")
assert(ws.ws_pair(nil, ends, ends + 1) == 0)
local server, client = ends[0], ends[1]
local messages = {}
for i = 0, 255 do messages[i] = string.char(i) .. ("x"):rep(SIZE - 1) end

local function put(number) assert(ws.ws_put_packet(client, messages[number % 256], SIZE, BINARY) == 0) end

local function check(packet, number) assert(ffi.string(packet.data, packet.len) == messages[number % 256]) end

local packet = ffi.new("ws_packet")

local function single(number)
  put(number)
  ws.ws_poll(server)
  assert(ws.ws_get_packet(server, packet) == 0)
  check(packet, number)
end

local packets, count = ffi.new("ws_packet[?]", FRAME), ffi.new("size_t[1]")

local function frame(number)
  for i = number, number + FRAME - 1 do put(i) end
  ws.ws_poll(server)
  assert(ws.ws_get_packets(server, packets, FRAME, count) == 0 and count[0] == FRAME)
  for i = 0, FRAME - 1 do check(packets[i], number + i) end
end

while ws.ws_get_state(server) ~= OPEN or ws.ws_get_state(client) ~= OPEN do
  ws.ws_poll(client)
  ws.ws_poll(server)
end
local run, in_run = single, CHUNK
if arg[1] == "frame" then run, in_run = frame, CHUNK * FRAME end

local function chunks_until(limit)
  local done = 0
  while os.clock() < limit do
    for i = 0, CHUNK - 1 do run(i) end
    done = done + in_run
  end
  return done
end

local seconds = tonumber(arg[2])
chunks_until(os.clock() + seconds / 10) -- warm-up
local began = os.clock()
local done = chunks_until(began + seconds)
print(("%.1f"):format((os.clock() - began) / done * 1e9))
