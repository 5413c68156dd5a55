//! The promises of the port, held against every adapter.
//!
//! An adapter takes part with a [`Fixture`] and one line `conformance!` below. What only one adapter can break stands
//! in a folder of its name.

#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod appending;
mod duplicates;
mod events;
mod guarding;
mod postgres;
mod racing;
mod reading;
mod tailing;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use event_store::{EventStore, memory::MemoryStore};

use self::postgres::{append_only, cut, nodes, recall, shutdown, turns};

/// A log of one test's own.
#[async_trait]
trait Fixture: Send + Sync + Sized {
    /// A fresh and empty log.
    async fn fresh() -> Self;

    /// Another handle on that log, as another node has.
    async fn open(&self) -> Arc<dyn EventStore>;
}

/// No promise takes this long to hold; a test that waits longer waits for ever.
const PATIENCE: Duration = Duration::from_secs(60);

macro_rules! promises {
    ($fixture:ty; $($file:ident { $($promise:ident)+ })+) => {
        $(mod $file {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                use crate::Fixture;
                let test = async { crate::$file::$promise(<$fixture>::fresh().await).await };
                tokio::time::timeout(crate::PATIENCE, test).await.expect("the test ends");
            })+
        })+
    };
}

macro_rules! conformance {
    ($adapter:ident: $fixture:ty) => {
        mod $adapter {
            promises! { $fixture;
                appending {
                    an_append_answers_where_its_last_event_stands
                    versions_count_from_one_in_each_stream
                    a_wrong_expected_version_appends_nothing
                    no_stream_and_exact_zero_ask_for_an_empty_stream
                    an_append_is_seen_whole_or_not_at_all
                    good_appends_beside_wrong_ones_land
                    bytes_are_kept_exactly
                    time_never_steps_back
                    unstorable_appends_panic_in_their_caller
                }
                duplicates {
                    a_repeated_append_answers_the_first_result
                    a_repeated_append_is_found_before_version_and_guards_are_checked
                    a_repeated_id_answers_the_stream_that_holds_it
                    an_append_that_is_known_in_part_appends_nothing
                    the_same_append_many_times_at_once_is_written_once
                }
                guarding {
                    a_guard_passes_up_to_its_version_and_fails_above
                    a_guard_at_zero_asks_for_an_empty_stream
                    every_guard_is_checked_and_the_version_before_them
                    a_guarded_append_never_lands_after_the_guarded_stream_moved
                }
                racing {
                    a_reader_that_has_seen_a_position_never_misses_one_below
                    writers_of_one_stream_each_get_a_version_of_their_own
                    exactly_one_of_many_claims_wins
                }
                reading {
                    an_empty_log_is_empty_everywhere
                    a_stream_is_read_after_a_version
                    the_log_is_read_in_pages
                    topics_are_read_in_log_order
                    many_topics_are_read_in_pages
                    a_record_is_found_by_its_id
                    the_head_is_the_newest_position
                    a_log_keeps_its_identity_and_shares_it_with_none
                }
                tailing {
                    a_tail_waits_for_what_comes
                    a_tail_begins_where_it_is_told
                    tails_see_everything_once_in_order_while_many_write
                }
            }
        }
    };
}

struct MemoryLog(Arc<MemoryStore>);

#[async_trait]
impl Fixture for MemoryLog {
    async fn fresh() -> Self {
        Self(Arc::new(MemoryStore::new()))
    }

    async fn open(&self) -> Arc<dyn EventStore> {
        self.0.clone()
    }
}

conformance!(memory_store: crate::MemoryLog);
conformance!(postgres_store: crate::postgres::PostgresLog);

mod postgres_alone {
    promises! { crate::postgres::PostgresLog;
        append_only {
            rows_of_the_log_are_neither_changed_nor_removed
        }
        cut {
            a_commit_whose_answer_is_lost_is_unavailable_and_its_repetition_answers_it
            a_commit_that_is_lost_is_unavailable_and_its_repetition_writes_once
            wherever_the_connection_ends_nothing_is_lost_and_nothing_is_twice
            many_writers_through_many_cuts_each_write_once
        }
        nodes {
            a_tail_sees_what_was_written_without_a_hint
            near_the_head_nothing_is_queried
            a_copy_of_a_log_takes_an_identity_of_its_own_and_keeps_it
            hints_carry_appends_between_nodes
            a_node_goes_on_when_all_its_connections_are_ended
        }
        recall {
            a_refusal_is_never_that_of_an_older_log
            a_guard_is_checked_against_what_another_node_appended
            a_stream_that_is_taken_for_new_is_looked_up_when_the_table_knows_it
            an_id_that_is_taken_for_new_is_looked_up_when_the_table_knows_it
        }
        shutdown {
            what_is_queued_is_finished_and_what_comes_later_refused
            a_dropped_node_leaves_no_connection_behind
        }
        turns {
            a_transaction_cannot_take_a_position_while_another_holds_a_lower_one
            an_append_waits_for_another_writers_transaction_and_stands_behind_it
            an_append_sees_what_was_committed_while_it_waited
            an_append_that_the_table_refuses_is_not_answered_with_success
        }
    }
}
