//! What the app is lent for a short while: trigger ids (one view, three seconds) and response URLs (five posts, half an
//! hour).

use chrono::{DateTime, TimeDelta, Utc};

use super::{Inner, MessageRef, World};

/// <https://docs.slack.dev/interactivity/handling-user-interaction>: "expire three seconds after we send them".
const TRIGGER_LIFE: TimeDelta = TimeDelta::seconds(3);
/// Same page: "up to 5 times within 30 minutes".
const RESPONSE_LIFE: TimeDelta = TimeDelta::minutes(30);
const RESPONSE_USES: u32 = 5;

/// Lets the app open one view within three seconds of an act.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// Whose act it was.
    pub person: String,
    /// When the payload was sent.
    pub issued_at: DateTime<Utc>,
    /// A trigger opens one view.
    pub used: bool,
    /// The view that the act happened in, if any.
    pub view: Option<String>,
}

/// An address the app may answer to for half an hour.
#[derive(Clone, Debug)]
pub struct ResponseUrl {
    /// Where answers go.
    pub channel: String,
    /// Who sees the ephemeral ones.
    pub person: String,
    /// The message it came from: what `replace_original` and `delete_original` change.
    pub source: Option<String>,
    /// When the payload was sent.
    pub issued_at: DateTime<Utc>,
    /// Answers so far.
    pub uses: u32,
}

/// Why something lent can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketError {
    /// Never given out.
    Unknown,
    /// Its time is over.
    Expired,
    /// It was used as often as it may be.
    Used,
}

impl Inner {
    /// A trigger id for an act that is about to be delivered.
    pub(in crate::sandbox) fn new_trigger(&mut self, person: &str, view: Option<&str>) -> String {
        let now = self.now;
        self.triggers
            .retain(|_, trigger| now - trigger.issued_at < TimeDelta::minutes(5));
        let id = format!(
            "{}.{}.{}",
            now.timestamp_micros(),
            digits(),
            hex::encode(rand::random::<[u8; 16]>())
        );
        let trigger = Trigger {
            person: person.to_owned(),
            issued_at: now,
            used: false,
            view: view.map(ToOwned::to_owned),
        };
        self.triggers.insert(id.clone(), trigger);
        id
    }

    /// Takes a trigger for opening a view.
    pub(in crate::sandbox) fn take_trigger(&mut self, id: &str) -> Result<Trigger, TicketError> {
        let now = self.now;
        let trigger = self.triggers.get_mut(id).ok_or(TicketError::Unknown)?;
        if trigger.used {
            return Err(TicketError::Used);
        }
        if now - trigger.issued_at > TRIGGER_LIFE {
            return Err(TicketError::Expired);
        }
        trigger.used = true;
        Ok(trigger.clone())
    }

    /// Takes one use of a response URL.
    pub(in crate::sandbox) fn take_response(
        &mut self,
        secret: &str,
    ) -> Result<ResponseUrl, TicketError> {
        let now = self.now;
        let lent = self
            .response_urls
            .get_mut(secret)
            .ok_or(TicketError::Unknown)?;
        if now - lent.issued_at > RESPONSE_LIFE {
            return Err(TicketError::Expired);
        }
        if lent.uses == RESPONSE_USES {
            return Err(TicketError::Used);
        }
        lent.uses += 1;
        Ok(lent.clone())
    }
}

impl World {
    /// A response URL: `kind` is `commands` or `actions`, as in Slack's own.
    pub(in crate::sandbox) fn new_response_url(
        &self,
        kind: &str,
        person: &str,
        channel: &str,
        source: Option<&MessageRef>,
    ) -> String {
        let secret = hex::encode(rand::random::<[u8; 12]>());
        let team = self.with(|inner| {
            let now = inner.now;
            inner
                .response_urls
                .retain(|_, lent| now - lent.issued_at < TimeDelta::hours(1));
            let lent = ResponseUrl {
                channel: channel.to_owned(),
                person: person.to_owned(),
                source: source.map(|source| source.ts.clone()),
                issued_at: now,
                uses: 0,
            };
            inner.response_urls.insert(secret.clone(), lent);
            inner.workspace.team.id.clone()
        });
        let base = self.base().as_str().trim_end_matches('/');
        format!("{base}/hooks/{kind}/{team}/{}/{secret}", digits())
    }
}

/// A number of the size that Slack puts in the middle of such ids.
fn digits() -> u64 {
    1_000_000_000_000 + rand::random::<u64>() % 9_000_000_000_000
}
