//! What happens in tests, in a word each.

use std::collections::BTreeSet;

use domain::ReportId;
use domain::account::{
    About, AccountEvent, AccountRegistered, DisplayName, Email, Handle, Identity, ProfileChange,
    ProfileChanged,
};
use domain::channel::{ChannelCreated, ChannelDeleted, ChannelEvent, ChannelKind, ChannelName, ChannelTopic};
use domain::community::{CommunityCreated, CommunityDeleted, CommunityEvent, CommunityName, RoleCreated};
use domain::invite::{InviteCode, InviteCreated, InviteEvent, InviteRedeemed, InviteRevoked};
use domain::membership::{
    JoinedBy, MemberBanned, MemberJoined, MemberLeft, MemberRolesChanged, MemberTimedOut, MemberUnbanned,
    MembershipEvent, Nickname, NicknameChanged, Reason,
};
use domain::mention::Mentions;
use domain::message::{Content, MessageDeleted, MessageEdited, MessageEvent, MessagePosted};
use domain::permission::Overwrites;
use domain::report::{self, ReportChanged, ReportOpened, ReportState, ReportText, Words};
use domain::role::Definition;
use domain::thread::{ThreadEvent, ThreadFollowed, ThreadUnfollowed};
use jiff::Timestamp;

use super::*;

impl World {
    /// `name` is its handle too.
    pub(crate) async fn account(&self, name: &str) -> AccountId {
        self.register(&name.to_lowercase(), name).await
    }

    /// With a name that is no handle.
    pub(crate) async fn account_named(&self, name: &str) -> AccountId {
        self.register("somebody", name).await
    }

    async fn register(&self, handle: &str, name: &str) -> AccountId {
        let account_id = AccountId(self.id());
        let identity = Identity {
            handle: Handle::parse(handle).unwrap(),
            display_name: DisplayName::parse(name).unwrap(),
            email: Email::parse(&format!("{handle}@echo.example")).unwrap(),
        };
        let identity = Personal::Clear(identity);
        self.tell(AccountEvent::from(AccountRegistered { account_id, identity })).await;
        account_id
    }

    pub(crate) async fn change_profile(
        &self,
        account_id: AccountId,
        name: Option<&str>,
        about: Option<&str>,
    ) {
        let change = ProfileChange {
            display_name: name.map(|name| DisplayName::parse(name).unwrap()),
            about: about.map(|about| About::parse(about).unwrap()),
        };
        let event = ProfileChanged { account_id, change: Personal::Clear(change) };
        self.tell(AccountEvent::from(event)).await;
    }

    /// A community whose owner is its first member.
    pub(crate) async fn community(&self, owner_id: AccountId, name: &str) -> CommunityId {
        let community_id = CommunityId(self.id());
        let name = CommunityName::parse(name).unwrap();
        self.tell(CommunityEvent::from(CommunityCreated { community_id, name, owner_id })).await;
        self.join(community_id, owner_id).await;
        community_id
    }

    pub(crate) async fn delete_community(
        &self,
        community_id: CommunityId,
        deleted_by: AccountId,
    ) -> Position {
        self.tell(CommunityEvent::from(CommunityDeleted { community_id, deleted_by })).await
    }

    pub(crate) async fn join(&self, community_id: CommunityId, account_id: AccountId) -> Position {
        let roles = BTreeSet::from([Role::Member]);
        let (joined_by, invited_by) = (JoinedBy::Invite, None);
        let joined = MemberJoined { community_id, account_id, roles, joined_by, invited_by };
        self.tell(MembershipEvent::from(joined)).await
    }

    pub(crate) async fn leave(&self, community_id: CommunityId, account_id: AccountId) -> Position {
        self.tell(MembershipEvent::from(MemberLeft { community_id, account_id })).await
    }

    pub(crate) async fn ban(
        &self,
        community_id: CommunityId,
        account_id: AccountId,
        by: AccountId,
    ) -> Position {
        self.ban_until(community_id, account_id, by, None, None).await
    }

