//! The SDK against the committed OpenAPI document.
//!
//! [`table`] has one row per call. Each is made for real against a server that plays the document: it refuses what the
//! document doesn't know, and answers with samples made from the schemas, once with everything and once with the least
//! that is required. So a field that the SDK needs and the contract doesn't promise, a type that differs, a parameter
//! or a path that isn't there, all fail here.

use std::fs;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use client::{
    AuditBound, AuditQuery, ChannelChange, ChannelKind, ChannelPlace, Client, Cursor, Error, Forward,
    MessageQuery, NewAccount, NewBan, NewChannel, NewInvite, NewMessage, NewReport, NewRole, NewSession,
    Options, Overwrite, OverwriteTarget, Paging, Place, ProfileChange, ReportChange, ReportQuery, RoleChange,
    Secret,
};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::schema::{Document, Sample};
use crate::server::{Asked, Reply, Server};

type Answer = Pin<Box<dyn Future<Output = Result<Value, Error>>>>;
type Call = (&'static str, fn(Client) -> Answer);

/// A row: the method's name, checked against the sources, and the call with every field and parameter set.
macro_rules! calls {
    ($($name:ident($($argument:expr),*);)*) => {
        vec![$((stringify!($name), |client: Client| -> Answer {
            Box::pin(async move { answer(client.$name($($argument),*).await) })
        } as fn(Client) -> Answer)),*]
    };
}

fn answer<T: Serialize>(answer: Result<T, Error>) -> Result<Value, Error> {
    answer.map(|answer| serde_json::to_value(answer).unwrap())
}

const ID: Uuid = Uuid::from_u128(1);

fn page() -> Paging {
    Paging { after: Some(Cursor::from("x")), limit: Some(10) }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn table() -> Vec<Call> {
    calls! {
        register(&NewAccount { handle: "ada".into(), email: "a@b.c".into(), password: "p".into(),
            display_name: some("Ada") });
        me();
        change_profile(&ProfileChange { display_name: some("Ada"), about: some("x") });
        change_password(&Secret::from("a"), &Secret::from("b"));
        account(ID);
        log_in(&NewSession { device: some("test"), ..NewSession::new("ada", "p") });
        sessions();
        end_session(ID);
        log_out();
        create_community("x");
        communities();
        community(ID);
        rename_community(ID, "x");
        delete_community(ID);
        transfer_ownership(ID, ID);
        roles(ID);
        create_role(ID, &NewRole { name: "x".into(), colour: some("#000000"), permissions: Some(vec!["view".into()]),
            mentionable: Some(true) });
        change_role(ID, "guest", &RoleChange { name: some("x"), colour: some(""), permissions: Some(vec![]),
            mentionable: Some(true) });
        delete_role(ID, "x");
        order_roles(ID, &["guest", "member", "moderator"]);
        explain_access(ID, ID);
        members(ID, &page());
        set_roles(ID, ID, &["member"]);
        kick(ID, ID, Some("x"));
        time_out(ID, ID, jiff::Timestamp::UNIX_EPOCH, Some("x"));
        end_time_out(ID, ID);
        change_nickname(ID, ID, "x");
        leave(ID);
        bans(ID);
        ban(ID, ID, &NewBan { reason: some("x"), expires_at: Some(jiff::Timestamp::UNIX_EPOCH) });
        unban(ID, ID);
        create_channel(ID, &NewChannel { name: "x".into(), kind: Some(ChannelKind::Text), topic: some("x"),
            category_id: Some(ID), private: Some(true),
            overwrites: Some(vec![Overwrite { role: some("guest"), ..Overwrite::default() }]) });
        channel(ID);
        change_channel(ID, &ChannelChange { name: some("x"), topic: some("x"), category_id: Some(Some(ID)),
            private: Some(true), slow_mode: Some(5), archived: Some(false) });
        overwrite_channel(ID, &OverwriteTarget::Role("guest".to_owned()), &["view"], &["post"]);
        order_channels(ID, &[ChannelPlace { id: ID, category_id: Some(ID) }]);
        conversations();
        open_direct(ID);
        create_group(Some("us"), &[ID]);
        add_group_member(ID, ID);
        remove_group_member(ID, ID);
        hand_group_over(ID, ID);
        blocks();
        block_account(ID);
        unblock_account(ID);
        delete_channel(ID);
        signal_typing(ID);
        create_invite(ID, &NewInvite { max_uses: Some(1), expires_in: Some(60) });
        invites(ID);
        invite("code");
        revoke_invite("code");
        redeem_invite("code");
        post_message(ID, &NewMessage::reply(ID, "x"));
        messages(ID, &MessageQuery { before: Some(Place::Message(ID)), after: Some(Place::Message(ID)),
            around: Some(Place::Message(ID)), at: Some(jiff::Timestamp::UNIX_EPOCH), limit: Some(1) });
        message(ID);
        edit_message(ID, "x");
        delete_message(ID);
        message_versions(ID);
        thread(ID, &MessageQuery { limit: Some(1), ..MessageQuery::default() });
        follow_thread(ID);
        unfollow_thread(ID);
        mark_thread_read(ID, ID);
        followed_threads(Some(&Cursor::from("x")), Some(1));
        mentions(Some(&Cursor::from("x")), Some(1));
        forward_message(ID, &Forward { channel_id: ID, content: some("x") });
        delete_messages(ID, &[ID]);
        read_states();
        mark_read(ID, ID);
        mark_unread(ID, ID);
        report_message(ID, &NewReport { reason: "spam".into(), text: some("x") });
        reports(ID, &ReportQuery { state: some("open"), before: Some(Cursor::from("x")), limit: Some(1) });
        report(ID);
        change_report(ID, &ReportChange { state: "resolved".into(), note: some("x") });
        audit_log(ID, &AuditQuery { action: some("role"), actor: Some(ID), target: Some(ID),
            before: Some(AuditBound::Time(jiff::Timestamp::UNIX_EPOCH)),
            after: Some(AuditBound::Entry(Cursor::from("x"))), limit: Some(1) });
        bootstrap();
        poll_events(Some(&Cursor::from("x")), Duration::ZERO, Some(1));
    }
}

/// What is wrong with a request, and the document's sample answer.
fn play(document: &Document, sample: Sample, asked: &Asked) -> Result<Reply, Vec<String>> {
    let call = asked.call();
    let Some(operation) = document.operation(&asked.method, &asked.path) else {
        return Err(vec![format!("{call}: not in the contract")]);
    };
    let mut faults = Vec::new();
    let known = document.parameters(&operation, "query");
    for name in asked.query.keys().filter(|name| !known.contains(name)) {
        faults.push(format!("{call}: the query parameter `{name}` is not in the contract"));
    }
    match (document.request_body(operation.value), asked.body.is_null()) {
        (Some(schema), _) => document.faults(schema, &asked.body, "request", &mut faults),
        (None, true) => {}
        (None, false) => faults.push("request: the contract has no body".to_owned()),
    }
    let Some((status, schema)) = document.success(operation.value) else {
        return Err(vec![format!("{call}: the contract has no success")]);
    };
    if faults.is_empty() {
        Ok(match schema {
            Some(schema) => Reply::json(status, &document.sample(schema, sample)),
            None => Reply::empty(status),
        })
    } else {
        Err(faults)
    }
}

async fn check(document: Document, table: Vec<Call>) -> Vec<String> {
    let document = Arc::new(document);
    let mut all = Vec::new();
    for sample in [Sample::Full, Sample::Least] {
        let found = Arc::new(Mutex::new(Vec::new()));
        let (play_by, log) = (Arc::clone(&document), Arc::clone(&found));
        let server = Server::start(move |asked| {
            let reply = play(&play_by, sample, &asked).unwrap_or_else(|faults| {
                log.lock().unwrap().extend(faults);
                Reply::problem(400, "not_in_contract")
            });
            async move { reply }
        })
        .await;
        let client = Client::with_options(&server.url, Options::default()).unwrap().with_token("t");
        for (name, call) in &table {
            let outcome = call(client.clone()).await;
            let mut faults = std::mem::take(&mut *found.lock().unwrap());
            match outcome {
                Ok(kept) if sample == Sample::Full => {
                    let asked = server.asked().pop().unwrap();
                    let operation = document.operation(&asked.method, &asked.path).unwrap();
                    if let Some((_, Some(schema))) = document.success(operation.value) {
                        missing(&document.sample(schema, sample), &kept, "answer", &mut faults);
                    }
                }
                Err(error) if faults.is_empty() => faults.push(format!("answer: {error}")),
                _ => {}
            }
            all.extend(faults.into_iter().map(|fault| format!("{name} ({sample:?}): {fault}")));
        }
    }
    all
}

/// Fields the SDK keeps that the full sample doesn't have, or has otherwise. What the SDK doesn't keep is no fault.
fn missing(sent: &Value, kept: &Value, at: &str, faults: &mut Vec<String>) {
    match (sent, kept) {
        (Value::Object(sent), Value::Object(kept)) => {
            for (name, kept) in kept {
                match sent.get(name) {
                    Some(sent) => missing(sent, kept, &format!("{at}/{name}"), faults),
                    None => faults.push(format!("{at}/{name}: is not in the contract")),
                }
            }
        }
        (Value::Array(sent), Value::Array(kept)) => {
            for (n, (sent, kept)) in sent.iter().zip(kept).enumerate() {
                missing(sent, kept, &format!("{at}/{n}"), faults);
            }
        }
        _ if sent == kept => {}
        _ => faults.push(format!("{at}: the contract has {sent}, the SDK makes {kept} of it")),
    }
}

#[tokio::test]
async fn types_match_contract() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/openapi.json");
    let text = fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("the contract openapi/openapi.json is needed: {error}"));
    let document = Document(serde_json::from_str(&text).unwrap());
    let mut faults = check(document, table()).await;
    let document = Document(serde_json::from_str(&text).unwrap());
    if document.operation("GET", "/v1/events/stream").is_none() {
        faults.push("live: GET /v1/events/stream: not in the contract".to_owned());
    }
    assert!(faults.is_empty(), "{} differences:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_table_has_every_call_of_the_sources() {
    let table: Vec<_> = table().into_iter().map(|(name, _)| name).collect();
    let nouns = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let files = fs::read_dir(nouns).unwrap().map(|file| file.unwrap().path()).filter(|path| path.is_file());
    let mut found = 0;
    for file in files.chain([format!("{nouns}/live/mod.rs").into()]) {
        let source = fs::read_to_string(file).unwrap();
        for function in source.split("pub fn ").skip(1) {
            let signature = function.split('{').next().unwrap();
            if signature.contains("&self")
                && (signature.contains("-> Command<") || signature.contains("-> Read<"))
            {
                let name = signature.split('(').next().unwrap();
                assert!(table.contains(&name), "`{name}` has no row in the table");
                found += 1;
            }
        }
    }
    assert_eq!(found, table.len());
}

/// A document for one call, which the tests below spoil in one way each.
fn small_document() -> Value {
    json!({"paths": {"/v1/messages/{id}": {
        "patch": {
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Edit"}}}},
            "responses": {"200": {"content": {"application/json": {"schema":
                {"type": "object", "required": ["message", "position"], "properties": {
                    "message": {"$ref": "#/components/schemas/Message"}, "position": {"type": "string"}}}}}}},
        }}},
        "components": {"schemas": {
            "Edit": {"type": "object", "required": ["content"], "properties": {"content": {"type": "string"}}},
            "Time": {"type": "string", "format": "date-time"},
            "Message": {"type": "object", "required": ["id", "channel_id", "author_id", "content", "reply_to",
                "created_at", "edited_at", "deleted_at", "reactions", "pinned"], "properties": {
                "id": {"type": "string", "format": "uuid"}, "channel_id": {"type": "string", "format": "uuid"},
                "author_id": {"type": "string", "format": "uuid"}, "content": {"type": ["string", "null"]},
                "reply_to": {"type": ["string", "null"], "format": "uuid"},
                "created_at": {"$ref": "#/components/schemas/Time"},
                "edited_at": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Time"}]},
                "deleted_at": {"type": ["string", "null"], "format": "date-time"},
                "reactions": {"type": "array", "items": {}}, "pinned": {"type": "boolean"},
                "mentions": {"type": "object", "required": ["accounts", "roles", "everyone", "here"], "properties": {
                    "accounts": {"type": "array", "items": {"type": "string", "format": "uuid"}},
                    "roles": {"type": "array", "items": {"type": "string"}},
                    "everyone": {"type": "boolean"}, "here": {"type": "boolean"}}},
                "thread": {"oneOf": [{"type": "null"}, {"type": "object",
                    "required": ["replies", "last_reply_at", "participants"], "properties": {
                    "replies": {"type": "integer"}, "last_reply_at": {"$ref": "#/components/schemas/Time"},
                    "participants": {"type": "array", "items": {"type": "string", "format": "uuid"}}}}]},
                "thread_id": {"type": ["string", "null"], "format": "uuid"},
                "forwarded": {"oneOf": [{"type": "null"}, {"type": "object",
                    "required": ["message_id", "channel_id", "author_id", "created_at", "content"], "properties": {
                    "message_id": {"type": "string", "format": "uuid"},
                    "channel_id": {"type": "string", "format": "uuid"},
                    "author_id": {"type": "string", "format": "uuid"},
                    "created_at": {"$ref": "#/components/schemas/Time"},
                    "content": {"type": ["string", "null"]}}}]}}}}}})
}

async fn spoilt(pointer: impl AsRef<str>, change: impl FnOnce(&mut Value)) -> String {
    let mut document = small_document();
    change(document.pointer_mut(pointer.as_ref()).unwrap());
    let rows = table().into_iter().filter(|(name, _)| *name == "edit_message").collect();
    check(Document(document), rows).await.join("\n")
}

#[tokio::test]
async fn the_check_notices_differences() {
    let message = "/components/schemas/Message";
    assert_eq!(spoilt("", |_| {}).await, "");
    let faults = spoilt("/paths", |paths| *paths = json!({})).await;
    assert!(faults.contains("PATCH /v1/messages/00000000-0000-0000-0000-000000000001: not in the contract"));
    let faults = spoilt("/components/schemas/Edit/properties", |fields| {
        *fields = json!({"text": {"type": "string"}});
    });
    assert!(faults.await.contains("request/content: is not in the contract"));
    let faults = spoilt("/components/schemas/Edit/required", |names| *names = json!(["content", "reason"]));
    assert!(faults.await.contains("request/reason: is required and missing"));
    let faults = spoilt(format!("{message}/required"), |names| *names = json!(["id"]));
    assert!(faults.await.contains("(Least): answer: the answer could not be understood: missing field"));
    let faults =
        spoilt(format!("{message}/properties/author_id"), |field| *field = json!({"type": "integer"}));
    assert!(faults.await.contains("invalid type: integer"));
    let faults =
        spoilt(format!("{message}/properties/channel_id/type"), |kind| *kind = json!(["string", "null"]));
    assert!(faults.await.contains("(Least): answer: the answer could not be understood: invalid type: null"));
    let faults = spoilt(format!("{message}/properties"), |fields| {
        fields.as_object_mut().unwrap().remove("edited_at");
    });
    assert!(faults.await.contains("answer/message/edited_at: is not in the contract"));
}
