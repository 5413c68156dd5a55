use domain::report::{ReportError, ReportReason, ReportState, ReportText};
use domain::{MessageId, ReportId, Role, streams};
use serde_json::json;
use uuid::Uuid;

use crate::scene::Scene;
use crate::world::{by, keyed, refused};

fn text(text: &str) -> Option<ReportText> {
    Some(ReportText::parse(text).unwrap())
}

#[tokio::test]
async fn a_report_is_opened_once_however_often_it_is_asked_for() {
    let scene = Scene::set().await;
    let message = scene.post(scene.owner, "Buy now").await;
    let report = |key: &str, reason| {
        let context = keyed(by(scene.member), key, key);
        let commands = scene.commands.clone();
        async move { commands.report_message(&context, message, reason, text("Again and again")).await.unwrap() }
    };
    let first = report("one", ReportReason::Spam).await;
    let repeated = report("one", ReportReason::Spam).await;
    assert_eq!((repeated.made, repeated.position, repeated.repeated), (first.made, first.position, true));
    let again = report("two", ReportReason::Illegal).await;
    assert_eq!((again.made, again.position), (first.made, first.position));
    assert_eq!(scene.kinds(streams::report(first.made)).await, ["report.opened"]);

    // Another's is another.
    let other = scene.commands.report_message(&by(scene.moderator), message, ReportReason::Other, None).await;
    assert_ne!(other.unwrap().made, first.made);
    assert_eq!(scene.all("report.opened").await.len(), 2);
}

#[tokio::test]
async fn what_is_written_in_a_report_is_sealed_under_its_writers_key() {
    let scene = Scene::set().await;
    let message = scene.post(scene.owner, "Buy now").await;
    let commands = &scene.commands;
    let opened =
        commands.report_message(&by(scene.member), message, ReportReason::Spam, text("He told me")).await;
    let id = opened.unwrap().made;
    let (resolved, note) = (ReportState::Resolved, text("Warned him"));
    commands.change_report(&by(scene.moderator), id, resolved, note).await.unwrap();
    let [opened, changed] = &scene.stream(streams::report(id)).await[..] else { panic!("two events") };
    for (record, writer, said) in
        [(opened, scene.member, "He told me"), (changed, scene.moderator, "Warned him")]
    {
        assert_eq!(record.sealed.as_ref().map(|sealed| sealed.key_id), Some(writer.0));
        assert_eq!(scene.text(record).await, json!({"text": said}));
        assert!(!String::from_utf8_lossy(&record.data).contains(said));
    }
}

#[tokio::test]
async fn a_report_needs_what_it_is_about_and_who_may_see_it() {
    let scene = Scene::set().await;
    let message = scene.post(scene.owner, "Buy now").await;
    let report = |who, message| {
        let commands = scene.commands.clone();
        async move { commands.report_message(&by(who), message, ReportReason::Spam, None).await }
    };
    assert_eq!(refused(report(scene.outsider, message).await), ReportError::UnknownMessage);
    let nothing = MessageId(Uuid::from_u128(7));
    assert_eq!(refused(report(scene.member, nothing).await), ReportError::UnknownMessage);
    scene.commands.delete_message(&by(scene.owner), message).await.unwrap();
    assert_eq!(refused(report(scene.member, message).await), ReportError::MessageDeleted);
}

#[tokio::test]
async fn a_lost_permission_is_lost_at_once() {
    let scene = Scene::set().await;
    let message = scene.post(scene.owner, "Buy now").await;
    let commands = &scene.commands;
    let reported = commands.report_message(&by(scene.member), message, ReportReason::Spam, None).await;
    let id = reported.unwrap().made;
    let change = |who, state| {
        let commands = scene.commands.clone();
        async move { commands.change_report(&by(who), id, state, None).await }
    };
    change(scene.moderator, ReportState::Dismissed).await.unwrap();
    assert_eq!(refused(change(scene.member, ReportState::Open).await), ReportError::MayNotHandle);
    scene.grant(scene.moderator, &[Role::Member]).await;
    assert_eq!(refused(change(scene.moderator, ReportState::Open).await), ReportError::Unknown);
    let nothing = ReportId(Uuid::from_u128(7));
    let unknown = commands.change_report(&by(scene.owner), nothing, ReportState::Open, None).await;
    assert_eq!(refused(unknown), ReportError::Unknown);
    assert_eq!(scene.kinds(streams::report(id)).await, ["report.opened", "report.changed"]);
}
