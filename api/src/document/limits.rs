//! The document and the handlers agree: on the limits of every text and on the fields of every body.

use domain::Role;
use domain::account::{About, DisplayName, Email, Handle};
use domain::channel::{ChannelName, ChannelTopic};
use domain::community::CommunityName;
use domain::invite::{MAX_LIFETIME_SECONDS, MAX_USES};
use domain::membership::{Nickname, Reason};
use domain::message::Content;
use domain::poll::{MAX_OPTIONS, MIN_OPTIONS, PollOption};
use domain::presence::StatusText;
use domain::reaction::MAX_KINDS;
use domain::report::ReportText;
use domain::role::{MAX_ROLES, RoleName};
use serde_json::{Value, json};

use crate::account::{ChangeProfile, NewAccount, PASSWORD_MAX, PASSWORD_MIN};
use crate::ban::BanAccount;
use crate::channel::{ChangeChannel, CreateChannel};
use crate::draft::KeepDraft;
use crate::extract::fields::{FromFields, asked};
use crate::invite::CreateInvite;
use crate::membership::{Kick, SetRoles};
use crate::message::{EditMessage, PostMessage};
use crate::nickname::ChangeNickname;
use crate::notification_setting::SetNotifications;
use crate::poll::{NewPoll, Vote};
use crate::presence::own::SetPresence;
use crate::privacy::ChangePrivacy;
use crate::read_state::MoveReadMarker;
use crate::receipt::MoveDeliveryMarker;
use crate::report::{ChangeReport, ReportMessage};
use crate::role::{ChangeRole, CreateRole, OrderRoles};
use crate::scheduled_message::{ChangeScheduledMessage, ScheduleMessage};
use crate::session::login::NewLogin;
use crate::session::password::ChangePassword;
use crate::time_out::TimeOut;

fn schema(name: &str) -> Value {
    crate::document()["components"]["schemas"][name].clone()
}

#[test]
fn the_limits_in_the_document_are_the_domains() {
    let text = |schema_name: &str, field: &str, min: usize, max: usize| {
        let property = schema(schema_name)["properties"][field].clone();
        // The least limit, nought, goes without saying.
        let told_min = property.get("minLength").cloned().unwrap_or(json!(0));
        assert_eq!(
            (told_min, property["maxLength"].clone()),
            (json!(min), json!(max)),
            "{schema_name}.{field}"
        );
    };
    text("NewAccount", "handle", Handle::MIN, Handle::MAX);
    text("NewAccount", "email", 0, Email::MAX);
    text("NewAccount", "password", PASSWORD_MIN, PASSWORD_MAX);
    text("NewAccount", "display_name", DisplayName::MIN, DisplayName::MAX);
    text("ChangeProfile", "display_name", DisplayName::MIN, DisplayName::MAX);
    text("ChangeProfile", "about", About::MIN, About::MAX);
    text("ChangePassword", "new", PASSWORD_MIN, PASSWORD_MAX);
    text("Named", "name", CommunityName::MIN, CommunityName::MAX);
    text("CreateChannel", "name", ChannelName::MIN, ChannelName::MAX);
    text("CreateChannel", "topic", ChannelTopic::MIN, ChannelTopic::MAX);
    text("ChangeChannel", "name", ChannelName::MIN, ChannelName::MAX);
    text("ChangeChannel", "topic", ChannelTopic::MIN, ChannelTopic::MAX);
    text("CreateRole", "name", RoleName::MIN, RoleName::MAX);
    text("ChangeRole", "name", RoleName::MIN, RoleName::MAX);
    text("Kick", "reason", Reason::MIN, Reason::MAX);
    text("BanAccount", "reason", Reason::MIN, Reason::MAX);
    text("TimeOut", "reason", Reason::MIN, Reason::MAX);
    text("ChangeNickname", "nickname", Nickname::MIN, Nickname::MAX);
    text("PostMessage", "content", Content::MIN, Content::MAX);
    text("SetPresence", "text", StatusText::MIN, StatusText::MAX);
    text("KeepDraft", "content", Content::MIN, Content::MAX);
    text("ScheduleMessage", "content", Content::MIN, Content::MAX);
    text("ChangeScheduledMessage", "content", Content::MIN, Content::MAX);
    text("EditMessage", "content", Content::MIN, Content::MAX);
    let order = schema("OrderRoles");
    assert_eq!(order["properties"]["roles"]["maxItems"], json!(MAX_ROLES + Role::BUILT_IN.len()));
    let options = &schema("NewPoll")["properties"]["options"];
    let limits = (options["minItems"].clone(), options["maxItems"].clone());
    assert_eq!(limits, (json!(MIN_OPTIONS), json!(MAX_OPTIONS)));
    let option = schema("OptionText");
    let limits = (option["minLength"].clone(), option["maxLength"].clone());
    assert_eq!(limits, (json!(PollOption::MIN), json!(PollOption::MAX)));
    assert_eq!(schema("Vote")["properties"]["options"]["maxItems"], json!(MAX_OPTIONS));
    assert_eq!(schema("Message")["properties"]["reactions"]["maxItems"], json!(MAX_KINDS));
    text("ReportMessage", "text", ReportText::MIN, ReportText::MAX);
    text("ChangeReport", "note", ReportText::MIN, ReportText::MAX);
    let invite = schema("CreateInvite");
    assert_eq!(invite["properties"]["max_uses"]["maximum"], json!(MAX_USES));
    assert_eq!(invite["properties"]["expires_in"]["maximum"], json!(MAX_LIFETIME_SECONDS));
}

#[test]
fn a_body_is_read_by_the_fields_that_its_schema_lists() {
    fn same<T: FromFields>(name: &str) {
        let schema = schema(name);
        let mut listed: Vec<&str> =
            schema["properties"].as_object().into_iter().flatten().map(|(field, _)| field.as_str()).collect();
        let mut read = asked::<T>();
        listed.sort_unstable();
        read.sort_unstable();
        assert_eq!(read, listed, "{name}");
        assert_eq!(schema["additionalProperties"], json!(false), "{name} refuses unknown fields");
    }
    same::<NewAccount>("NewAccount");
    same::<ChangeProfile>("ChangeProfile");
    same::<NewLogin>("NewLogin");
    same::<ChangePassword>("ChangePassword");
    same::<crate::community::Named>("Named");
    same::<SetRoles>("SetRoles");
    same::<Kick>("Kick");
    same::<BanAccount>("BanAccount");
    same::<TimeOut>("TimeOut");
    same::<ChangeNickname>("ChangeNickname");
    same::<CreateRole>("CreateRole");
    same::<ChangeRole>("ChangeRole");
    same::<OrderRoles>("OrderRoles");
    same::<crate::community::NewOwner>("NewOwner");
    same::<CreateChannel>("CreateChannel");
    same::<ChangeChannel>("ChangeChannel");
    same::<CreateInvite>("CreateInvite");
    same::<PostMessage>("PostMessage");
    same::<SetPresence>("SetPresence");
    same::<KeepDraft>("KeepDraft");
    same::<ScheduleMessage>("ScheduleMessage");
    same::<ChangeScheduledMessage>("ChangeScheduledMessage");
    same::<NewPoll>("NewPoll");
    same::<Vote>("Vote");
    same::<EditMessage>("EditMessage");
    same::<ReportMessage>("ReportMessage");
    same::<ChangeReport>("ChangeReport");
    same::<MoveReadMarker>("MoveReadMarker");
    same::<ChangePrivacy>("ChangePrivacy");
    same::<MoveDeliveryMarker>("MoveDeliveryMarker");
    same::<SetNotifications>("SetNotifications");
}
