//! tokio-websockets as in the echo server of its README: one task per connection, `send` for each message. Server role
//! only.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::broadcast::Receiver;
use tokio_websockets::{Config, Error, Limits, Message, ServerBuilder};

bench_contestants::tokio_server!(connection);

/// Errors of a client are ignored: the load program reports what is missing.
async fn connection(stream: TcpStream, fanout: Receiver<Bytes>) {
    let _ = serve(stream, fanout).await;
}

async fn serve(stream: TcpStream, mut fanout: Receiver<Bytes>) -> Result<(), Error> {
    // Its default sends a message above 4 KiB in several frames.
    let whole = Config::default().frame_size(usize::MAX);
    let (_, mut socket) = ServerBuilder::new().config(whole).limits(Limits::default()).accept(stream).await?;
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(message) => {
                    let message = message?;
                    if message.is_text() || message.is_binary() {
                        socket.send(message).await?;
                    }
                }
                None => return Ok(()),
            },
            Ok(data) = fanout.recv() => socket.send(Message::binary(data)).await?,
        }
    }
}
