//! `[[people]]`: chat accounts that are one human's, as `idp.toml` names them.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use toml::Spanned;

use super::file::Source;
use super::organisation::is_id;
use crate::boot::problem::Problem;
use crate::catalog::problem::nearest;
use crate::domain::person::Platform;

/// `[[people]]` as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonTable {
    accounts: Spanned<Vec<Spanned<String>>>,
}

/// A chat account. `Display` is how the file writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatAccount {
    /// Slack or Discord.
    pub platform: Platform,
    /// The workspace's or server's id there.
    pub installation: String,
    /// The account's id there.
    pub account: String,
    /// Where it stands: `idp.toml:12:5`.
    pub at: String,
}

impl fmt::Display for ChatAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}/{}",
            self.platform, self.installation, self.account
        )
    }
}

const LOOKS_LIKE: &str =
    "write `slack:WORKSPACE/USER` or `discord:SERVER/USER`, by their ids: `slack:T0ACME/U024BE7LH`";

/// Checks all entries: at least two accounts each, none twice.
pub(super) fn people(
    tables: Vec<PersonTable>,
    source: &Source,
) -> Result<Vec<Vec<ChatAccount>>, Problem> {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut people = Vec::new();
    for table in tables {
        let span = table.accounts.span();
        let mut accounts = Vec::new();
        for word in table.accounts.into_inner() {
            let account = account(&word, source)?;
            if !seen.insert(account.to_string()) {
                return Err(Problem::misuse(format!("`{account}` stands here twice"))
                    .at(account.at)
                    .hint("one entry for each human, and each account in one of them"));
            }
            accounts.push(account);
        }
        if accounts.len() < 2 {
            return Err(Problem::misuse("a human with one account needs no entry")
                .at(source.place(span))
                .hint("name two accounts or more that are one human's, or remove the entry"));
        }
        people.push(accounts);
    }
    Ok(people)
}

fn account(word: &Spanned<String>, source: &Source) -> Result<ChatAccount, Problem> {
    let (text, at) = (word.get_ref(), source.place(word.span()));
    let wrong = || Problem::misuse(format!("`{text}` names no chat account")).at(at.clone());
    let Some((platform, rest)) = text.split_once(':') else {
        return Err(wrong().hint(LOOKS_LIKE));
    };
    let chats = Platform::ALL.iter().filter(|p| p.is_chat());
    let Some(platform) = chats.clone().find(|p| p.as_str() == platform) else {
        let right = chats.map(|p| p.as_str());
        return Err(match nearest(platform, right) {
            Some(word) => wrong().hint(format!("did you mean `{word}:{rest}`?")),
            None => wrong().hint(LOOKS_LIKE),
        });
    };
    match rest.split_once('/') {
        Some((installation, account)) if is_id(installation) && is_id(account) => Ok(ChatAccount {
            platform: *platform,
            installation: installation.to_owned(),
            account: account.to_owned(),
            at,
        }),
        _ => Err(wrong().hint(LOOKS_LIKE)),
    }
}
