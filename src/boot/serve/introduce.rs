//! The chat platforms made known, each in its own time, so that none waits for another.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{chat, guilds};
use crate::app::App;
use crate::{web, worker};

/// The chat platforms, each with what answers its deliveries.
type Platforms = (
    Option<(chat::Chat, Option<Arc<web::slack::Edge>>)>,
    Option<(guilds::Guilds, Option<Arc<web::discord::Edge>>)>,
);

/// Makes the platforms known, and lets their deliveries in where this process takes them. Each is told to the worker, where
/// there is one, from when it answers.
pub(super) async fn introduce(
    app: App,
    (slack, discord): Platforms,
    arrived: Option<mpsc::Sender<worker::Chat>>,
    stop: CancellationToken,
) {
    let slack = async {
        if let Some((chat, edge)) = slack
            && let Some(chat) = chat.meet(&app, edge, &stop).await
            && let Some(arrived) = &arrived
        {
            let _ = arrived.send(chat).await; // refused once the worker has ended
        }
    };
    let discord = async {
        if let Some((guilds, edge)) = discord {
            guilds.meet(&app, edge, arrived.clone(), &stop).await;
        }
    };
    tokio::join!(slack, discord);
}
