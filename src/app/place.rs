//! Where a request stands: where the command or the configuration says, else where it was typed,
//! else, where nobody could follow it, in the configured channel or the requester's direct messages.

use super::actor::Actor;
use super::{App, Settings};
use crate::catalog::Command;
use crate::domain::event::PlaceKind;
use crate::domain::message::{Placement, Spot};
use crate::store::channel::Channel;
use crate::store::installation::Installation;
use crate::store::{self, Conn};

/// A place with what people call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    /// For the messages.
    pub placement: Placement,
    /// For people: `#platform`; `None`: their direct messages.
    pub name: Option<String>,
}

/// Where a request of this command stands that was typed in this channel.
pub(super) async fn standing(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    command: &Command,
    asked_in: (&str, PlaceKind),
) -> store::Result<Standing> {
    let installation = &actor.installation;
    let settings = app.settings.current();
    let wanted = configured(&settings, command);
    if let Some(channel) = usable(conn, installation, wanted).await? {
        return Ok(in_channel(installation, &channel));
    }
    let known = store::channel::find(conn, installation.id, asked_in.0).await?;
    if let Some(standing) = typed(installation, asked_in, known) {
        return Ok(standing);
    }
    let default = settings.channels.default.as_deref();
    if let Some(channel) = usable(conn, installation, default).await? {
        return Ok(in_channel(installation, &channel));
    }
    Ok(Standing {
        placement: Placement {
            installation: installation.id,
            spot: Spot::Direct {
                account: actor.account.external.clone(),
            },
        },
        name: None,
    })
}

/// The channel that the configuration, else the command's file, names for a command.
pub(super) fn configured<'a>(settings: &'a Settings, command: &'a Command) -> Option<&'a str> {
    let channels = &settings.channels;
    let by_command = channels
        .commands
        .get(&command.name)
        .or(command.channel.as_ref());
    by_command.map(String::as_str)
}

/// A channel by its name, if the bot can post there as far as is known.
pub(super) async fn usable(
    conn: &mut Conn,
    installation: &Installation,
    name: Option<&str>,
) -> store::Result<Option<Channel>> {
    let Some(name) = name else {
        return Ok(None);
    };
    let name = name.strip_prefix('#').unwrap_or(name);
    let channel = store::channel::named(conn, installation.id, name).await?;
    Ok(channel.filter(|c| c.usable != Some(false)))
}

pub(super) fn in_channel(installation: &Installation, channel: &Channel) -> Standing {
    let name = channel.name.as_ref().map(|name| format!("#{name}"));
    Standing {
        placement: Placement {
            installation: installation.id,
            spot: Spot::Channel {
                channel: channel.external.clone(),
            },
        },
        name: Some(name.unwrap_or_else(|| "this channel".to_owned())),
    }
}

/// The channel that it was typed in, if everybody concerned could follow it there: a public one, or a private one that
/// the bot is known to be in.
pub(super) fn typed(
    installation: &Installation,
    (asked_in, told): (&str, PlaceKind),
    known: Option<Channel>,
) -> Option<Standing> {
    let kind = match (told, &known) {
        (PlaceKind::Unknown, Some(known)) => known.kind,
        (told, _) => told,
    };
    let in_it = known.as_ref().and_then(|c| c.usable);
    let good = match kind {
        PlaceKind::Public => in_it != Some(false),
        PlaceKind::Private => in_it == Some(true),
        PlaceKind::DirectWithBot
        | PlaceKind::DirectBetweenPeople
        | PlaceKind::Shared
        | PlaceKind::Unknown => false,
    };
    let unseen = || Channel {
        id: uuid::Uuid::nil(),
        external: asked_in.to_owned(),
        name: None,
        kind,
        usable: None,
    };
    good.then(|| in_channel(installation, &known.unwrap_or_else(unseen)))
}
