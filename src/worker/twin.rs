//! Deletes cards that were posted twice, once somebody has pressed the wrong one.

use super::Chats;
use super::way::Failure;
use crate::app::job::TwinJob;

/// Deletes the message that a job names. What can't be deleted for good is let go: it does no harm but show an old
/// state, and the next press tries again.
pub(super) async fn delete(chats: &Chats, job: &TwinJob) -> anyhow::Result<()> {
    let Some(chat) = chats.find(job.installation) else {
        return Ok(());
    };
    match chat.way.delete(&job.channel, &job.message).await {
        Ok(()) | Err(Failure::MessageGone { .. }) => Ok(()),
        Err(
            error @ (Failure::Limited { .. }
            | Failure::Unreachable { .. }
            | Failure::Lost { .. }
            | Failure::Revoked { .. }),
        ) => Err(error.into()),
        Err(error) => {
            tracing::warn!(channel = job.channel, message = job.message, %error, "A twin of a card stays");
            Ok(())
        }
    }
}
