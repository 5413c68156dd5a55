//! Everybody and everything in a scenario, and the checks of the law.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use client::{Client, Cursor, Error, NewAccount, NewSession, Options, ProfileChange};
use domain::role::Roles;
use domain::{Permissions, Role};
use futures_util::future::try_join_all;
use uuid::Uuid;

use crate::Broken;
use crate::device::Device;
use crate::http::Http;
use crate::node::Node;
use crate::oracle::Oracle;
use crate::scenario::{Habits, Over, Pick};
use crate::view::View;

const ACCOUNTS: usize = 5;
/// Of them, those who share a community from the beginning.
const FRIENDS: usize = 3;

pub(crate) struct World {
    pub(crate) node: Node,
    /// Whether there is a community that everyone lands in; it is the first one.
    lobby: bool,
    anonymous: Client,
    pub(crate) players: Vec<Player>,
    pub(crate) communities: Vec<Community>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) messages: Vec<Message>,
    pub(crate) invites: Vec<Invite>,
    pub(crate) conversations: Vec<Conversation>,
    /// Messages with a poll, and their channels.
    pub(crate) polls: Vec<(String, usize)>,
    pub(crate) devices: Vec<Device>,
    /// The position of the last command.
    pub(crate) head: Cursor,
    texts: usize,
}

pub(crate) struct Player {
    pub(crate) id: Uuid,
    pub(crate) client: Client,
    pub(crate) http: Http,
}

/// As its commands were answered: enough to choose commands that will be accepted, mostly.
pub(crate) struct Community {
    pub(crate) id: Uuid,
    pub(crate) owner: usize,
    pub(crate) members: BTreeMap<usize, BTreeSet<Role>>,
    pub(crate) banned: BTreeSet<usize>,
    /// Its own roles.
    pub(crate) roles: Vec<String>,
    pub(crate) alive: bool,
}

pub(crate) struct Channel {
    pub(crate) id: Uuid,
    pub(crate) community: usize,
    pub(crate) alive: bool,
}

pub(crate) struct Message {
    pub(crate) id: Uuid,
    pub(crate) channel: usize,
    pub(crate) author: usize,
    pub(crate) alive: bool,
}

/// A direct or group channel; messages in it count as those of no channel in [`World::channels`].
pub(crate) struct Conversation {
    pub(crate) id: String,
    pub(crate) members: BTreeSet<usize>,
}

pub(crate) struct Invite {
    pub(crate) code: String,
    pub(crate) community: usize,
    pub(crate) alive: bool,
}

impl World {
    pub(crate) async fn begin(node: Node, lobby: bool) -> Result<Self, Broken> {
        let options = Options {
            tries: 50,
            total_timeout: Duration::from_secs(30),
            backoff_first: Duration::from_millis(5),
            backoff_most: Duration::from_millis(100),
            ..Options::default()
        };
        let anonymous = Client::with_options(&node.base(), options).map_err(|error| error.explain())?;
        let mut world = Self {
            node,
            lobby,
            anonymous,
            players: Vec::new(),
            communities: Vec::new(),
            channels: Vec::new(),
            messages: Vec::new(),
            invites: Vec::new(),
            conversations: Vec::new(),
            polls: Vec::new(),
            devices: Vec::new(),
            head: Cursor::from(""),
            texts: 0,
        };
        // The first one owns the lobby.
        world.register().await?;
        let base = world.node.base();
        let others = (1..ACCOUNTS).map(|number| sign_up(&world.anonymous, &base, number));
        for (player, position) in try_join_all(others).await? {
            world.welcome(player, position).await?;
        }
        // The positions came in any order: the newest is that of the next command.
        world.create_community(0).await?;
        for account in 1..FRIENDS {
            let community = world.communities.len() - 1;
            world.join(account, community).await?;
        }
        for account in 0..ACCOUNTS {
            let habits = Habits { eager: account % 2 == 0, prompt: account % 3 != 0 };
            world.add_device(account, habits).await?;
        }
        Ok(world)
    }

    pub(crate) async fn register(&mut self) -> Result<(), Broken> {
        let (player, position) = sign_up(&self.anonymous, &self.node.base(), self.players.len()).await?;
        self.welcome(player, position).await
    }

    async fn welcome(&mut self, player: Player, position: Cursor) -> Result<(), Broken> {
        self.head = position;
        if self.lobby && self.players.is_empty() {
            let bootstrap = player.client.bootstrap().min_position(&self.head).await;
            for community in bootstrap.map_err(|error| error.explain())?.communities {
                self.found(&community, 0);
            }
        } else if self.lobby {
            self.communities[0].members.insert(self.players.len(), BTreeSet::from([Role::Member]));
        }
        self.players.push(player);
        Ok(())
    }

