//! The server role of contestants for tokio: a current-thread runtime, one task per connection.

use crate::slice;
use bytes::Bytes;
use std::ffi::c_int;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::broadcast;

/// A listening server.
pub struct TokioServer {
    runtime: Runtime,
    fanout: broadcast::Sender<Bytes>,
}

impl TokioServer {
    /// Listens on a free port. `serve` echoes the messages of one connection and sends it what the receiver gets.
    /// Returns the server and its port.
    pub fn open<F, R>(serve: F) -> (TokioServer, c_int)
    where
        F: Fn(TcpStream, broadcast::Receiver<Bytes>) -> R + 'static,
        R: Future<Output = ()> + Send + 'static,
        F: Send,
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let fanout = broadcast::channel(64).0;
        let given = fanout.clone();
        runtime.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                tokio::task::spawn(serve(stream, given.subscribe()));
            }
        });
        (TokioServer { runtime, fanout }, c_int::from(port))
    }

    /// Runs the tasks, for `wait_ms` or, with 0, once.
    pub fn poll(&self, wait_ms: c_int) {
        if wait_ms == 0 {
            self.runtime.block_on(tokio::task::yield_now());
        } else {
            self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(wait_ms as u64)).await });
        }
    }

    /// Sends a message to all connections.
    ///
    /// # Safety
    /// As for `slice`.
    pub unsafe fn put(&self, data: *const u8, len: usize) {
        // SAFETY: the caller keeps to it.
        let data = Bytes::copy_from_slice(unsafe { slice(data, len) });
        let _ = self.fanout.send(data);
        self.runtime.block_on(tokio::task::yield_now());
    }
}

/// Defines `main` and the functions of the server role that the harness calls. `$serve`: see `TokioServer::open`.
#[macro_export]
macro_rules! tokio_server {
    ($serve:path) => {
        thread_local! {
            static SERVER: std::cell::OnceCell<$crate::TokioServer> = const { std::cell::OnceCell::new() };
        }

        fn main() {
            $crate::run();
        }

        fn with_server(act: impl FnOnce(&$crate::TokioServer)) {
            SERVER.with(|server| act(server.get().expect("server_open comes first")));
        }

        #[unsafe(no_mangle)]
        extern "C" fn server_open() -> std::ffi::c_int {
            let (server, port) = $crate::TokioServer::open($serve);
            SERVER.with(|place| assert!(place.set(server).is_ok(), "server_open is called once"));
            port
        }

        #[unsafe(no_mangle)]
        extern "C" fn server_poll(wait_ms: std::ffi::c_int) {
            with_server(|server| server.poll(wait_ms));
        }

        #[unsafe(no_mangle)]
        extern "C" fn server_put(data: *const u8, len: usize) {
            // SAFETY: the harness gave it.
            with_server(|server| unsafe { server.put(data, len) });
        }
    };
}
