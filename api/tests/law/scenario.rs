//! Random scenarios: lists of small operations, so that they can be made smaller when they fail.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;

/// Chooses among what exists when the operation is performed.
pub(crate) type Pick = u16;

#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    /// Whether new accounts land in a community together.
    pub(crate) lobby: bool,
    pub(crate) ops: Vec<Op>,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "scenario with{} a lobby:", if self.lobby { "" } else { "out" })?;
        self.ops.iter().try_for_each(|op| writeln!(f, "    {op:?},"))
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Op {
    Register,
    ChangeProfile {
        by: Pick,
        what: Pick,
    },
    CreateCommunity {
        by: Pick,
    },
    RenameCommunity {
        by: Pick,
        community: Pick,
    },
    DeleteCommunity {
        by: Pick,
        community: Pick,
    },
    CreateChannel {
        by: Pick,
        community: Pick,
    },
    ChangeChannel {
        by: Pick,
        channel: Pick,
        what: Pick,
    },
    DeleteChannel {
        by: Pick,
        channel: Pick,
    },
    Invite {
        by: Pick,
        community: Pick,
        once: bool,
    },
    Redeem {
        by: Pick,
        invite: Pick,
    },
    Revoke {
        by: Pick,
        invite: Pick,
    },
    /// An invite and its redemption.
    Join {
        account: Pick,
        community: Pick,
    },
    Leave {
        by: Pick,
        community: Pick,
    },
    Kick {
        by: Pick,
        community: Pick,
        account: Pick,
    },
    Ban {
        by: Pick,
        community: Pick,
        account: Pick,
    },
    Unban {
        by: Pick,
        community: Pick,
        account: Pick,
    },
    SetRoles {
        by: Pick,
        community: Pick,
        account: Pick,
        roles: Pick,
    },
    Post {
        by: Pick,
        channel: Pick,
    },
    Reply {
        by: Pick,
        message: Pick,
    },
    Edit {
        by: Pick,
        message: Pick,
    },
    Delete {
        by: Pick,
        message: Pick,
    },
    /// What is called as JSON.
    Do {
        deed: Deed,
        picks: (Pick, Pick, Pick),
    },
    /// One more device of an account.
    AddDevice {
        account: Pick,
        habits: Habits,
    },
    Connect {
        device: Pick,
        over: Over,
    },
    Disconnect {
        device: Pick,
    },
    /// Holds one device to the law.
    Check {
        device: Pick,
    },
    /// The server ends and starts again: what is missed then comes from the log, not from memory.
    Restart,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    CreateRole,
    ChangeRole,
    DeleteRole,
    /// Two of the community's roles to one member.
    GiveRoles,
    /// Who may view a channel.
    Overwrite,
    Private,
    Transfer,
    Nickname,
    React,
    Pin,
    Thread,
    Direct,
    Group,
    /// Adds somebody to a group, or removes them.
    Regroup,
    /// Posts in a conversation.
    Talk,
    /// Posts a poll, or votes in the last one, or closes it.
    Poll,
    Forward,
    /// Deletes two messages at once.
    Sweep,
    /// Archives a channel, or opens it again.
    Archive,
    /// Reverses the order of a community's channels.
    Order,
    TimeOut,
    Block,
}

impl Deed {
    /// Each as often as it is worth.
    const ALL: [(u32, Self); 22] = [
        (2, Self::CreateRole),
        (3, Self::ChangeRole),
        (1, Self::DeleteRole),
        (4, Self::GiveRoles),
        (7, Self::Overwrite),
        (4, Self::Private),
        (1, Self::Transfer),
        (2, Self::Nickname),
        (6, Self::React),
        (3, Self::Pin),
        (4, Self::Thread),
        (3, Self::Direct),
        (2, Self::Group),
        (3, Self::Regroup),
        (5, Self::Talk),
        (5, Self::Poll),
        (2, Self::Forward),
        (1, Self::Sweep),
        (2, Self::Archive),
        (2, Self::Order),
        (2, Self::TimeOut),
        (1, Self::Block),
    ];
}

/// How a device receives.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Over {
    Sse,
    LongPoll { limit: u8 },
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// Applies frames as they come; else when it disconnects or is checked.
    pub(crate) eager: bool,
    /// Fetches histories as soon as it has the bootstrap; else with the first frames.
    pub(crate) prompt: bool,
}

