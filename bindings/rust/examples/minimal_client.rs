//! The start of the README: says hello, prints the answer, and leaves.
//! Usage: minimal_client [URL]

use wspeer::{Client, Event};

fn main() -> Result<(), wspeer::Error> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "ws://127.0.0.1:9080".to_owned());
    let mut client = Client::connect(&url)?;
    let conn = client.handle();
    loop {
        client.poll()?;
        for event in client.events() {
            match event {
                Event::Open(_) => drop(conn.send("hello")?),
                Event::Message(message) => {
                    println!("{}", message.text().unwrap_or("bytes"));
                    conn.close(1000, "bye")?;
                }
                Event::Closed(end) => {
                    println!("{}", end.sentence);
                    return Ok(());
                }
                _ => {}
            }
        }
        // A game updates, draws and waits for its next frame.
        wspeer::wait(&[client.raw()], Some(std::time::Duration::from_millis(16)))?;
    }
}
