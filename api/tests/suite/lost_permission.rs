//! Whoever loses sight of something gets nothing more of it, by any way: random histories of permissions, held after
//! each step against an oracle that knows only the rules of `docs/API.md`.

mod oracle;
mod play;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use oracle::{CHANNELS, PEOPLE, ROLES};
use play::Play;

/// What the owner does to the permissions of others.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Lets a role view channels, or not.
    Grant {
        role: usize,
        view: bool,
    },
    /// Which roles a member has, by bits; `member` if none.
    Assign {
        who: usize,
        roles: usize,
    },
    /// An overwrite of `view` for a role, an account, …
    Overwrite {
        channel: usize,
        target: Target,
        view: Option<bool>,
    },
    Private {
        channel: usize,
        private: bool,
    },
    /// … and coming and going.
    Kick {
        who: usize,
    },
    Ban {
        who: usize,
    },
    Join {
        who: usize,
    },
    /// The custom roles change places.
    Reorder {
        swapped: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Role(usize),
    Account(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..PEOPLE;
    let channel = || 0..CHANNELS;
    let target = prop_oneof![(0..ROLES).prop_map(Target::Role), who().prop_map(Target::Account)];
    let view = prop_oneof![Just(None), any::<bool>().prop_map(Some)];
    prop_oneof![
        3 => (0..ROLES, any::<bool>()).prop_map(|(role, view)| Step::Grant { role, view }),
        3 => (who(), 0..1_usize << ROLES).prop_map(|(who, roles)| Step::Assign { who, roles }),
        5 => (channel(), target, view)
            .prop_map(|(channel, target, view)| Step::Overwrite { channel, target, view }),
        3 => (channel(), any::<bool>()).prop_map(|(channel, private)| Step::Private { channel, private }),
        1 => who().prop_map(|who| Step::Kick { who }),
        1 => who().prop_map(|who| Step::Ban { who }),
        3 => who().prop_map(|who| Step::Join { who }),
        1 => any::<bool>().prop_map(|swapped| Step::Reorder { swapped }),
    ]
}

#[test]
fn who_may_not_see_something_any_more_gets_nothing_of_it_by_any_way() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(6);
    let config = Config { cases, max_shrink_iters: 60, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&vec(step().no_shrink(), 1..16), |steps| {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(play(&steps)).map_err(TestCaseError::fail)
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, steps)) => panic!("{reason}\nafter {steps:#?}"),
        Err(TestError::Abort(reason)) => panic!("no history could be played: {reason}"),
    }
}

async fn play(steps: &[Step]) -> Result<(), String> {
    let mut play = Play::begin().await?;
    for (number, step) in steps.iter().enumerate() {
        play.take(step).await?;
        play.check().await.map_err(|leak| format!("after step {number}, {step:?}: {leak}"))?;
    }
    play.end().await
}