    pub(crate) async fn ban_until(
        &self,
        community_id: CommunityId,
        account_id: AccountId,
        by: AccountId,
        until: Option<Timestamp>,
        reason: Option<&str>,
    ) -> Position {
        let reason = reason.map(|text| Personal::Clear(Reason::parse(text).unwrap()));
        self.tell(MembershipEvent::from(MemberBanned { community_id, account_id, by, until, reason })).await
    }

    pub(crate) async fn time_out(
        &self,
        community_id: CommunityId,
        account_id: AccountId,
        until: Timestamp,
        by: AccountId,
    ) -> Position {
        let timed_out = MemberTimedOut { community_id, account_id, until, by, reason: None };
        self.tell(MembershipEvent::from(timed_out)).await
    }

    /// Named by themselves.
    pub(crate) async fn nickname(
        &self,
        community_id: CommunityId,
        account_id: AccountId,
        name: &str,
    ) -> Position {
        let nickname = Personal::Clear(Nickname::parse(name).unwrap());
        let changed = NicknameChanged { community_id, account_id, by: account_id, nickname };
        self.tell(MembershipEvent::from(changed)).await
    }

    /// A role with that number.
    pub(crate) async fn role(
        &self,
        community_id: CommunityId,
        by: AccountId,
        number: u128,
        definition: Definition,
    ) -> Role {
        let role = Role::Custom(Uuid::from_u128(number));
        self.tell(CommunityEvent::from(RoleCreated { community_id, role, definition, by })).await;
        role
    }

    pub(crate) async fn unban(
        &self,
        community_id: CommunityId,
        account_id: AccountId,
        by: AccountId,
    ) -> Position {
        self.tell(MembershipEvent::from(MemberUnbanned { community_id, account_id, by })).await
    }

    pub(crate) async fn give(
        &self,
        community_id: CommunityId,
        account_id: AccountId,
        roles: &[Role],
    ) -> Position {
        let roles = roles.iter().copied().collect();
        let changed = MemberRolesChanged { community_id, account_id, roles, by: account_id };
        self.tell(MembershipEvent::from(changed)).await
    }

    pub(crate) async fn channel(&self, community_id: CommunityId, name: &str) -> ChannelId {
        self.channel_of(community_id, name, ChannelKind::Text, None).await
    }

    pub(crate) async fn channel_of(
        &self,
        community_id: CommunityId,
        name: &str,
        kind: ChannelKind,
        category_id: Option<ChannelId>,
    ) -> ChannelId {
        let channel_id = ChannelId(self.id());
        let (name, topic) = (ChannelName::parse(name).unwrap(), ChannelTopic::parse("").unwrap());
        let created = ChannelCreated {
            channel_id,
            community_id,
            name,
            kind,
            topic,
            category_id,
            private: false,
            overwrites: Overwrites::default(),
        };
        self.tell(ChannelEvent::from(created)).await;
        channel_id
    }

    pub(crate) async fn delete_channel(
        &self,
        (community_id, channel_id): Place,
        deleted_by: AccountId,
    ) -> Position {
        self.tell(ChannelEvent::from(ChannelDeleted { channel_id, community_id, deleted_by })).await
    }

    pub(crate) async fn post(&self, place: Place, author: AccountId, text: &str) -> (MessageId, Position) {
        self.post_with(place, author, text, |_| ()).await
    }

    /// With more in it than a text.
    pub(crate) async fn post_with(
        &self,
        (community_id, channel_id): Place,
        author_id: AccountId,
        text: &str,
        change: impl FnOnce(&mut MessagePosted),
    ) -> (MessageId, Position) {
        let message_id = MessageId(self.id());
        let mut posted = MessagePosted {
            message_id,
            channel_id,
            community_id: Some(community_id),
            author_id,
            reply_to: None,
            poll: None,
            thread_id: None,
            forwarded: None,
            mentions: Mentions::default(),
            text: Personal::Clear(Content::parse(text).unwrap().into()),
        };
        change(&mut posted);
        (message_id, self.tell(MessageEvent::from(posted)).await)
    }

    pub(crate) async fn edit(&self, place: Place, id: MessageId, text: &str) -> Position {
        self.edit_with(place, id, text, Mentions::default()).await
    }

