//! How fast messages go out, so that the platform has no reason to refuse them.
//!
//! Posts: about one a second a channel with short bursts. Edits: 50 a minute over the whole workspace (`chat.update` is
//! tier 3; docs.slack.dev, rate limits), and of one message one in three seconds after a few quick ones; what changes
//! meanwhile falls together, since a card is made when it is sent. All of one installation pass through here, as one
//! process sends for it at a time.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::app::sending::Due;
use crate::domain::id::MessageId;

const POSTS_BURST: NonZeroU32 = NonZeroU32::new(3).unwrap();
const POST_EVERY: Duration = Duration::from_secs(1);

const EDITS_BURST: NonZeroU32 = NonZeroU32::new(12).unwrap();
const EDIT_EVERY: Duration = Duration::from_millis(1200);

const SAME_BURST: NonZeroU32 = NonZeroU32::new(4).unwrap();
const SAME_EVERY: Duration = Duration::from_secs(3);

/// The pace of one installation.
pub(super) struct Pace {
    posts: DefaultKeyedRateLimiter<String>,
    edits: DefaultDirectRateLimiter,
    same: DefaultKeyedRateLimiter<MessageId>,
    clock: DefaultClock,
    /// A permit to edit that was taken and not used: the message itself had to wait.
    spare: bool,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            posts: RateLimiter::keyed(quota(POST_EVERY, POSTS_BURST)),
            edits: RateLimiter::direct(quota(EDIT_EVERY, EDITS_BURST)),
            same: RateLimiter::keyed(quota(SAME_EVERY, SAME_BURST)),
            clock: DefaultClock::default(),
            spare: false,
        }
    }

    /// Whether a message may go now; else how long it waits at least.
    pub(super) fn may(&mut self, due: &Due) -> Result<(), Duration> {
        if due.edit {
            return self.may_edit(due.id);
        }
        // Direct messages that are not opened yet are a channel each.
        let channel = due.channel.clone();
        let channel = channel.unwrap_or_else(|| due.thread.to_string());
        let now = self.clock.now();
        self.posts
            .check_key(&channel)
            .map_err(|not| not.wait_time_from(now))
    }

    /// The scarcer permit first, kept if the other one is not to be had.
    fn may_edit(&mut self, message: MessageId) -> Result<(), Duration> {
        let now = self.clock.now();
        if !self.spare {
            self.edits.check().map_err(|not| not.wait_time_from(now))?;
            self.spare = true;
        }
        self.same
            .check_key(&message)
            .map_err(|not| not.wait_time_from(now))?;
        self.spare = false;
        Ok(())
    }

    /// Forgets channels and messages at rest.
    pub(super) fn forget(&self) {
        self.posts.retain_recent();
        self.same.retain_recent();
    }
}

fn quota(every: Duration, burst: NonZeroU32) -> Quota {
    // The periods above are not zero, which is the only thing that a quota refuses.
    Quota::with_period(every)
        .unwrap_or(Quota::per_second(NonZeroU32::MIN))
        .allow_burst(burst)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::ThreadId;
    use uuid::Uuid;

    fn due(edit: bool, channel: &str) -> Due {
        Due {
            id: MessageId::from_uuid(Uuid::now_v7()),
            thread: ThreadId::from_uuid(Uuid::now_v7()),
            channel: Some(channel.to_owned()),
            edit,
        }
    }

    #[test]
    fn a_busy_channel_holds_up_no_other() {
        let mut pace = Pace::new();
        let sent = (0..10)
            .filter(|_| pace.may(&due(false, "C1")).is_ok())
            .count();
        assert_eq!(sent, 3);
        assert!(pace.may(&due(false, "C2")).is_ok());
        let wait = pace.may(&due(false, "C1")).unwrap_err();
        assert!(wait <= POST_EVERY && !wait.is_zero(), "{wait:?}");
    }

    #[test]
    fn edits_share_one_budget_and_one_message_does_not_eat_it() {
        let mut pace = Pace::new();
        let busy = due(true, "C1");
        let of_one = (0..10).filter(|_| pace.may(&busy).is_ok()).count();
        assert_eq!(of_one, 4);
        let others = (0..20)
            .filter(|_| pace.may(&due(true, "C1")).is_ok())
            .count();
        assert_eq!(others, 8);
    }
}
