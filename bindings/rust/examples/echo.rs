//! A server that sends everything back to whom it came from, until its input ends.
//! Usage: echo [PORT]

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wspeer::{Event, Server};

static OVER: AtomicBool = AtomicBool::new(false);

fn main() -> Result<(), wspeer::Error> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "9080".to_owned());
    let mut server = Server::listen(&format!("ws://127.0.0.1:{port}"))?;
    println!("echo on {}", server.url());
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        OVER.store(true, Ordering::Relaxed);
    });
    loop {
        if OVER.load(Ordering::Relaxed) && server.is_open() {
            server.close(0, "the server goes")?;
        }
        server.poll()?;
        for event in server.events() {
            match event {
                Event::Connected(about) => println!("{} has come", about.conn.remote_address()),
                Event::Message(message) => {
                    // Of a client that does not read its answers, the queue is full in the end.
                    if let Err(error) = message.conn().send(message) {
                        println!("{error}");
                        message.conn().close(1008, "read your answers")?;
                    }
                }
                Event::Disconnected(end) => println!("one has gone: {}", end.sentence),
                Event::Closed(_) => return Ok(()),
                _ => {}
            }
        }
        wspeer::wait(&[server.raw()], Some(Duration::from_millis(16)))?;
    }
}
