//! The channels that files name, for each platform to look for.

use super::Check;
use crate::boot::config::{Channel, Organisation};
use crate::catalog::Catalog;
use crate::catalog::problem::nearest;

/// All of them, as files write them.
pub(super) fn all(organisation: &Organisation, catalog: &Catalog) -> Vec<String> {
    let of_commands = catalog
        .commands()
        .filter(|c| !organisation.command_channels.contains_key(&c.name));
    let mut names: Vec<String> = organisation
        .default_channel
        .iter()
        .chain(organisation.channels.values())
        .chain(organisation.command_channels.values())
        .map(Channel::to_string)
        .chain(of_commands.filter_map(|c| c.channel.clone()))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Whether requests of some command stand wherever it is typed.
pub(super) fn anywhere(organisation: &Organisation, catalog: &Catalog) -> bool {
    let named = &organisation.command_channels;
    let mut commands = catalog.commands();
    commands.any(|c| c.channel.is_none() && !named.contains_key(&c.name))
}

/// Whether it is an id as only Discord gives them: a number.
pub(super) fn is_of_discord(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_digit())
}

/// Whether it is an id as only Slack gives them: `C024BE91L`.
pub(super) fn is_of_slack(name: &str) -> bool {
    let is_id = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    name.bytes().all(is_id) && !is_of_discord(name)
}

/// Files name none.
pub(super) fn none(topic: &'static str) -> Check {
    Check::note(
        topic,
        "none is configured: requests stand where they are typed, else in direct messages",
    )
    .fix("name one: `[channels] default = \"#platform\"`")
}

/// Adds the nearest of the channels that are there, if one is near enough to be meant.
pub(super) fn nearest_of<'a>(
    check: Check,
    name: &str,
    there: impl IntoIterator<Item = &'a str>,
) -> Check {
    match nearest(name, there) {
        Some(near) => check.fix(format!("did you mean `#{near}`?")),
        None => check,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_whose_it_is_and_a_name_does_not() {
        let whose = |name| (is_of_slack(name), is_of_discord(name));
        assert_eq!(whose("C024BE91L"), (true, false));
        assert_eq!(whose("845027738276462632"), (false, true));
        assert_eq!(whose("#platform"), (false, false));
        assert_eq!(whose("#OPS"), (false, false));
    }
}
