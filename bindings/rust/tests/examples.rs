//! Runs the examples over loopback, as cargo has built them beside this test.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// An example that runs. It is killed at the end of its test.
struct Running {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Running {
    fn start(example: &str, arguments: &[&str]) -> Running {
        let test = std::env::current_exe().expect("this test has a path");
        let directory: PathBuf = test.ancestors().nth(2).expect("it is in target/PROFILE/deps").join("examples");
        let mut child = Command::new(directory.join(example))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("cargo builds the examples before their test");
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Running { input: child.stdin.take(), child, lines }
    }

    /// The next line of its output.
    fn line(&self) -> String {
        self.lines.recv_timeout(LIMIT).expect("it prints another line")
    }

    /// The first line that contains this.
    fn line_with(&self, part: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(part) {
                return line;
            }
        }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.input.as_mut().expect("its input is open"), "{line}").expect("it reads its input");
    }

    /// Ends its input, and waits until it has ended well.
    fn end(&mut self) {
        self.input = None;
        while self.lines.recv_timeout(LIMIT).is_ok() {}
        assert!(self.child.wait().expect("it can be waited for").success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The URL at the end of the first line.
fn url_of(server: &Running) -> String {
    server.line().rsplit(' ').next().expect("a line has a word").to_owned()
}

#[test]
fn the_minimal_client_talks_to_the_echo_server() {
    let mut server = Running::start("echo", &["0"]);
    let url = url_of(&server);
    let mut client = Running::start("minimal_client", &[&url]);
    assert_eq!(client.line(), "hello");
    assert!(client.line().contains("closed"));
    client.end();
    server.line_with("has come");
    server.line_with("one has gone");
    server.end();
}

#[test]
fn everybody_in_a_chat_hears_everybody() {
    let mut server = Running::start("chat", &["server", "0"]);
    let url = url_of(&server);
    let mut ann = Running::start("chat", &["client", &url, "ann"]);
    ann.line_with("ann has come");
    let mut bob = Running::start("chat", &["client", &url, "bob"]);
    ann.line_with("bob has come");
    bob.line_with("bob has come");
    ann.say("hello, κόσμε");
    assert_eq!(bob.line(), "ann: hello, κόσμε");
    server.say("welcome");
    bob.line_with("server: welcome");
    bob.end();
    ann.line_with("bob has gone");
    server.end();
    ann.line_with("the server goes");
}

#[test]
fn players_see_each_other_over_a_simulated_network() {
    let mut game = Running::start("game", &["30"]);
    assert!(game.line().starts_with("ann sees 1 other"));
    assert!(game.line().starts_with("bob sees 1 other"));
    game.end();
}
