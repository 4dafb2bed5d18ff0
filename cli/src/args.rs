//! The arguments, and the text of `--help`, the man pages and the completions.

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint, value_parser};
use std::path::PathBuf;
use std::time::Duration;

const EXIT_CODES: &str = "\
Exit codes:
  0    it worked: the connection was open, and ended by a closing handshake
  1    the connection could not be opened, failed, or something is wrong with it
  2    an argument cannot be used, a file cannot be read, or the port is taken
  130  ended by SIGINT (Ctrl+C), with a closing handshake; a second one ends at once
  143  the same by SIGTERM
serve and sim run until they are interrupted, and then end with 0.
When nobody reads the output any more, it ends by SIGPIPE.

Environment:
  NO_COLOR    no colours, if it is set and not empty
  WSPEER_LOG  error, warn, info or debug: what the library does, on standard error";

/// WebSockets from the command line: talk, serve, diagnose, measure, and try a bad network.
#[derive(Parser)]
#[command(name = "wspeer", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Arguments {
    /// When to use colours; auto: on a terminal
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: When,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
pub enum Command {
    /// Send the lines of standard input as messages, and print the messages that come
    ///
    /// Each line is a text message, and each message is printed with a line end. At the end of the input it waits for
    /// answers (--wait) and closes.
    Cat(Cat),
    /// Serve files, an echo and chat rooms: a server to try clients with
    ///
    /// WebSockets on /echo get their messages back. Those on any other path are in the chat room of this name: a message
    /// goes to all others in the room. A browser gets the files of DIR, or without DIR a page with the chat room of its
    /// path. A client that takes nothing for ten seconds, while others want to send to it, is disconnected.
    Serve(Serve),
    /// Find out why a client cannot connect
    ///
    /// Opens a connection, pings the server and closes. Prints each step, and what to do. The output has no query,
    /// password, cookie or authorization.
    Diagnose(Diagnose),
    /// Measure round trips to an echo server
    ///
    /// Each client sends a message, waits for it to come back, and sends the next. Latencies are exact to 3 %.
    Bench(Bench),
    /// Pass WebSockets on to another server over a simulated bad network
    ///
    /// A proxy: programs connect to LISTEN, and for each of them it connects to TARGET. Messages, subprotocols, close
    /// codes, path and query pass through it, and so do the headers Origin, Cookie, Authorization, User-Agent and
    /// Accept-Language. The bad network is between the program and the proxy. The same seed has the same effect.
    Sim(Sim),
    /// Print the completions for a shell
    ///
    /// For bash: wspeer completions bash > ~/.local/share/bash-completion/completions/wspeer
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page, or write those of all commands into a directory
    Man {
        /// Write wspeer.1, wspeer-cat.1 and so on into this directory
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
}

/// What every command that opens a connection takes.
#[derive(Args)]
pub struct Connect {
    /// ws://host:port/path or wss://host:port/path
    #[arg(value_hint = ValueHint::Url)]
    pub url: String,
    /// Send this header in the request; may be repeated
    #[arg(short = 'H', long, value_name = "NAME: VALUE")]
    pub header: Vec<String>,
    /// Offer this subprotocol; may be repeated
    #[arg(long, visible_alias = "protocol", value_name = "NAME")]
    pub subprotocol: Vec<String>,
    /// Accept any certificate
    #[arg(short = 'k', long)]
    pub insecure: bool,
    /// Certificates to trust besides the system's, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ca: Option<PathBuf>,
    /// The name that the certificate must have, if it is not that of the URL
    #[arg(long, value_name = "NAME")]
    pub server_name: Option<String>,
    /// Trust the certificate with this SHA-256, in hexadecimal, and no other
    #[arg(long, value_name = "SHA256")]
    pub pin: Option<String>,
    /// Connect through this proxy: "env", or http://, https://, socks5:// or socks5h://user:password@host:port
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
    /// Give up when the connection is not open after so long
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub timeout: Duration,
}

#[derive(Args)]
pub struct Cat {
    #[command(flatten)]
    pub connect: Connect,
    /// Send the input as binary messages, as it is read, and print messages as they are, without line ends
    #[arg(short, long)]
    pub binary: bool,
    /// Close after so many messages were received
    #[arg(short, long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// At the end of the input, close when nothing comes for so long
    #[arg(short, long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub wait: Duration,
    /// At the end of the input do not close: print messages until the server closes
    #[arg(short, long)]
    pub no_close: bool,
    /// Ping the server so often, and end when it answers nothing three times as long
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub ping: Option<Duration>,
    /// The code to close with: 1000 to 1003, 1007 to 1014, or 3000 to 4999
    #[arg(long, value_name = "CODE", default_value = "1000", value_parser = close_code)]
    pub close_code: i32,
    /// The reason to close with, at most 123 bytes
    #[arg(long, value_name = "TEXT", default_value = "", value_parser = reason)]
    pub close_reason: String,
    /// When the connection is lost, open another one and go on
    #[arg(long)]
    pub reconnect: bool,
    /// Offer compression (permessage-deflate)
    #[arg(long)]
    pub deflate: bool,
    /// The longest message, received or sent
    #[arg(long, value_name = "BYTES", default_value = "16M", value_parser = size)]
    pub max_message_bytes: u32,
}

#[derive(Args)]
pub struct Serve {
    /// Serve the files of this directory: no hidden ones, and no links
    #[arg(value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// The address and port to listen on; port 0 chooses a free one
    #[arg(short, long, value_name = "[ADDRESS:]PORT", default_value = "9080")]
    pub listen: String,
    /// Listen on all addresses of this machine, and print a QR code for phones; else only on 127.0.0.1
    #[arg(long)]
    pub lan: bool,
    /// Serve https:// and wss://, with a certificate that is made on the spot, or with --cert and --key
    #[arg(long)]
    pub tls: bool,
    /// The certificate chain, in PEM
    #[arg(long, value_name = "FILE", requires = "key", value_hint = ValueHint::FilePath)]
    pub cert: Option<PathBuf>,
    /// The key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "cert", value_hint = ValueHint::FilePath)]
    pub key: Option<PathBuf>,
    /// Answer requests for this host, and let its pages connect: else only localhost and the addresses that are printed;
    /// "null" for pages of files; may be repeated
    #[arg(long, value_name = "NAME")]
    pub host: Vec<String>,
    /// Send the headers that let pages use threads (COOP, COEP, CORP)
    #[arg(long)]
    pub isolated: bool,
    /// Print a QR code of the address; auto: with --lan, on a terminal
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub qr: When,
    /// Do not print who comes and goes
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Args)]
pub struct Diagnose {
    #[command(flatten)]
    pub connect: Connect,
    /// Print each step as a JSON object in a line; the last line has the advice
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Bench {
    #[command(flatten)]
    pub connect: Connect,
    /// Number of connections
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..=10_000))]
    pub clients: u32,
    /// Length of a message
    #[arg(short, long, value_name = "BYTES", default_value = "64", value_parser = size)]
    pub size: u32,
    /// Messages that each client has under way at a time
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..=4096))]
    pub in_flight: u32,
    /// Messages that each client sends in a second, instead of one after the other; latencies count from when a message
    /// was due
    #[arg(short, long, value_name = "N", conflicts_with = "in_flight", value_parser = rate)]
    pub rate: Option<f64>,
    /// Measure for so long
    #[arg(short, long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub duration: Duration,
    /// End after so many round trips
    #[arg(short = 'n', long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    pub messages: Option<u64>,
    /// Send text messages, not binary ones
    #[arg(long)]
    pub text: bool,
    /// Offer compression (permessage-deflate)
    #[arg(long)]
    pub deflate: bool,
    /// Print the result as a JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct Sim {
    /// The address and port to listen on; port 0 chooses a free one, and without an address it is 127.0.0.1
    #[arg(value_name = "[ADDRESS:]PORT")]
    pub listen: String,
    /// ws://host:port or wss://host:port; a path is put before that of each program
    #[arg(value_hint = ValueHint::Url)]
    pub target: String,
    /// A network with a name, which the other options change
    #[arg(short, long, value_name = "NAME", default_value = "none")]
    pub network: Network,
    /// Time that each byte takes in each direction
    #[arg(long, value_name = "MS", value_parser = milliseconds)]
    pub lag: Option<u32>,
    /// Up to so much more for each packet
    #[arg(long, value_name = "MS", value_parser = milliseconds)]
    pub jitter: Option<u32>,
    /// Packets out of a hundred that are lost, and arrive late
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub loss: Option<u32>,
    /// Bytes that each direction takes in a second
    #[arg(long, value_name = "BYTES", value_parser = size)]
    pub bandwidth: Option<u32>,
    /// Seed of the random numbers
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u32,
    /// Accept any certificate of the target
    #[arg(short = 'k', long)]
    pub insecure: bool,
    /// Certificates to trust besides the system's, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ca: Option<PathBuf>,
    /// The longest message
    #[arg(long, value_name = "BYTES", default_value = "16M", value_parser = size)]
    pub max_message_bytes: u32,
    /// Do not print who comes and goes
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Network {
    None,
    Wifi,
    #[value(name = "4g")]
    Mobile4g,
    Train,
    Satellite,
}

