//! Accounts, persons and the groups that entitle them.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::id::{AccountId, InstallationId, PersonId};

words! {
    /// Where an account lives.
    pub enum Platform {
        /// A Slack workspace or organisation.
        Slack = "slack",
        /// A Discord guild.
        Discord = "discord",
        /// A GitHub App installation.
        Github = "github",
        /// The command line and `/api/requests`: an operator.
        Operator = "operator",
    }
}

impl Platform {
    /// Whether people read and press there.
    pub const fn is_chat(self) -> bool {
        match self {
            Self::Slack | Self::Discord => true,
            Self::Github | Self::Operator => false,
        }
    }

    /// Whether the slash command has subcommands there, whose options are typed by their names.
    pub const fn has_subcommands(self) -> bool {
        match self {
            Self::Discord => true,
            Self::Slack | Self::Github | Self::Operator => false,
        }
    }
}

words! {
    /// What kind of member an account is. Only full members may ask.
    pub enum AccountKind {
        /// Not looked up yet: may open the form, not submit it.
        Unknown = "unknown",
        /// A full member.
        Full = "full",
        /// A guest of one or several channels.
        Guest = "guest",
        /// Someone of another company in a shared channel.
        Outsider = "outsider",
        /// A bot or an app.
        Bot = "bot",
    }
}

/// How old facts about groups may be and still decide something.
pub const FACTS_GOOD_FOR: TimeDelta = TimeDelta::minutes(5);

/// One account, as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Our id.
    pub id: AccountId,
    /// The human behind it.
    pub person: PersonId,
    /// Where it lives.
    pub installation: InstallationId,
    /// Its id there (`U024BE7LH`).
    pub external: String,
    /// The name people read.
    pub name: String,
    /// Full, guest, outsider, bot, or not looked up yet.
    pub kind: AccountKind,
    /// False once deactivated.
    pub active: bool,
}

/// Somebody's account on GitHub, as commits name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitHubAccount {
    /// GitHub's id of it.
    pub id: String,
    /// The login.
    pub login: String,
}

/// A person as cards name them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PersonName {
    /// The person.
    pub person: PersonId,
    /// The name people read, never markup.
    pub name: String,
    /// The account's id on the platform that the card goes to, when there is one there (for mentions).
    pub external: Option<String>,
}

/// A group as rules and cards name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupName {
    /// Its handle (`payments-leads`), the word of `group:` in rules.
    pub handle: String,
    /// The platform's id for mentions, absent for lists of the configuration.
    pub external: Option<String>,
}

/// The members of one group at one moment, as synced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupFacts {
    /// The group.
    pub name: GroupName,
    /// Active persons in it whom a chat platform knows: others could press nothing.
    pub members: Vec<PersonName>,
    /// How many more are in it whom no chat platform knows: people of a GitHub team who never linked their account.
    pub unlinked: u32,
    /// Whether these are all. Where a platform doesn't show who is in a group, only those are known who acted.
    pub whole: bool,
    /// When it was last read. Lists of the configuration are as of now.
    pub synced_at: DateTime<Utc>,
    /// Of those who are only known to be in it since they acted: when that was last so.
    pub told: BTreeMap<PersonId, DateTime<Utc>>,
}

impl GroupFacts {
    /// Whether these facts may decide something at `now`.
    pub fn fresh(&self, now: DateTime<Utc>) -> bool {
        now - self.synced_at <= FACTS_GOOD_FOR
    }

    /// When it was last known whether the person is in the group.
    pub fn known_of(&self, person: PersonId) -> DateTime<Utc> {
        let told = self.told.get(&person);
        told.map_or(self.synced_at, |told| self.synced_at.min(*told))
    }

    /// Adds people of another group; what is known of all is as old as the oldest part of it.
    pub fn join(&mut self, more: Self) {
        self.synced_at = self.synced_at.min(more.synced_at);
        self.unlinked += more.unlinked;
        self.whole &= more.whole;
        for member in more.members {
            let person = member.person;
            let told = more.told.get(&person).copied();
            if !self.has(person) {
                self.told.extend(told.map(|at| (person, at)));
                self.members.push(member);
            } else if let Some(at) = self.told.remove(&person) {
                // In both: once read is enough, else what was told last counts.
                let later = told.map(|told| (person, told.max(at)));
                self.told.extend(later);
            }
        }
    }

    /// Whether the person is in the group.
    pub fn has(&self, person: PersonId) -> bool {
        self.members.iter().any(|m| m.person == person)
    }
}
