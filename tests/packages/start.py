"""Two ends in memory exchange a message, with the library of the installed package."""

import wspeer

server, client = wspeer.pair()
while server.state != wspeer.State.OPEN or client.state != wspeer.State.OPEN:
    client.poll()
    server.poll()
client.send("hello")
client.poll()
server.poll()
for packet in server.packets():
    print(packet.text)
