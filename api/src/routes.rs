//! The route table: every call of the contract, by the rate limit that it counts in.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::limits::{Class, Limited};
use crate::state::AppState;
use crate::{
    access, account, audit_log, ban, block, bootstrap, channel, community, conversation, draft, emoji,
    invite, live, membership, message, nickname, notification_setting, poll, presence, privacy, reaction,
    read_state, receipt, report, role, saved_message, scheduled_message, session, time_out, typing,
};

/// Everything under `/v1`.
pub(crate) fn v1() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .merge(limited(Class::Register, registering()))
        .merge(limited(Class::Login, logging_in()))
        .merge(limited(Class::Command, commands()))
        .merge(limited(Class::Post, posting()))
        .merge(limited(Class::Read, reads()))
        .merge(limited(Class::Live, live::routes()))
        .merge(limited(Class::Typing, signals()))
        .merge(limited(Class::Mark, marks()))
}

fn registering() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(account::register_account))
}

fn logging_in() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(session::login::log_in))
        .routes(routes!(session::password::change_password))
}

fn posting() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(message::post_message))
        .routes(routes!(message::edit_message, message::delete_message))
        .routes(routes!(message::forward::forward_message))
}

fn commands() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(session::end_session))
        .routes(routes!(session::log_out))
        .routes(routes!(account::change_profile))
        .routes(routes!(community::create_community))
        .routes(routes!(community::rename_community, community::delete_community))
        .routes(routes!(community::transfer_ownership))
        .routes(routes!(role::create_role))
        .routes(routes!(role::change_role, role::delete_role))
        .routes(routes!(role::order_roles))
        .routes(routes!(membership::set_roles, membership::kick_member))
        .routes(routes!(membership::leave_community))
        .routes(routes!(time_out::time_out_member, time_out::end_time_out))
        .routes(routes!(nickname::change_nickname))
        .routes(routes!(ban::ban_account, ban::unban_account))
        .routes(routes!(channel::create_channel))
        .routes(routes!(channel::change_channel, channel::delete_channel))
        .routes(routes!(channel::order::order_channels))
        .routes(routes!(channel::overwrite::overwrite_role, channel::overwrite::reset_role))
        .routes(routes!(channel::overwrite::overwrite_account, channel::overwrite::reset_account))
        .routes(routes!(conversation::open_direct))
        .routes(routes!(conversation::create_group))
        .routes(routes!(conversation::add_group_member, conversation::remove_group_member))
        .routes(routes!(conversation::hand_group_over))
        .routes(routes!(block::block_account, block::unblock_account))
        .routes(routes!(saved_message::save_message, saved_message::unsave_message))
        .routes(routes!(scheduled_message::schedule_message))
        .routes(routes!(
            scheduled_message::change_scheduled_message,
            scheduled_message::cancel_scheduled_message
        ))
        .routes(routes!(invite::create_invite))
        .routes(routes!(invite::revoke_invite))
        .routes(routes!(invite::redeem_invite))
        .routes(routes!(privacy::change_privacy))
        .routes(routes!(report::report_message))
        .routes(routes!(report::change_report))
        .routes(routes!(
            notification_setting::set_community_notifications,
            notification_setting::reset_community_notifications
        ))
        .routes(routes!(
            notification_setting::set_channel_notifications,
            notification_setting::reset_channel_notifications
        ))
        .routes(routes!(message::pin::pin_message, message::pin::unpin_message))
        .routes(routes!(message::sweep::delete_messages))
        .routes(routes!(message::thread::follow_thread, message::thread::unfollow_thread))
        .routes(routes!(message::thread::move_thread_read_marker))
        .routes(routes!(reaction::add_reaction, reaction::remove_reaction))
        .routes(routes!(reaction::clear_reactions))
        .routes(routes!(poll::vote, poll::withdraw_vote))
        .routes(routes!(poll::close_poll))
}

fn reads() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(session::list_sessions))
        .routes(routes!(account::show_me))
        .routes(routes!(account::show_account))
        .routes(routes!(community::list_communities))
        .routes(routes!(community::show_community))
        .routes(routes!(role::list_roles))
        .routes(routes!(access::explain_access))
        .routes(routes!(membership::list_members))
        .routes(routes!(ban::list_bans))
        .routes(routes!(audit_log::list_audit_log))
        .routes(routes!(report::list_reports))
        .routes(routes!(report::show_report))
        .routes(routes!(channel::show_channel))
        .routes(routes!(conversation::list_conversations))
        .routes(routes!(block::list_blocks))
        .routes(routes!(invite::list_invites))
        .routes(routes!(invite::preview_invite))
        .routes(routes!(message::history::list_messages))
        .routes(routes!(message::show_message))
        .routes(routes!(message::list_versions))
        .routes(routes!(presence::show_presence))
        .routes(routes!(presence::own::show_own_presence))
        .routes(routes!(presence::community::show_community_presence))
        .routes(routes!(draft::list_drafts))
        .routes(routes!(saved_message::list_saved_messages))
        .routes(routes!(scheduled_message::list_scheduled_messages))
        .routes(routes!(message::pin::list_pins))
        .routes(routes!(message::thread::list_thread))
        .routes(routes!(message::thread::list_threads))
        .routes(routes!(message::mention::list_mentions))
        .routes(routes!(reaction::list_reactors))
        .routes(routes!(poll::list_voters))
        .routes(routes!(emoji::list_emoji))
        .routes(routes!(bootstrap::show_bootstrap))
        .routes(routes!(read_state::list_read_states))
        .routes(routes!(receipt::list_receipts))
        .routes(routes!(privacy::show_privacy))
        .routes(routes!(notification_setting::list_notification_settings))
        .routes(routes!(notification_setting::show_channel_notifications))
}

fn signals() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(typing::signal_typing))
}

fn marks() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(read_state::move_read_marker))
        .routes(routes!(receipt::move_delivery_marker))
        .routes(routes!(draft::keep_draft, draft::drop_draft))
        .routes(routes!(presence::own::set_presence))
}

fn limited(class: Class, routes: OpenApiRouter<AppState>) -> OpenApiRouter<AppState> {
    routes.route_layer(Limited(class))
}
