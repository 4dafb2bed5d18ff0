//! A game loop: a server, and players who send where they are, one of them over a simulated train ride. Of positions
//! only the newest is sent, so the slow line carries no backlog of old ones.
//! Usage: game [FRAMES]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use wspeer::{Client, Config, Event, Server, Sim, SimPreset, Target};

const FRAME: Duration = Duration::from_millis(16);
/// The key of the message with a position: a newer one takes the place of an older one.
const POSITION: u32 = 1;

struct Player {
    client: Client,
    name: &'static str,
    x: f32,
    speed: f32,
    /// Where it sees the others, by their handles at the server.
    others: BTreeMap<u32, f32>,
}

impl Player {
    fn join(url: &str, name: &'static str, speed: f32) -> Result<Player, wspeer::Error> {
        // What is sent in a frame leaves together, at its end.
        let client = Client::connect_with(url, &Config::new().coalesce(true))?;
        Ok(Player { client, name, x: 0.0, speed, others: BTreeMap::new() })
    }

    fn frame(&mut self) -> Result<(), wspeer::Error> {
        self.client.poll()?;
        for event in self.client.events() {
            match event {
                Event::Message(message) => {
                    if let Some((who, x)) = position(message.bytes()) {
                        self.others.insert(who, x);
                    }
                }
                Event::Closed(end) => println!("{}: {}", self.name, end.sentence),
                _ => {}
            }
        }
        if self.client.is_open() {
            self.x += self.speed;
            self.client.send_latest(POSITION, &self.x.to_le_bytes())?;
            self.client.flush()?;
        }
        Ok(())
    }
}

/// Who is where: what the server sends.
fn position(bytes: &[u8]) -> Option<(u32, f32)> {
    let (who, x) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*who), f32::from_le_bytes(*x.first_chunk()?)))
}

/// The server's frame: it tells all but the sender.
fn serve(server: &mut Server) -> Result<(), wspeer::Error> {
    let room = server.handle();
    server.poll()?;
    for message in server.messages() {
        let mut out = message.conn().raw().to_le_bytes().to_vec();
        out.extend_from_slice(message.bytes());
        // Of each player the newest position: the key is the player.
        room.send_latest_to(Target::Except(message.conn()), message.conn().raw(), &out)?;
    }
    room.flush()
}

fn main() -> Result<(), wspeer::Error> {
    let frames: u32 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(120);
    let mut server = Server::listen_with("ws://127.0.0.1:0", &Config::new().coalesce(true))?;
    let url = server.url();
    let mut players = [Player::join(&url, "ann", 0.1)?, Player::join(&url, "bob", 0.2)?];
    players[1].client.set_sim(Some(&Sim::preset(SimPreset::Train)))?;
    // Until each has seen the other, and the frames are over.
    let (mut frame, limit) = (0, Instant::now() + Duration::from_secs(30));
    while frame < frames || players.iter().any(|player| player.others.is_empty()) {
        if Instant::now() > limit {
            eprintln!("the players do not see each other");
            std::process::exit(1);
        }
        let began = Instant::now();
        serve(&mut server)?;
        for player in &mut players {
            player.frame()?;
        }
        frame += 1;
        std::thread::sleep(FRAME.saturating_sub(began.elapsed()));
    }
    for player in &players {
        let stats = player.client.stats();
        println!("{} sees {} other; {} positions replaced", player.name, player.others.len(), stats.replaced);
    }
    Ok(())
}