    pub(crate) async fn edit_with(
        &self,
        (community_id, channel_id): Place,
        message_id: MessageId,
        text: &str,
        mentions: Mentions,
    ) -> Position {
        let content = Personal::Clear(Content::parse(text).unwrap());
        let (community_id, thread_id) = (Some(community_id), None);
        let edited = MessageEdited { message_id, channel_id, community_id, thread_id, mentions, content };
        self.tell(MessageEvent::from(edited)).await
    }

    pub(crate) async fn delete(
        &self,
        (community_id, channel_id): Place,
        message_id: MessageId,
        deleted_by: AccountId,
    ) -> Position {
        let (community_id, thread_id) = (Some(community_id), None);
        let deleted = MessageDeleted { message_id, channel_id, community_id, thread_id, deleted_by };
        self.tell(MessageEvent::from(deleted)).await
    }

    pub(crate) async fn follow_thread(
        &self,
        (community_id, channel_id): Place,
        message_id: MessageId,
        account_id: AccountId,
        follow: bool,
    ) -> Position {
        let community_id = Some(community_id);
        let event: ThreadEvent = if follow {
            ThreadFollowed { account_id, message_id, channel_id, community_id }.into()
        } else {
            ThreadUnfollowed { account_id, message_id, channel_id, community_id }.into()
        };
        self.tell(event).await
    }

    pub(crate) async fn invite(
        &self,
        community_id: CommunityId,
        by: AccountId,
        max_uses: Option<u32>,
    ) -> String {
        let number = self.ids.fetch_add(1, Ordering::Relaxed);
        let digits =
            std::array::from_fn(|digit| if digit < 4 { (number >> (5 * digit)) as u8 & 31 } else { 0 });
        let code = InviteCode::from_digits(digits);
        let text = code.as_str().to_owned();
        let created = InviteCreated { code, community_id, created_by: by, max_uses, expires_at: None };
        self.tell(InviteEvent::from(created)).await;
        text
    }

    pub(crate) async fn redeem(
        &self,
        community_id: CommunityId,
        code: &str,
        account_id: AccountId,
    ) -> Position {
        let code = InviteCode::parse(code).unwrap();
        let redeemed = InviteRedeemed { code, community_id, account_id, invited_by: account_id };
        self.tell(InviteEvent::from(redeemed)).await
    }

    pub(crate) async fn revoke(
        &self,
        community_id: CommunityId,
        code: &str,
        revoked_by: AccountId,
    ) -> Position {
        let code = InviteCode::parse(code).unwrap();
        self.tell(InviteEvent::from(InviteRevoked { code, community_id, revoked_by })).await
    }

    pub(crate) async fn report(
        &self,
        (community_id, channel_id): Place,
        (message_id, author_id): (MessageId, AccountId),
        reporter_id: AccountId,
        text: Option<&str>,
    ) -> ReportId {
        let report_id = ReportId::of(message_id, reporter_id);
        let opened = ReportOpened {
            report_id,
            community_id,
            channel_id,
            message_id,
            author_id,
            reporter_id,
            reason: report::ReportReason::Spam,
            words: words(text),
        };
        self.tell(ReportEvent::from(opened)).await;
        report_id
    }

    pub(crate) async fn change_report(
        &self,
        community_id: CommunityId,
        report_id: ReportId,
        by: AccountId,
        state: ReportState,
        note: Option<&str>,
    ) -> Position {
        let changed = ReportChanged { report_id, community_id, state, by, words: words(note) };
        self.tell(ReportEvent::from(changed)).await
    }

    /// An owner, a community and a channel.
    pub(crate) async fn place(&self) -> (AccountId, Place) {
        let owner = self.account("Owner").await;
        let community = self.community(owner, "Home").await;
        let channel = self.channel(community, "general").await;
        (owner, (community, channel))
    }
}

fn words(text: Option<&str>) -> Personal<Words> {
    Personal::Clear(Words { text: text.map(|text| ReportText::parse(text).unwrap()) })
}

/// A channel in its community.
pub(crate) type Place = (CommunityId, ChannelId);
