//! A server with one community, in memory: enough of the contract to chat on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use uuid::Uuid;

use crate::server::{Asked, Reply, Server};

pub(crate) const ADA: Uuid = Uuid::from_u128(1);
pub(crate) const BOB: Uuid = Uuid::from_u128(2);
pub(crate) const GENERAL: Uuid = Uuid::from_u128(11);
pub(crate) const NEWS: Uuid = Uuid::from_u128(12);
const COMMUNITY: Uuid = Uuid::from_u128(21);
const TIME: &str = "2026-01-01T12:00:00.000000Z";

pub(crate) struct House {
    state: Mutex<State>,
    frames: watch::Sender<Vec<Value>>,
}

#[derive(Default)]
struct State {
    messages: Vec<Value>,
    answers: HashMap<String, Value>,
    /// Commands to carry out without answering.
    mute: usize,
    logged_out: bool,
}

impl House {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), frames: watch::Sender::default() })
    }

    pub(crate) async fn open(self: &Arc<Self>) -> Server {
        self.open_on(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn open_on(self: &Arc<Self>, listener: TcpListener) -> Server {
        let house = Arc::clone(self);
        Server::on(listener, move |asked| Arc::clone(&house).answer(asked))
    }

    /// Carries out the next commands but doesn't answer them.
    pub(crate) fn mute(&self, commands: usize) {
        self.state.lock().unwrap().mute = commands;
    }

    pub(crate) fn contents(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state.messages.iter().map(|message| message["content"].as_str().unwrap_or("-").to_owned()).collect()
    }

    pub(crate) fn post(&self, channel: Uuid, author: Uuid, content: &str, reply_to: Option<&Value>) -> Value {
        let message = {
            let mut state = self.state.lock().unwrap();
            let id = Uuid::from_u128(100 + state.messages.len() as u128);
            let message = json!({"id": id, "channel_id": channel, "author_id": author, "content": content,
                "reply_to": reply_to, "created_at": TIME, "edited_at": null, "deleted_at": null, "reactions": [],
                "pinned": false});
            state.messages.push(message.clone());
            message
        };
        self.happen("message.posted", &message);
        message
    }

    pub(crate) fn happen(&self, kind: &str, data: &Value) {
        self.frames.send_modify(|frames| {
            let id = format!("c{}", frames.len() + 1);
            frames.push(json!({"type": kind, "id": id, "time": TIME, "topic": "channel:x", "data": data}));
        });
    }

    async fn answer(self: Arc<Self>, asked: Asked) -> Reply {
        if asked.call() == "POST /v1/sessions" {
            return log_in(&asked);
        }
        let logged_out = self.state.lock().unwrap().logged_out;
        if logged_out || asked.header("authorization") != Some("Bearer token-of-ada") {
            return Reply::problem(401, "unauthenticated");
        }
        if asked.path == "/v1/events/stream" {
            return self.stream(&asked);
        }
        if asked.method == "GET" {
            return self.read(&asked);
        }
        let key = asked.header("idempotency-key").unwrap().to_owned();
        let known = self.state.lock().unwrap().answers.get(&key).cloned();
        let answer = known.unwrap_or_else(|| self.command(&asked));
        let mute = {
            let mut state = self.state.lock().unwrap();
            state.answers.insert(key, answer.clone());
            let mute = state.mute > 0;
            state.mute -= usize::from(mute);
            mute
        };
        if mute { Reply::problem(503, "restarting") } else { Reply::json(200, &answer) }
    }

    fn read(&self, asked: &Asked) -> Reply {
        match asked.path.as_str() {
            "/v1/me" => Reply::json(200, &me()),
            "/v1/bootstrap" => {
                let cursor = format!("c{}", self.frames.borrow().len());
                Reply::json(
                    200,
                    &json!({"account": me(), "communities": [community()], "read_states": [], "cursor": cursor}),
                )
            }
            path if path.ends_with("/members") => {
                let items = [member(ADA, "ada", "Ada"), member(BOB, "bob", "Bob\u{1b}[31m")];
                Reply::json(200, &json!({"items": items, "next": null, "prev": null}))
            }
            path if path.ends_with("/messages") => {
                let channel = path.split('/').nth(3).unwrap();
                let messages = self.state.lock().unwrap().messages.clone();
                let items: Vec<_> =
                    messages.into_iter().filter(|message| message["channel_id"] == channel).rev().collect();
                Reply::json(200, &json!({"items": items, "next": null, "prev": null}))
            }
            _ => Reply::problem(404, "not_found"),
        }
    }

    fn command(&self, asked: &Asked) -> Value {
        let segments: Vec<_> = asked.path.split('/').skip(2).collect();
        match (asked.method.as_str(), segments.as_slice()) {
            ("POST", ["channels", channel, "messages"]) => {
                let content = asked.body["content"].as_str().unwrap();
                let reply_to = asked.body.get("reply_to");
                let message = self.post(channel.parse().unwrap(), ADA, content, reply_to);
                json!({"message": message, "position": "p"})
            }
            ("PATCH" | "DELETE", ["messages", id]) => {
                let edit = asked.method == "PATCH";
                let message = {
                    let mut state = self.state.lock().unwrap();
                    let message = state.messages.iter_mut().find(|message| message["id"] == **id).unwrap();
                    message["content"] = asked.body["content"].clone();
                    message[if edit { "edited_at" } else { "deleted_at" }] = json!("2026-01-01T12:30:00Z");
                    message.clone()
                };
                let data = json!({"id": id, "channel_id": message["channel_id"], "content": message["content"],
                    "edited_at": message["edited_at"], "deleted_at": message["deleted_at"], "deleted_by": ADA});
                self.happen(if edit { "message.edited" } else { "message.deleted" }, &data);
                json!({"message": message, "position": "p"})
            }
            ("POST", ["communities", _, "invites"]) => {
                json!({"invite": {"code": "Ab12", "url": "https://x/Ab12",
                "community_id": COMMUNITY, "created_by": ADA, "max_uses": null, "uses": 0, "expires_at": null,
                "created_at": TIME, "revoked_at": null}, "position": "p"})
            }
            ("DELETE", ["sessions", "current"]) => {
                self.state.lock().unwrap().logged_out = true;
                Value::Null
            }
            _ => panic!("not served: {}", asked.call()),
        }
    }

    fn stream(self: Arc<Self>, asked: &Asked) -> Reply {
        let mut after: usize = asked.query("after").unwrap()[1..].parse().unwrap();
        let (sender, reply) = Reply::stream();
        tokio::spawn(async move {
            let mut frames = self.frames.subscribe();
            let mut text = format!("event: hello\ndata: {}\n\n", json!({"heartbeat_seconds": 0.2}));
            loop {
                for frame in &frames.borrow_and_update()[after..] {
                    text += &format!("event: {}\nid: {}\ndata: {frame}\n\n", frame["type"], frame["id"]);
                    after += 1;
                }
                if sender.send(Ok(Bytes::from(std::mem::take(&mut text)))).await.is_err() {
                    return;
                }
                if tokio::time::timeout(Duration::from_millis(200), frames.changed()).await.is_err() {
                    text = format!("event: heartbeat\nid: c{after}\ndata: {{}}\n\n");
                }
            }
        });
        reply
    }
}

fn log_in(asked: &Asked) -> Reply {
    if asked.body["password"] != "right" {
        return Reply::problem(401, "wrong_credentials");
    }
    let session = json!({"id": ADA, "device": "x", "created_at": TIME, "last_used_at": TIME, "expires_at": TIME,
        "current": true});
    Reply::json(201, &json!({"token": "token-of-ada", "account": me(), "session": session}))
}

fn account(id: Uuid, handle: &str, name: &str) -> Value {
    json!({"id": id, "handle": handle, "display_name": name, "about": "", "picture_url": null, "administrator": false, "created_at": TIME})
}

fn me() -> Value {
    let mut me = account(ADA, "ada", "Ada");
    me["email"] = json!("ada@example.org");
    me
}

fn member(id: Uuid, handle: &str, name: &str) -> Value {
    json!({"community_id": COMMUNITY, "account": account(id, handle, name), "roles": ["member"], "owner": false, "rank": 2,
        "permissions": [], "joined_at": TIME})
}

fn community() -> Value {
    let channel = |id: Uuid, name: &str| {
        json!({"id": id, "community_id": COMMUNITY, "kind": "text", "name": name, "topic": null,
            "category_id": null, "created_at": TIME})
    };
    json!({"id": COMMUNITY, "name": "Lovelace", "owner_id": ADA, "created_at": TIME,
        "channels": [channel(GENERAL, "general"), channel(NEWS, "news")], "member": member(ADA, "ada", "Ada")})
}
