//! Decide, seal, append; and again when somebody else was faster.

use std::sync::Arc;
use std::time::Duration;

use domain::Aggregate;
use event_store::{Append, AppendError, Appended, Expected};
use vault::KeyError;

use crate::caller::{Cause, Context, Done, Refusal};
use crate::intent::{Intent, Prepared};
use crate::sealing;
use crate::stages::{Stages, ended};
use crate::states::{Folded, Freshness};
use crate::{Commands, Inner};

/// Tries before a command gives up against others that change the same streams.
const TRIES: u32 = 8;
/// The wait before try number n is n times this.
const BACK_OFF: Duration = Duration::from_millis(2);

/// The stream as the command left it: for a repeated one, as it left it the first time.
pub(crate) type Outcome<A> = Done<Folded<A>>;

impl Commands {
    pub(crate) fn cause(&self, context: &Context) -> Cause {
        let digest = |hash: &str| self.inner.vault.digest("request", hash);
        Cause::of(context, digest, || self.inner.ids.id())
    }

    /// Carries out `intent`. A caller who hangs up leaves nothing half done: one append is the whole effect.
    pub(crate) async fn execute<I: Intent>(
        &self,
        cause: &Cause,
        intent: &I,
    ) -> Result<Outcome<I::Aggregate>, Refusal<<I::Aggregate as Aggregate>::Error>> {
        self.inner.carry_out(cause, intent).await
    }
}

impl Inner {
    pub(crate) async fn carry_out<I: Intent>(
        &self,
        cause: &Cause,
        intent: &I,
    ) -> Result<Outcome<I::Aggregate>, Refusal<<I::Aggregate as Aggregate>::Error>> {
        let mut turn = None;
        let mut stages = Stages::begin();
        for attempt in 0..TRIES {
            let freshness = if attempt == 0 { Freshness::Cached } else { Freshness::FromLog };
            if attempt > 1 {
                tokio::time::sleep(BACK_OFF * attempt).await;
            }
            let folded = if intent.is_new() && freshness == Freshness::Cached {
                // Should the stream have events after all, the append finds out.
                Arc::new(Folded::empty(event_store::StreamName::new(intent.stream())))
            } else {
                self.states.load::<I::Aggregate>(intent.stream(), freshness).await?
            };
            let Prepared { command, guards } = intent.prepare(&self.states, freshness).await?;
            let events = match folded.state.decide(command) {
                // A cached state accepts what the guards confirm, but refuses nothing.
                Err(_) if freshness == Freshness::Cached => continue,
                Ok(events) if events.is_empty() && freshness == Freshness::Cached => continue,
                Err(refusal) => {
                    return self.first_result(cause, intent).await?.ok_or(Refusal::Domain(refusal));
                }
                Ok(events) if events.is_empty() => {
                    let so_already = done(false, (*folded).clone());
                    return Ok(self.first_result(cause, intent).await?.unwrap_or(so_already));
                }
                Ok(events) => events,
            };
            ended!(stages, "decide");

            let mut sealed = Vec::with_capacity(events.len());
            for (ordinal, event) in (intent.first_ordinal()..).zip(&events) {
                let (id, event) = (cause.event_id(ordinal), event.clone().into());
                match sealing::seal(&self.vault, intent.key(), &folded.stream, &event, id, cause).await {
                    Ok(event) => sealed.push(event),
                    Err(KeyError::Unavailable(source)) => return Err(source.into()),
                    // The text's owner or the message itself went while this ran: decide on the newer state.
                    Err(KeyError::OwnerErased | KeyError::KeyErased) => break,
                }
            }
            if sealed.len() < events.len() {
                continue;
            }

            let expected = Expected::Exact(folded.version);
            let append = Append { stream: folded.stream.clone(), expected, guards, events: sealed };
            ended!(stages, "seal");
            let appended = self.store.append(append).await;
            ended!(stages, "append");
            match appended {
                Ok(Appended { first_meta: Some(meta), stream, version, .. }) => {
                    if !cause.wrote(&meta) {
                        return Err(Refusal::KeyReused);
                    }
                    return Ok(done(true, self.states.load_at(stream, version).await?));
                }
                Ok(appended) => {
                    let mut next = (*folded).clone();
                    for event in &events {
                        next.state.evolve(event);
                    }
                    next.advance(appended.version, appended.position, appended.recorded_at);
                    self.states.keep(Arc::new(next.clone()));
                    return Ok(done(false, next));
                }
                Err(conflict @ (AppendError::WrongVersion { .. } | AppendError::GuardFailed { .. })) => {
                    metrics::counter!("echoverse_command_conflicts_total").increment(1);
                    // A guard that failed is read afresh; only the stream itself is fought over.
                    if turn.is_none() && matches!(conflict, AppendError::WrongVersion { .. }) {
                        turn = Some(self.turns.take(&folded.stream).await);
                    }
                }
                Err(AppendError::Unavailable(source)) => return Err(source.into()),
            }
        }
        Err(Refusal::Busy)
    }

    /// The result of an earlier call of the same command, if there was one.
    async fn first_result<I: Intent>(
        &self,
        cause: &Cause,
        intent: &I,
    ) -> Result<Option<Outcome<I::Aggregate>>, Refusal<<I::Aggregate as Aggregate>::Error>> {
        let Some(record) = self.store.find(cause.event_id(intent.first_ordinal())).await? else {
            return Ok(None);
        };
        if !cause.wrote(&record.meta) {
            return Err(Refusal::KeyReused);
        }
        Ok(Some(done(true, self.states.load_at(record.stream.clone(), record.version).await?)))
    }
}

fn done<A: Aggregate>(repeated: bool, folded: Folded<A>) -> Outcome<A> {
    Done { position: folded.position, recorded_at: folded.changed_at, made: folded, repeated }
}