/// A number of at least 0 and at most `most`.
fn number(text: &str, most: f64) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.0..=most).contains(&number) => Ok(number),
        _ => Err(format!("give a number from 0 to {most}")),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    // The library counts milliseconds in 32 bits.
    number(text, 1_000_000.0).map(Duration::from_secs_f64)
}

/// Microseconds.
fn milliseconds(text: &str) -> Result<u32, String> {
    number(text, 60_000.0).map(|ms| (ms * 1e3) as u32)
}

/// Parts per million.
fn percent(text: &str) -> Result<u32, String> {
    number(text, 100.0).map(|percent| (percent * 1e4) as u32)
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = number(text, 1e6)?;
    if rate > 0.0 { Ok(rate) } else { Err("give a number above 0".to_owned()) }
}

/// Bytes: "500", "64k", "16M", where k is 1024 and M 1024 k.
fn size(text: &str) -> Result<u32, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 1024),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 1024 * 1024),
        _ => (text, 1),
    };
    let bytes = digits.parse::<u32>().ok().and_then(|number| number.checked_mul(unit));
    // The library's largest number means "no limit".
    bytes
        .filter(|bytes| (1..u32::MAX).contains(bytes))
        .ok_or_else(|| "give a number from 1 to 4095M, such as 64k".to_owned())
}

fn close_code(text: &str) -> Result<i32, String> {
    let code = text.parse().ok().filter(|code| matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999));
    code.ok_or_else(|| "a program may close with 1000 to 1003, 1007 to 1014, and 3000 to 4999".to_owned())
}

fn reason(text: &str) -> Result<String, String> {
    if text.len() <= 123 { Ok(text.to_owned()) } else { Err("a reason has at most 123 bytes".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn numbers_with_units() {
        assert_eq!(size("64k"), Ok(65_536));
        assert_eq!(size("16M"), Ok(16_777_216));
        assert_eq!(size("7"), Ok(7));
        for wrong in ["", "k", "0", "-1", "1.5k", "4096M", "5000M", "é"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(milliseconds("1.5"), Ok(1_500));
        assert_eq!(percent("0.5"), Ok(5_000));
        for wrong in ["nan", "inf", "-1", "1e9", ""] {
            assert!(seconds(wrong).is_err() && percent(wrong).is_err(), "{wrong}");
        }
        assert!(rate("0").is_err());
        assert!(close_code("1005").is_err() && close_code("4000") == Ok(4000));
    }
}
