//! The program: exit codes, signals, and nothing left behind.

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use support::{PROGRAM, eventually};

/// The home of the cluster named by a connection string.
fn home(url: &str) -> PathBuf {
    let config: tokio_postgres::Config = url.trim().parse().expect("a connection string");
    let [tokio_postgres::config::Host::Unix(socket)] = config.get_hosts() else { panic!("one socket") };
    socket.parent().expect("a parent").to_owned()
}

/// A run whose command prints its cluster and goes on until it is told to stop; also the command's pid.
fn waiting() -> (Child, i32, PathBuf) {
    let mut command = Command::new(PROGRAM);
    let script = "echo \"$$ $ECHOVERSE_TEST_POSTGRES\"; exec sleep 60";
    command.args(["exec", "--", "sh", "-c", script]).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the program runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    let (pid, url) = line.split_once(' ').expect("a pid and a connection string");
    let home = home(url);
    assert!(home.join("cluster").is_dir());
    (child, pid.parse().expect("a pid"), home)
}

#[test]
fn the_exit_code_is_the_commands_and_the_cluster_is_gone() {
    let mut command = Command::new(PROGRAM);
    command.args(["exec", "--", "sh", "-c", "echo \"$ECHOVERSE_TEST_POSTGRES\"; exit 7"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert!(!home(&String::from_utf8(output.stdout).unwrap()).exists());
}

#[test]
fn a_terminated_run_ends_its_command_and_cleans_up() {
    let (mut child, command, home) = waiting();
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
    assert!(!support::alive(command));
    assert!(!home.exists());
}

#[test]
fn a_killed_run_cleans_up() {
    let (mut child, command, home) = waiting();
    child.kill().unwrap();
    child.wait().unwrap();
    support::kill(command);
    eventually("the cluster is removed", || !home.exists());
}

#[test]
fn a_command_that_does_not_exist_is_an_error() {
    let mut command = Command::new(PROGRAM);
    let output = command.args(["exec", "--", "/no/such/program"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/program"));
}
