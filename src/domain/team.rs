//! Teams on GitHub as groups: `github:ORGANISATION/TEAM`, wherever the handle of a group stands.
//!
//! GitHub compares both names without regard to case, so a handle is kept in lower case.

use std::fmt;

/// What the handle of such a group begins with. No platform's user group can have a handle like it.
const PREFIX: &str = "github:";

/// A team on GitHub. `Display` is how people read it: `acme/payments`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GitHubTeam {
    /// The organisation, in lower case.
    pub organisation: String,
    /// The team's name as in its address, in lower case.
    pub slug: String,
}

impl GitHubTeam {
    /// Whether a handle wants to name such a team, rightly or not.
    pub fn is_meant(handle: &str) -> bool {
        handle.starts_with(PREFIX)
    }

    /// The team that a handle names.
    pub fn parse(handle: &str) -> Option<Self> {
        let (organisation, slug) = handle.strip_prefix(PREFIX)?.split_once('/')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let named = |text: &str| !text.is_empty() && text.chars().all(plain);
        (named(organisation) && named(slug)).then(|| Self {
            organisation: organisation.to_ascii_lowercase(),
            slug: slug.to_ascii_lowercase(),
        })
    }

    /// The handle that it is known by.
    pub fn handle(&self) -> String {
        format!("{PREFIX}{self}")
    }
}

impl fmt::Display for GitHubTeam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.organisation, self.slug)
    }
}

/// A handle as it is kept: that of a team on GitHub in lower case, any other as it is.
pub fn kept(handle: &str) -> String {
    GitHubTeam::parse(handle).map_or_else(|| handle.to_owned(), |team| team.handle())
}

/// A handle as people read it: `acme/payments`, `security`.
pub fn shown(handle: &str) -> &str {
    handle.strip_prefix(PREFIX).unwrap_or(handle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_team_is_known_by_one_handle_however_it_is_written() {
        let team = GitHubTeam::parse("github:Acme/Payments-Leads").unwrap();
        assert_eq!(team.to_string(), "acme/payments-leads");
        assert_eq!(kept("github:Acme/Payments-Leads"), team.handle());
        assert_eq!(shown(&team.handle()), "acme/payments-leads");
        assert_eq!(kept("Security"), "Security");
        assert_eq!(shown("security"), "security");
    }

    #[test]
    fn what_names_no_team_is_none() {
        for handle in [
            "security",
            "github:",
            "github:acme",
            "github:/x",
            "github:acme/",
            "github:a/b/c",
            "github:a/b c",
        ] {
            assert_eq!(GitHubTeam::parse(handle), None, "{handle}");
        }
    }
}
