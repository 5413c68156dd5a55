//! The authorisation matrix: what every call answers to everyone. The table is committed; a call without a row fails.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{Account, Call, Community, PASSWORD, TestServer, in_hours, now};

/// Everyone there is, from the community's point of view.
const EVERYONE: [&str; 8] =
    ["anonymous", "outsider", "former member", "banned", "guest", "member", "moderator", "owner"];

struct Cast {
    accounts: BTreeMap<&'static str, Account>,
    /// An ordinary member to act on, and an account that is banned.
    target: Account,
    exile: Account,
}

/// A community in which everyone has their place.
struct Stage {
    community: Community,
    /// By `member`.
    message: String,
    /// In the thread below it.
    threaded: String,
    /// By `owner`.
    invite: String,
    /// Below `moderator`.
    role: String,
    /// Of the message, by `guest`.
    report: String,
}

impl Cast {
    async fn gather(server: &TestServer) -> Self {
        let mut accounts = BTreeMap::new();
        for role in EVERYONE.into_iter().skip(1) {
            accounts.insert(role, server.account(&role.replace(' ', "-")).await);
        }
        Self { accounts, target: server.account("target").await, exile: server.account("exile").await }
    }

    async fn set(&self, server: &TestServer) -> Stage {
        let of = |role: &str| &self.accounts[role];
        let owner = of("owner");
        let community = server.community(owner).await;
        let joining = ["former member", "banned", "guest", "member", "moderator"].map(of);
        server.join(&community, owner, &joining).await;
        server.join(&community, owner, &[&self.target]).await;
        server.set_roles(&community, owner, of("guest"), &["guest"]).await;
        server.set_roles(&community, owner, of("moderator"), &["moderator"]).await;
        let base = format!("/communities/{}", community.id);
        server.delete(&format!("{base}/members/me")).by(of("former member")).send().await.is(200);
        for banned in [of("banned"), &self.exile] {
            server.put(&format!("{base}/bans/{}", banned.id)).by(owner).send().await.is(200);
        }
        let path = format!("/channels/{}/messages", community.channel);
        let poll = json!({"options": ["yes", "no"]});
        let posted = server
            .post(&path)
            .by(of("member"))
            .json(json!({"content": "hello", "poll": poll}))
            .send()
            .await
            .is(201);
        let invite = server.invite(&community, owner).await;
        let roles = format!("{base}/roles");
        let made = server.post(&roles).by(owner).json(json!({"name": "role"})).send().await.is(201);
        let report = server.post(&format!("/messages/{}/reports", posted.text("/message/id")));
        let report = report.by(of("guest")).json(json!({"reason": "other"})).send().await.is(201);
        let thread = json!({"content": "below", "thread_id": posted.text("/message/id")});
        let threaded = server.post(&path).by(of("member")).json(thread).send().await.is(201);
        // From here on reads see all of it.
        server.patch("/me").by(owner).json(json!({"about": community.id})).send().await.is(200);
        let (message, report) = (posted.text("/message/id"), report.text("/report/id"));
        Stage {
            message,
            threaded: threaded.text("/message/id"),
            report,
            role: made.text("/role/id"),
            community,
            invite,
        }
    }
}

