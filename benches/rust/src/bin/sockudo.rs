//! sockudo-ws as in its simple_echo example: one task per connection, `send` for each message. Server role only.

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use sockudo_ws::error::{Error, Result};
use sockudo_ws::handshake::{build_response, generate_accept_key, parse_request};
use sockudo_ws::protocol::Message;
use sockudo_ws::{Config, WebSocketStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::broadcast::Receiver;

bench_contestants::tokio_server!(connection);

/// Errors of a client are ignored: the load program reports what is missing.
async fn connection(stream: TcpStream, fanout: Receiver<Bytes>) {
    let _ = serve(stream, fanout).await;
}

async fn serve(mut stream: TcpStream, mut fanout: Receiver<Bytes>) -> Result<()> {
    accept(&mut stream).await?;
    let mut socket = WebSocketStream::server(stream, Config::default());
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(message) => match message? {
                    message @ (Message::Text(_) | Message::Binary(_)) => socket.send(message).await?,
                    Message::Close(_) => return Ok(()),
                    _ => {}
                },
                None => return Ok(()),
            },
            Ok(data) = fanout.recv() => socket.send(Message::Binary(data)).await?,
        }
    }
}

/// The load program sends nothing behind its request.
async fn accept(stream: &mut TcpStream) -> Result<()> {
    let mut received = BytesMut::with_capacity(4 << 10);
    loop {
        if stream.read_buf(&mut received).await? == 0 {
            return Err(Error::ConnectionClosed);
        }
        if let Some((request, _)) = parse_request(&received)? {
            let response = build_response(&generate_accept_key(request.key), None, None);
            return Ok(stream.write_all(&response).await?);
        }
    }
}
