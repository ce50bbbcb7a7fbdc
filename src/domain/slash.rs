//! The slash command as people type it. A platform either takes words behind its name, as they come (`/idp status 142`), or
//! knows subcommands with options that have names of their own (`/idp status id:142`): nobody can type the one where
//! there is the other.

use super::person::Platform;

/// The command's name where nothing tells another one, and wherever idp registers it by itself.
pub const NAME: &str = "/idp";

/// The subcommand that stands for the command alone.
pub const HOME: &str = "home";
/// The subcommand that is no word of ours: what follows it is what is asked for.
pub const RUN: &str = "run";

/// The option that names what is asked for.
pub const COMMAND: &str = "command";
/// The option that takes a request's number.
pub const ID: &str = "id";
/// The option that takes what links two accounts.
pub const CODE: &str = "code";

/// What can be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask<'a> {
    /// The command alone.
    Home,
    /// What can be typed at all.
    Help,
    /// What the operator offers, by its name.
    Command(&'a str),
    /// Where this request stands; none: all open ones of one's own.
    Status(Option<&'a str>),
    /// One's latest requests.
    List,
    /// Takes this request back.
    Cancel(&'a str),
    /// Makes two accounts one person by this, a code or the other platform's name; none: asks for a code.
    Link(Option<&'a str>),
}

/// The slash command as whoever reads of it types it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slash {
    name: String,
    subcommands: bool,
}

impl Slash {
    /// The command that was called by this name, for who reads on this platform.
    pub fn of(name: &str, platform: Platform) -> Self {
        let subcommands = platform.has_subcommands();
        // What idp registers itself has no other name, whatever it is called elsewhere.
        let name = if subcommands { NAME } else { name };
        Self {
            name: name.to_owned(),
            subcommands,
        }
    }

    /// The same for who reads on another platform.
    #[must_use]
    pub fn on(&self, platform: Platform) -> Self {
        Self::of(&self.name, platform)
    }

    /// Its name, with its slash.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is to be typed, all of it.
    pub fn typed(&self, ask: Ask<'_>) -> String {
        let (sub, option, value) = match ask {
            Ask::Home => (HOME, "", None),
            Ask::Help => ("help", "", None),
            Ask::Command(name) => (RUN, COMMAND, Some(name)),
            Ask::Status(request) => ("status", ID, request),
            Ask::List => ("list", "", None),
            Ask::Cancel(request) => ("cancel", ID, Some(request)),
            Ask::Link(what) => ("link", CODE, what),
        };
        let said = self.subcommands || ![HOME, RUN].contains(&sub);
        let value = value.map(|value| {
            if self.subcommands {
                format!("{option}:{value}")
            } else {
                value.to_owned()
            }
        });
        let words = [Some(self.name.clone()), said.then(|| sub.to_owned()), value];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_typed_as_words_or_as_options() {
        let asks = [
            Ask::Home,
            Ask::Help,
            Ask::Command("new-service"),
            Ask::Status(None),
            Ask::Status(Some("142")),
            Ask::List,
            Ask::Cancel("142"),
            Ask::Link(None),
            Ask::Link(Some("K7QM-2RXV")),
        ];
        let all = |slash: &Slash| asks.map(|ask| slash.typed(ask)).join("\n");
        let words = Slash::of("/idp-staging", Platform::Slack);
        assert_eq!(
            all(&words),
            "/idp-staging\n/idp-staging help\n/idp-staging new-service\n/idp-staging status\n\
             /idp-staging status 142\n/idp-staging list\n/idp-staging cancel 142\n/idp-staging link\n\
             /idp-staging link K7QM-2RXV"
        );
        let options = words.on(Platform::Discord);
        assert_eq!(
            all(&options),
            "/idp home\n/idp help\n/idp run command:new-service\n/idp status\n/idp status id:142\n/idp list\n\
             /idp cancel id:142\n/idp link\n/idp link code:K7QM-2RXV"
        );
        assert_eq!(options.on(Platform::Slack).name(), NAME);
    }
}