/// The call of an operation on a stage. Each says what it would do if it were allowed.
fn call<'a>(
    server: &'a TestServer,
    operation: &str,
    stage: &Stage,
    cast: &Cast,
    nth: usize,
) -> Option<Call<'a>> {
    let Stage { community: Community { id, channel }, message, threaded, invite, role, report } = stage;
    let (target, exile) = (&cast.target.id, &cast.exile.id);
    let community = format!("/communities/{id}");
    let nobody = "00000000-0000-7000-8000-000000000000";
    Some(match operation {
        "registerAccount" => server.post("/accounts").json(json!({
            "handle": format!("new{nth}"), "email": format!("new{nth}@example.org"), "password": PASSWORD,
        })),
        "logIn" => server.post("/sessions").json(json!({"login": "target", "password": PASSWORD})),
        "listSessions" => server.get("/sessions"),
        "endSession" => server.delete(&format!("/sessions/{nobody}")),
        "logOut" => server.delete("/sessions/current"),
        "changePassword" => {
            server.put("/me/password").json(json!({"current": "wrong horse", "new": PASSWORD}))
        }
        "showMe" => server.get("/me"),
        "changeProfile" => server.patch("/me").json(json!({"about": "x"})),
        "showAccount" => server.get(&format!("/accounts/{target}")),
        "createCommunity" => server.post("/communities").json(json!({"name": "own"})),
        "listCommunities" => server.get("/communities"),
        "showCommunity" => server.get(&community),
        "renameCommunity" => server.patch(&community).json(json!({"name": "renamed"})),
        "deleteCommunity" => server.delete(&community),
        "listMembers" => server.get(&format!("{community}/members")),
        "setRoles" => {
            server.patch(&format!("{community}/members/{target}")).json(json!({"roles": ["guest"]}))
        }
        "transferOwnership" => server.put(&format!("{community}/owner")).json(json!({"account": target})),
        "listRoles" => server.get(&format!("{community}/roles")),
        "createRole" => server.post(&format!("{community}/roles")).json(json!({"name": "new"})),
        "changeRole" => server.patch(&format!("{community}/roles/guest")).json(json!({"mentionable": true})),
        "deleteRole" => server.delete(&format!("{community}/roles/{role}")),
        "orderRoles" => server
            .put(&format!("{community}/roles/order"))
            .json(json!({"roles": ["guest", "member", role, "moderator"]})),
        "explainAccess" => server.get(&format!("/channels/{channel}/access/{target}")),
        "timeOutMember" => {
            server.put(&format!("{community}/members/{target}/time-out")).json(json!({"until": in_hours(1)}))
        }
        "endTimeOut" => server.delete(&format!("{community}/members/{target}/time-out")),
        "changeNickname" => {
            server.put(&format!("{community}/members/{target}/nickname")).json(json!({"nickname": "Nick"}))
        }
        "kickMember" => server.delete(&format!("{community}/members/{target}")),
        "leaveCommunity" => server.delete(&format!("{community}/members/me")),
        "listBans" => server.get(&format!("{community}/bans")),
        "banAccount" => server.put(&format!("{community}/bans/{target}")),
        "unbanAccount" => server.delete(&format!("{community}/bans/{exile}")),
        "createChannel" => server.post(&format!("{community}/channels")).json(json!({"name": "new"})),
        "showChannel" => server.get(&format!("/channels/{channel}")),
        "changeChannel" => server.patch(&format!("/channels/{channel}")).json(json!({"name": "changed"})),
        "orderChannels" => server
            .put(&format!("{community}/channel-order"))
            .json(json!({"channels": [{"id": channel, "category_id": null}]})),
        "overwriteRole" => server
            .put(&format!("/channels/{channel}/overwrites/roles/guest"))
            .json(json!({"allow": [], "deny": ["react"]})),
        "resetRole" => server.delete(&format!("/channels/{channel}/overwrites/roles/guest")),
        "overwriteAccount" => server
            .put(&format!("/channels/{channel}/overwrites/accounts/{target}"))
            .json(json!({"deny": ["react"]})),
        "resetAccount" => server.delete(&format!("/channels/{channel}/overwrites/accounts/{target}")),
        "openDirect" => server.post("/direct-channels").json(json!({"account": target})),
        "createGroup" => server.post("/group-channels").json(json!({"members": [target]})),
        // The community's channel is no group.
        "addGroupMember" => server.put(&format!("/channels/{channel}/members/{target}")),
        "removeGroupMember" => server.delete(&format!("/channels/{channel}/members/{target}")),
        "handGroupOver" => server.put(&format!("/channels/{channel}/owner")).json(json!({"account": target})),
        "listConversations" => server.get("/me/conversations"),
        "listBlocks" => server.get("/me/blocks"),
        "blockAccount" => server.put(&format!("/me/blocks/{target}")),
        "unblockAccount" => server.delete(&format!("/me/blocks/{target}")),
        "deleteChannel" => server.delete(&format!("/channels/{channel}")),
        "createInvite" => server.post(&format!("{community}/invites")).json(json!({})),
        "listInvites" => server.get(&format!("{community}/invites")),
        "previewInvite" => server.get(&format!("/invites/{invite}")),
        "revokeInvite" => server.delete(&format!("/invites/{invite}")),
        "redeemInvite" => server.post(&format!("/invites/{invite}/redemptions")),
        "postMessage" => server.post(&format!("/channels/{channel}/messages")).json(json!({"content": "x"})),
        "listMessages" => server.get(&format!("/channels/{channel}/messages")),
        "showMessage" => server.get(&format!("/messages/{message}")),
        "editMessage" => server.patch(&format!("/messages/{message}")).json(json!({"content": "y"})),
        "deleteMessage" => server.delete(&format!("/messages/{message}")),
        "listVersions" => server.get(&format!("/messages/{message}/versions")),
        "forwardMessage" => {
            server.post(&format!("/messages/{message}/forwards")).json(json!({"channel_id": channel}))
        }
        "deleteMessages" => server
            .post(&format!("/channels/{channel}/messages/bulk-delete"))
            .json(json!({"messages": [message]})),
        "listThread" => server.get(&format!("/messages/{message}/thread")),
        "followThread" => server.put(&format!("/messages/{message}/thread/follow")),
        "unfollowThread" => server.delete(&format!("/messages/{message}/thread/follow")),
        "moveThreadReadMarker" => {
            server.put(&format!("/messages/{message}/thread/read-marker")).json(json!({"message": threaded}))
        }
        "listThreads" => server.get("/me/threads"),
        "listMentions" => server.get("/me/mentions"),
        "pinMessage" => server.put(&format!("/messages/{message}/pin")),
        "unpinMessage" => server.delete(&format!("/messages/{message}/pin")),
        "listPins" => server.get(&format!("/channels/{channel}/pins")),
        "addReaction" => server.put(&format!("/messages/{message}/reactions/:tada:")),
        "removeReaction" => server.delete(&format!("/messages/{message}/reactions/:tada:")),
        "clearReactions" => server.delete(&format!("/messages/{message}/reactions")),
        "listReactors" => server.get(&format!("/messages/{message}/reactions/:tada:")),
        "vote" => server.put(&format!("/messages/{message}/poll/vote")).json(json!({"options": [0]})),
        "withdrawVote" => server.delete(&format!("/messages/{message}/poll/vote")),
        "closePoll" => server.post(&format!("/messages/{message}/poll/close")),
        "listVoters" => server.get(&format!("/messages/{message}/poll/votes/0")),
        "listEmoji" => server.get("/emoji"),
        "listReadStates" => server.get("/me/read-states"),
        "moveReadMarker" => {
            server.put(&format!("/channels/{channel}/read-marker")).json(json!({"message": message}))
        }
        "listReceipts" => server.get(&format!("/channels/{channel}/receipts")),
        "moveDeliveryMarker" => {
            server.put(&format!("/channels/{channel}/delivery-marker")).json(json!({"message": message}))
        }
        "showPrivacy" => server.get("/me/privacy"),
        "changePrivacy" => server.patch("/me/privacy").json(json!({"read_receipts": true})),
        "listNotificationSettings" => server.get("/me/notification-settings"),
        "setCommunityNotifications" => {
            server.put(&format!("{community}/notification-settings")).json(json!({"level": "mentions"}))
        }
        "resetCommunityNotifications" => server.delete(&format!("{community}/notification-settings")),
        "showChannelNotifications" => server.get(&format!("/channels/{channel}/notification-settings")),
        "setChannelNotifications" => {
            server.put(&format!("/channels/{channel}/notification-settings")).json(json!({"muted": true}))
        }
        "resetChannelNotifications" => server.delete(&format!("/channels/{channel}/notification-settings")),
        "showPresence" => server.get(&format!("/presence?accounts={target}")),
        "showOwnPresence" => server.get("/me/presence"),
        "setPresence" => server.put("/me/presence").json(json!({"status": "away"})),
        "showCommunityPresence" => server.get(&format!("{community}/presence")),
        "keepDraft" => server.put(&format!("/channels/{channel}/draft")).json(json!({"content": "x"})),
        "dropDraft" => server.delete(&format!("/channels/{channel}/draft")),
        "listDrafts" => server.get("/me/drafts"),
        "saveMessage" => server.put(&format!("/me/saved-messages/{message}")),
        "unsaveMessage" => server.delete(&format!("/me/saved-messages/{message}")),
        "listSavedMessages" => server.get("/me/saved-messages"),
        "scheduleMessage" => {
            let send_at = now().saturating_add(jiff::SignedDuration::from_hours(24));
            let body = json!({"content": "x", "send_at": send_at.expect("tomorrow is a time")});
            server.post(&format!("/channels/{channel}/scheduled-messages")).json(body)
        }
        "listScheduledMessages" => server.get("/me/scheduled-messages"),
        "changeScheduledMessage" => {
            server.patch(&format!("/scheduled-messages/{nobody}")).json(json!({"content": "y"}))
        }
        "cancelScheduledMessage" => server.delete(&format!("/scheduled-messages/{nobody}")),
        "reportMessage" => {
            server.post(&format!("/messages/{message}/reports")).json(json!({"reason": "spam"}))
        }
        "listReports" => server.get(&format!("{community}/reports")),
        "showReport" => server.get(&format!("/reports/{report}")),
        "changeReport" => server.patch(&format!("/reports/{report}")).json(json!({"state": "resolved"})),
        "listAuditLog" => server.get(&format!("{community}/audit-log")),
        "showBootstrap" => server.get("/bootstrap"),
        "signalTyping" => server.post(&format!("/channels/{channel}/typing")),
        "streamEvents" => server.get("/events/stream"),
        "pollEvents" => server.get("/events?wait=0"),
        _ => return None,
    })
}

