//! A server and its clients, polled like a host does, with a fake clock.

#[path = "../support/clock.rs"]
mod clock;
#[path = "../support/test_server.rs"]
mod test_server;

mod broadcast;
mod budget;
mod certificate;
mod counts;
mod crowd;
mod downloads;
mod fairness;
mod items;
mod model;
mod options;
mod proxies;
mod refusals;
mod requests;
mod timers;
mod turned_away;
mod upkeep;
