//! fastwebsockets as in its echo example: hyper upgrades, and one task per connection on a current-thread tokio
//! runtime. Server role only.

use bench_contestants::{run, slice};
use fastwebsockets::{FragmentCollector, Frame, OpCode, WebSocketError, upgrade};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, server::conn::http1};
use hyper_util::rt::TokioIo;
use std::cell::RefCell;
use std::ffi::c_int;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::broadcast;

struct Server {
    runtime: Runtime,
    fanout: broadcast::Sender<Bytes>,
}

thread_local! {
    static SERVER: RefCell<Option<Server>> = const { RefCell::new(None) };
}

fn main() {
    run();
}

/// Echoes messages and sends broadcasts. Clients of the fan-out send nothing, so a read cancelled by `select!` loses no
/// bytes.
async fn serve(upgraded: upgrade::UpgradeFut, mut fanout: broadcast::Receiver<Bytes>) -> Result<(), WebSocketError> {
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

async fn answer(
    mut request: Request<Incoming>,
    fanout: broadcast::Receiver<Bytes>,
) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let (response, upgraded) = upgrade::upgrade(&mut request)?;
    tokio::task::spawn(serve_quietly(upgraded, fanout));
    Ok(response)
}

/// Errors of a client are ignored: the load program reports what is missing.
async fn serve_quietly(upgraded: upgrade::UpgradeFut, fanout: broadcast::Receiver<Bytes>) {
    let _ = serve(upgraded, fanout).await;
}

async fn connection(stream: TcpStream, fanout: broadcast::Sender<Bytes>) {
    let service = service_fn(move |request| answer(request, fanout.subscribe()));
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

#[unsafe(no_mangle)]
extern "C" fn server_open() -> c_int {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    let fanout = broadcast::channel(64).0;
    let given = fanout.clone();
    runtime.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::task::spawn(connection(stream, given.clone()));
        }
    });
    SERVER.set(Some(Server { runtime, fanout }));
    c_int::from(port)
}

#[unsafe(no_mangle)]
extern "C" fn server_poll(wait_ms: c_int) {
    SERVER.with_borrow(|server| {
        let runtime = &server.as_ref().expect("server_open comes first").runtime;
        if wait_ms == 0 {
            runtime.block_on(tokio::task::yield_now());
        } else {
            runtime.block_on(async { tokio::time::sleep(Duration::from_millis(wait_ms as u64)).await });
        }
    });
}

#[unsafe(no_mangle)]
extern "C" fn server_put(data: *const u8, len: usize) {
    // SAFETY: the harness gave it.
    let data = Bytes::copy_from_slice(unsafe { slice(data, len) });
    SERVER.with_borrow(|server| {
        let server = server.as_ref().expect("server_open comes first");
        let _ = server.fanout.send(data);
        server.runtime.block_on(tokio::task::yield_now());
    });
}
