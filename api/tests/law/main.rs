//! The stream law: a snapshot and the frames after its cursor make the fresh snapshot, for every client, whatever
//! happens; and no client receives what happened where it was not a member.
//!
//! Accounts give random commands. Devices, one per account and some more, follow as `docs/API.md` tells them to, lose
//! their connection, change transport, and come back at random; the server restarts now and then. `PROPTEST_CASES` sets
//! the number of scenarios; a failing one is shrunk and printed.

mod commands;
mod deeds;
mod device;
mod further_deeds;
mod http;
mod node;
mod oracle;
mod places;
mod reducer;
mod scenario;
mod view;
mod world;

use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use tokio::runtime::Builder;

use node::Node;
use scenario::Scenario;
use world::World;

const CASES: u32 = 24;
/// Scenarios tried to make a failing one smaller.
const SHRINKS: u32 = 200;

/// What a scenario broke, for people.
type Broken = String;

#[test]
fn a_snapshot_and_the_frames_after_it_make_the_fresh_snapshot() {
    let config = Config {
        cases: setting("PROPTEST_CASES").unwrap_or(CASES),
        max_shrink_iters: setting("PROPTEST_MAX_SHRINK_ITERS").unwrap_or(SHRINKS),
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&scenario::any_scenario(), |scenario| {
        hold(&scenario).map_err(|broken| TestCaseError::fail(broken.to_string()))
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, scenario)) => panic!("{reason}\nin the {scenario}"),
        Err(TestError::Abort(reason)) => panic!("no scenario could be run: {reason}"),
    }
}

fn setting(name: &str) -> Option<u32> {
    std::env::var(name).ok()?.parse().ok()
}

/// Plays a scenario on a server and a database of its own.
fn hold(scenario: &Scenario) -> Result<(), Broken> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let node = Node::start(scenario.lobby).await;
        let mut world = World::begin(node, scenario.lobby).await?;
        for op in &scenario.ops {
            world.perform(op).await?;
        }
        world.end().await
    })
}