/// About 40 operations. A scenario is made smaller by leaving operations out: other picks would be other scenarios.
pub(crate) fn any_scenario() -> impl Strategy<Value = Scenario> {
    (any::<bool>(), vec(any_op().no_shrink(), 0..80)).prop_map(|(lobby, ops)| Scenario { lobby, ops })
}

fn any_over() -> impl Strategy<Value = Over> {
    prop_oneof![Just(Over::Sse), prop_oneof![1_u8..4, Just(200)].prop_map(|limit| Over::LongPoll { limit }),]
}

fn any_habits() -> impl Strategy<Value = Habits> {
    (any::<bool>(), any::<bool>()).prop_map(|(eager, prompt)| Habits { eager, prompt })
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        40 => talk(),
        30 => people(),
        14 => places(),
        40 => deeds(),
        30 => devices(),
    ]
}

fn deeds() -> impl Strategy<Value = Op> {
    let all = Deed::ALL.into_iter().flat_map(|(weight, deed)| std::iter::repeat_n(deed, weight as usize));
    let deed = proptest::sample::select(all.collect::<Vec<_>>());
    (deed, picks()).prop_map(|(deed, picks)| Op::Do { deed, picks })
}

fn talk() -> impl Strategy<Value = Op> {
    prop_oneof![
        10 => picks().prop_map(|(by, channel, _)| Op::Post { by, channel }),
        3 => picks().prop_map(|(by, message, _)| Op::Reply { by, message }),
        4 => picks().prop_map(|(by, message, _)| Op::Edit { by, message }),
        4 => picks().prop_map(|(by, message, _)| Op::Delete { by, message }),
    ]
}

fn people() -> impl Strategy<Value = Op> {
    prop_oneof![
        1 => Just(Op::Register),
        5 => picks().prop_map(|(by, what, _)| Op::ChangeProfile { by, what }),
        8 => picks().prop_map(|(account, community, _)| Op::Join { account, community }),
        2 => (picks(), any::<bool>()).prop_map(|((by, community, _), once)| Op::Invite { by, community, once }),
        3 => picks().prop_map(|(by, invite, _)| Op::Redeem { by, invite }),
        1 => picks().prop_map(|(by, invite, _)| Op::Revoke { by, invite }),
        4 => picks().prop_map(|(by, community, _)| Op::Leave { by, community }),
        4 => picks().prop_map(|(by, community, account)| Op::Kick { by, community, account }),
        3 => picks().prop_map(|(by, community, account)| Op::Ban { by, community, account }),
        3 => picks().prop_map(|(by, community, account)| Op::Unban { by, community, account }),
        6 => (picks(), any::<Pick>())
            .prop_map(|((by, community, account), roles)| Op::SetRoles { by, community, account, roles }),
    ]
}

fn places() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => any::<Pick>().prop_map(|by| Op::CreateCommunity { by }),
        3 => picks().prop_map(|(by, community, _)| Op::RenameCommunity { by, community }),
        1 => picks().prop_map(|(by, community, _)| Op::DeleteCommunity { by, community }),
        4 => picks().prop_map(|(by, community, _)| Op::CreateChannel { by, community }),
        4 => picks().prop_map(|(by, channel, what)| Op::ChangeChannel { by, channel, what }),
        2 => picks().prop_map(|(by, channel, _)| Op::DeleteChannel { by, channel }),
    ]
}

fn devices() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (any::<Pick>(), any_habits()).prop_map(|(account, habits)| Op::AddDevice { account, habits }),
        8 => (any::<Pick>(), any_over()).prop_map(|(device, over)| Op::Connect { device, over }),
        7 => any::<Pick>().prop_map(|device| Op::Disconnect { device }),
        3 => any::<Pick>().prop_map(|device| Op::Check { device }),
        4 => Just(Op::Restart),
    ]
}

fn picks() -> impl Strategy<Value = (Pick, Pick, Pick)> {
    any::<(Pick, Pick, Pick)>()
}

#[cfg(test)]
mod tests {
    use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

    use super::*;

    #[test]
    fn a_failing_scenario_shrinks_to_the_operations_that_matter() {
        let config = Config { cases: 256, failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config).run(&any_scenario(), |scenario| {
            let restarts = scenario.ops.iter().filter(|op| matches!(op, Op::Restart)).count();
            if restarts < 2 { Ok(()) } else { Err(TestCaseError::fail("restarted twice")) }
        });
        let Err(TestError::Fail(_, scenario)) = outcome else { panic!("some scenario restarts twice") };
        assert!(matches!(scenario.ops[..], [Op::Restart, Op::Restart]), "{scenario}");
    }
}