/// Each operation of the contract as (call, id), in the document's order.
fn operations() -> Vec<(String, String)> {
    let document = api::document();
    let paths = document["paths"].as_object().expect("paths");
    let operation = |path: &str, method: &str, operation: &Value| {
        let id = operation["operationId"].as_str().expect("an id").to_owned();
        (format!("{} {path}", method.to_uppercase()), id)
    };
    paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().expect("methods").iter().map(move |(method, op)| operation(path, method, op))
        })
        .collect()
}

/// Reads change nothing: all of them can share a stage.
fn changes_nothing(call: &str) -> bool {
    call.starts_with("GET ")
}

async fn row(
    server: &TestServer,
    cast: &Cast,
    shared: &Stage,
    call_name: &str,
    id: &str,
    first: usize,
) -> String {
    let mut row = format!("| `{call_name}` | {id} |");
    for (column, role) in EVERYONE.into_iter().enumerate() {
        let own;
        let stage = if changes_nothing(call_name) {
            shared
        } else {
            own = cast.set(server).await;
            &own
        };
        let call = call(server, id, stage, cast, first + column);
        let mut call = call.unwrap_or_else(|| panic!("{id} has no row: add it to `call`"));
        if let Some(account) = cast.accounts.get(role) {
            // A session of its own, for the calls that end it.
            let token =
                if id == "logOut" { server.log_in(&account.handle).await } else { account.token.clone() };
            call = call.bearer(&token);
        }
        let status = call.open().await.status().as_u16();
        write!(row, " {status} |").expect("a string takes all");
    }
    row
}

