//! A world that three apps share: a server and two players, who move and see each other move. Here all are in one
//! process, without a window; each app could be a program of its own.
//! Usage: wspeer-bevy-example

use bevy_app::{App, Update};
use bevy_ecs::prelude::*;
use std::time::{Duration, Instant};
use wspeer::{Client, Config, Conn, Server, ServerRef, Target};
use wspeer_bevy_example::{Net, NetEvent, NetPlugin};

const FRAME: Duration = Duration::from_millis(16);
/// The key of the message with the own position.
const POSITION: u32 = 1;

#[derive(Component)]
struct Position(f32);

/// The player of this app.
#[derive(Component)]
struct Own;

/// A player that is elsewhere, by its number at the server.
#[derive(Component)]
struct Remote(u32);

// ---- The server ----

fn server(url: &str) -> Result<App, wspeer::Error> {
    let mut app = App::new();
    app.add_plugins(NetPlugin).add_systems(Update, relay);
    app.insert_resource(Net(Server::listen_with(url, &Config::new().coalesce(true))?));
    Ok(app)
}

/// Passes each position on to the others, with the number of the player.
fn relay(net: Res<Net<ServerRef>>, mut events: MessageReader<NetEvent>) {
    for event in events.read() {
        if let NetEvent::Message(conn, message) = event {
            let mut out = conn.raw().to_le_bytes().to_vec();
            out.extend(&message.bytes);
            // A full queue of one misses this position, and gets a later one.
            let _ = net.handle().send_latest_to(Target::Except(*conn), conn.raw(), &out);
        }
    }
}

// ---- A player ----

fn player(url: &str) -> Result<App, wspeer::Error> {
    let mut app = App::new();
    app.add_plugins(NetPlugin).add_systems(Update, (see, walk).chain());
    app.insert_resource(Net(Client::connect_with(url, &Config::new().coalesce(true))?));
    app.world_mut().spawn((Own, Position(0.0)));
    Ok(app)
}

/// Moves the others to where they are, and spawns those that are new.
fn see(mut commands: Commands, mut events: MessageReader<NetEvent>, mut others: Query<(&Remote, &mut Position)>) {
    for event in events.read() {
        match event {
            NetEvent::Message(_, message) => {
                let Some((number, x)) = position(&message.bytes) else { continue };
                match others.iter_mut().find(|(remote, _)| remote.0 == number) {
                    Some((_, mut at)) => at.0 = x,
                    None => drop(commands.spawn((Remote(number), Position(x)))),
                }
            }
            NetEvent::Closed(_, error) => println!("{error}"),
            NetEvent::Open(_) => {}
        }
    }
}

fn walk(net: Res<Net<Conn>>, mut own: Query<&mut Position, With<Own>>) {
    for mut at in &mut own {
        at.0 += 0.1;
        if net.handle().is_open() {
            // It takes the place of the position before, if that has not left.
            let _ = net.handle().send_latest(POSITION, &at.0.to_le_bytes());
        }
    }
}

fn position(bytes: &[u8]) -> Option<(u32, f32)> {
    let (number, x) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), f32::from_le_bytes(*x.first_chunk()?)))
}

// ---- All in one process ----

/// Whether the player of this app has seen another one move.
fn has_seen(app: &mut App) -> bool {
    let world = app.world_mut();
    world.query_filtered::<&Position, With<Remote>>().iter(world).any(|at| at.0 > 1.0)
}

fn main() -> Result<(), wspeer::Error> {
    let mut server = server("ws://127.0.0.1:0")?;
    let url = server.world().resource::<Net<ServerRef>>().handle().url();
    let mut players = [player(&url)?, player(&url)?];
    let limit = Instant::now() + Duration::from_secs(30);
    while !players.iter_mut().all(has_seen) {
        if Instant::now() > limit {
            eprintln!("the players do not see each other");
            std::process::exit(1);
        }
        server.update();
        players.iter_mut().for_each(App::update);
        std::thread::sleep(FRAME);
    }
    println!("two players see each other move");
    Ok(())
}
