//! fastwebsockets as in its echo example: hyper upgrades, and one task per connection. Server role only.

use bytes::Bytes;
use fastwebsockets::{FragmentCollector, Frame, OpCode, WebSocketError, upgrade};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, server::conn::http1};
use hyper_util::rt::TokioIo;
use std::sync::{Arc, Mutex};
use tokio::net::TcpStream;
use tokio::sync::broadcast::Receiver;

bench_contestants::tokio_server!(connection);

/// Errors of a client are ignored: the load program reports what is missing.
async fn connection(stream: TcpStream, fanout: Receiver<Bytes>) {
    let fanout = Arc::new(Mutex::new(Some(fanout)));
    let service = service_fn(move |request| answer(request, fanout.clone()));
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

async fn answer(
    mut request: Request<Incoming>,
    fanout: Arc<Mutex<Option<Receiver<Bytes>>>>,
) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let (response, upgraded) = upgrade::upgrade(&mut request)?;
    if let Some(fanout) = fanout.lock().expect("nothing panics").take() {
        tokio::task::spawn(async move { serve(upgraded, fanout).await.ok() });
    }
    Ok(response)
}

/// Echoes messages and sends broadcasts. Clients of the fan-out send nothing, so a read cancelled by `select!` loses no
/// bytes.
async fn serve(upgraded: upgrade::UpgradeFut, mut fanout: Receiver<Bytes>) -> Result<(), WebSocketError> {
    let mut socket = FragmentCollector::new(upgraded.await?);
    loop {
        tokio::select! {
            frame = socket.read_frame() => {
                let frame = frame?;
                match frame.opcode {
                    OpCode::Close => return Ok(()),
                    OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
                    _ => {}
                }
            }
            Ok(data) = fanout.recv() => socket.write_frame(Frame::binary(data.as_ref().into())).await?,
        }
    }
}