#[tokio::test]
async fn the_authorisation_matrix_is_as_committed() {
    let server = TestServer::start_with(|config| config.community.default_community.0 = None).await;
    let cast = Cast::gather(&server).await;
    let shared = cast.set(&server).await;
    let mut table = String::from(
        "# Who may do what\n\nThe status that each call answers, by who asks. The message is the member's, the invite the \
         owner's, the account acted on an ordinary member.\nMade by `tests/suite/authorisation.rs`; with \
         `UPDATE_AUTHORISATION=1` it is written anew.\n\n| call | operation |",
    );
    table.push_str(&EVERYONE.map(|role| format!(" {role} |")).concat());
    table.push_str("\n|---|---|");
    table.push_str(&"---|".repeat(EVERYONE.len()));
    table.push('\n');
    for (number, (call_name, id)) in operations().iter().enumerate() {
        table.push_str(&row(&server, &cast, &shared, call_name, id, number * 10).await);
        table.push('\n');
    }

    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/authorisation.md");
    if std::env::var_os("UPDATE_AUTHORISATION").is_some() {
        std::fs::write(&path, &table).expect("the table is written");
    }
    let committed = std::fs::read_to_string(&path).expect("tests/authorisation.md is committed");
    let changed: Vec<_> =
        table.lines().filter(|line| !committed.lines().any(|other| other == *line)).collect();
    assert!(
        table == committed,
        "the matrix changed (UPDATE_AUTHORISATION=1 writes it):\n{}",
        changed.join("\n")
    );
}
