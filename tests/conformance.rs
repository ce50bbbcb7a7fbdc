//! The main job on every chat platform: each story is told once, to people and places that are no platform's, and comes
//! true on Slack and on Discord over their own wire protocols.
//!
//! The bot is `idp serve` as an operator starts it. What differs between the platforms on purpose stands in
//! docs/discord.md; what only one of them has is told in `discord_alone.rs`, and for Slack in `wire`.

mod discord;
mod driver;
mod office;
mod plain;
mod slack;

/// Each story as a test on each platform: `conformance::FILE::STORY::slack` and `…::discord`.
macro_rules! on_both {
    ($($story:ident),+ $(,)?) => { $(
        mod $story {
            use crate::conformance::office::{On, tell};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn slack() {
                tell(On::Slack, super::$story).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn discord() {
                tell(On::Discord, super::$story).await;
            }
        }
    )+ };
}

mod ask;
mod decide;
mod discord_alone;
mod form;
mod places;
mod run;
mod same;
mod trouble;