    /// Takes note of a new community.
    pub(crate) fn found(&mut self, community: &client::Community, owner: usize) {
        let place = self.communities.len();
        let members = BTreeMap::from([(owner, BTreeSet::from([Role::Member]))]);
        let banned = BTreeSet::new();
        self.communities.push(Community {
            id: community.id,
            owner,
            members,
            banned,
            roles: Vec::new(),
            alive: true,
        });
        let channels = community.channels.iter();
        self.channels.extend(channels.map(|channel| Channel {
            id: channel.id,
            community: place,
            alive: true,
        }));
    }

    pub(crate) async fn add_device(&mut self, account: usize, habits: Habits) -> Result<(), Broken> {
        let player = &self.players[account];
        let ways = (player.client.clone(), player.http.clone());
        let name = format!("device {} of account {account}", self.devices.len());
        self.devices.push(Device::start(name, account, ways, habits, &self.head).await?);
        Ok(())
    }

    /// A text that no other is equal to.
    pub(crate) fn text(&mut self, what: &str) -> String {
        self.texts += 1;
        format!("{what} {}", self.texts)
    }

    /// Holds a device to the law: it follows to a change of its own account's profile, which nothing comes after, and
    /// compares.
    pub(crate) async fn check(&mut self, device: usize) -> Result<(), Broken> {
        let about = self.text("checked");
        let player = &self.players[self.devices[device].account];
        let change = ProfileChange { display_name: None, about: Some(about) };
        let changed = player.client.change_profile(&change).await.map_err(|error| error.explain())?;
        self.head = changed.position;
        let device = &mut self.devices[device];
        if !device.is_connected() {
            let polls = Over::LongPoll { limit: 200 };
            device.connect(if device.receipts.len().is_multiple_of(2) { Over::Sse } else { polls });
        }
        let name = device.name.clone();
        let view = device.follow_to(&self.head).await?;
        let fresh = View::fetch(&player.http, &self.head).await?;
        match view.difference(&fresh) {
            None => Ok(()),
            Some(difference) => Err(format!("{name}:\n{difference}")),
        }
    }

    /// Checks everyone, and everything that ever came.
    pub(crate) async fn end(mut self) -> Result<(), Broken> {
        for device in 0..self.devices.len() {
            self.check(device).await?;
        }
        let mut oracle = Oracle::read(self.node.database_url()).await?;
        for device in &self.devices {
            oracle.judge(&device.name, self.players[device.account].id, &device.receipts)?;
        }
        self.devices.clear();
        self.node.stop().await;
        Ok(())
    }

    /// The accounts that may do something in a community.
    pub(crate) fn able(&self, community: usize, needed: Permissions) -> Vec<usize> {
        let Some(community) = self.communities.get(community).filter(|community| community.alive) else {
            return Vec::new();
        };
        let may = |(account, roles): (&usize, &BTreeSet<Role>)| {
            let granted = granted(*account == community.owner, roles);
            granted.contains(needed).then_some(*account)
        };
        community.members.iter().filter_map(may).collect()
    }

    pub(crate) fn everyone(&self) -> Vec<usize> {
        (0..self.players.len()).collect()
    }
}

async fn sign_up(anonymous: &Client, base: &str, number: usize) -> Result<(Player, Cursor), Broken> {
    let handle = format!("account{number}");
    let password = "correct horse battery";
    let account = NewAccount {
        email: format!("{handle}@example.org"),
        password: password.into(),
        display_name: Some(format!("Account {number}")),
        handle: handle.clone(),
    };
    let registered = anonymous.register(&account).await.map_err(|error| error.explain())?;
    let session = anonymous.log_in(&NewSession::new(handle, password)).await;
    let token = session.map_err(|error| error.explain())?.token.ok_or("a session without a token")?;
    let http = Http::new(base, token.expose());
    let client = anonymous.with_token(token);
    Ok((Player { id: registered.account.id, client, http }, registered.position))
}

/// One of what is likely to be accepted; sometimes any.
pub(crate) fn choose<T: Copy>(pick: Pick, likely: &[T], all: &[T]) -> Option<T> {
    let from = if pick % 8 == 7 || likely.is_empty() { all } else { likely };
    (!from.is_empty()).then(|| from[usize::from(pick / 8) % from.len()])
}

/// The indices of those that something is true of.
pub(crate) fn those<T>(all: &[T], fits: impl Fn(&T) -> bool) -> Vec<usize> {
    all.iter().enumerate().filter_map(|(index, one)| fits(one).then_some(index)).collect()
}

/// What built-in roles, or owning the community, grant.
pub(crate) fn granted(owner: bool, roles: &BTreeSet<Role>) -> Permissions {
    if owner { Permissions::all() } else { Roles::default().granted(roles) }
}

/// A refusal is an answer like any other here; a failure is not.
pub(crate) fn accepted<T>(answer: Result<T, Error>) -> Result<Option<T>, Broken> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if matches!(error.status(), Some(403 | 404 | 409 | 410 | 422)) => Ok(None),
        Err(error) => Err(error.explain()),
    }
}
