//! `wspeer`: WebSockets from the command line. docs/cli.md is its manual.

mod alarm;
mod args;
mod bench;
mod cat;
mod connect;
mod diagnose;
mod failure;
mod histogram;
mod interrupt;
mod queue;
mod serve;
mod sim;
mod terminal;

use args::{Arguments, Command};
use clap::{CommandFactory, Parser};
use failure::{Failure, Outcome};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use terminal::Terminal;

/// What the library's error messages name, and what it is called here.
const NAMES: [(&str, &str); 16] = [
    ("WS_BINARY", "--binary"),
    ("WS_FULL_DISCONNECT", "to disconnect"),
    ("WS_INSECURE", "--insecure"),
    ("allowed_hosts", "--host"),
    ("ca_pem", "--ca"),
    ("cert_pem", "--cert"),
    ("close_timeout_ms", "its time limit"),
    ("connect_timeout_ms", "--timeout"),
    ("headers", "--header"),
    ("key_pem", "--key"),
    ("max_message_bytes", "--max-message-bytes"),
    ("on_full", "what to do then"),
    ("pin_sha256", "--pin"),
    ("proxy", "--proxy"),
    ("server_name", "--server-name"),
    ("subprotocols", "--subprotocol"),
];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    for (word, name) in NAMES {
        // It fails for a word that the library does not use: a test looks for that.
        let _ = wspeer::set_name(word, Some(name));
    }
    let terminal = Terminal::new(arguments.color);
    let outcome = match &arguments.command {
        Command::Cat(given) => cat::run(given, terminal),
        Command::Serve(given) => serve::run(given, terminal),
        Command::Diagnose(given) => diagnose::run(given, terminal),
        Command::Bench(given) => bench::run(given, terminal),
        Command::Sim(given) => sim::run(given, terminal),
        Command::Completions { shell } => completions(*shell),
        Command::Man { dir } => man(dir.as_deref()),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(Failure::Said(code, sentence)) => {
            terminal::say(&format!("{} {sentence}", terminal.err.red("wspeer:")));
            ExitCode::from(code)
        }
        Err(Failure::Pipe) => interrupt::end_by_pipe(),
    }
}

fn completions(shell: clap_complete::Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "wspeer", &mut script);
    write_all(&script)
}

fn man(directory: Option<&Path>) -> Outcome {
    let command = Arguments::command();
    if let Some(directory) = directory {
        std::fs::create_dir_all(directory)
            .and_then(|()| clap_mangen::generate_to(command, directory))
            .map_err(|error| Failure::file(directory, error))?;
        return Ok(0);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).map_err(|error| Failure::output(&error))?;
    write_all(&page)
}

fn write_all(bytes: &[u8]) -> Outcome {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_library_uses_all_words_that_are_renamed() {
        for (word, name) in super::NAMES {
            wspeer::set_name(word, Some(name)).unwrap();
        }
        let config = wspeer::Config::new().ca_pem("nonsense");
        let error = wspeer::Client::connect_with("wss://localhost", &config).unwrap_err();
        assert!(error.to_string().contains("--ca"), "{error}");
    }
}
