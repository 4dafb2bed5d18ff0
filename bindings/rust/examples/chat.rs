//! A chat in a terminal.
//! Usage: chat server [PORT]           prints every line and sends it to all clients
//!        chat client URL NAME         type a line to say it; end of input leaves

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;
use wspeer::{Client, Config, Conn, Event, Server};

const FRAME: Option<Duration> = Some(Duration::from_millis(16));

/// Lines of the terminal, read by a thread so that the loop never waits for them.
fn typed() -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

fn serve(port: &str) -> Result<(), wspeer::Error> {
    let mut server = Server::listen_with(&format!("ws://127.0.0.1:{port}"), &Config::new().max_clients(100))?;
    let room = server.handle();
    println!("chat on {}", server.url());
    let say = |text: String| {
        println!("{text}");
        // A client whose queue is full misses the line; the others have it.
        if let Err(error) = room.send(&text)
            && room.is_open()
        {
            println!("{error}");
        }
    };
    let (typed, mut names) = (typed(), HashMap::<Conn, String>::new());
    loop {
        match typed.try_recv() {
            Ok(line) => say(format!("server: {line}")),
            Err(TryRecvError::Disconnected) if server.is_open() => server.close(0, "the server goes")?,
            Err(_) => {}
        }
        server.poll()?;
        for event in server.events() {
            match event {
                Event::Connected(about) => {
                    let name = about.conn.query().strip_prefix("name=").unwrap_or("somebody").to_owned();
                    say(format!("{name} has come"));
                    names.insert(about.conn, name);
                }
                Event::Message(message) => {
                    let name = names.get(&message.conn()).map_or("somebody", String::as_str);
                    say(format!("{name}: {}", message.text().unwrap_or("(bytes)")));
                }
                Event::Disconnected(end) => {
                    if let Some(name) = names.remove(&end.about.conn) {
                        say(format!("{name} has gone"));
                    }
                }
                Event::Closed(_) => return Ok(()),
                _ => {}
            }
        }
        wspeer::wait(&[server.raw()], FRAME)?;
    }
}

fn talk(url: &str, name: &str) -> Result<(), wspeer::Error> {
    // The link may be lost: the client opens another, and nothing is said twice.
    let config = Config::new().queue_before_open(true).reconnect(true).retry_tries(5);
    let mut client = Client::connect_with(&format!("{url}?name={name}"), &config)?;
    let conn = client.handle();
    let typed = typed();
    loop {
        match typed.try_recv() {
            Ok(line) => drop(conn.send(&line)?),
            Err(TryRecvError::Disconnected) if client.is_open() => conn.close(1000, "bye")?,
            Err(_) => {}
        }
        client.poll()?;
        for event in client.events() {
            match event {
                Event::Message(message) => println!("{}", message.text().unwrap_or("(bytes)")),
                Event::Lost(end) => println!("lost: {}", end.sentence),
                Event::Error(report) => println!("{}", report.sentence),
                // A chat that ends badly ends with an error.
                Event::Closed(end) if !end.clean => return Err(end.into()),
                Event::Closed(end) => {
                    println!("{}", end.sentence);
                    return Ok(());
                }
                _ => {}
            }
        }
        wspeer::wait(&[client.raw()], FRAME)?;
    }
}

fn main() -> Result<(), wspeer::Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["server"] => serve("9080"),
        ["server", port] => serve(port),
        ["client", url, name] => talk(url, name),
        _ => {
            eprintln!("usage: chat server [PORT] | chat client URL NAME");
            std::process::exit(2);
        }
    }
}
