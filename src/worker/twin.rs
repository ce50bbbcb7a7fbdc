//! Deletes cards that were posted twice, once somebody has pressed the wrong one.

use super::Chat;
use crate::app::job::TwinJob;
use crate::clients::slack::SlackError;

/// Deletes the message that a job names. What can't be deleted for good is let go: it does no harm but show an old
/// state, and the next press tries again.
pub(super) async fn delete(chats: &[Chat], job: &TwinJob) -> anyhow::Result<()> {
    let Some(chat) = chats.iter().find(|c| c.installation == job.installation) else {
        return Ok(());
    };
    match chat.slack.delete(&job.channel, &job.message).await {
        Ok(()) | Err(SlackError::MessageGone { .. }) => Ok(()),
        Err(
            error @ (SlackError::Limited { .. }
            | SlackError::Unreachable { .. }
            | SlackError::Lost { .. }
            | SlackError::Revoked { .. }),
        ) => Err(error.into()),
        Err(error) => {
            tracing::warn!(channel = job.channel, message = job.message, %error, "A twin of a card stays");
            Ok(())
        }
    }
}
