//! What a forge can answer besides yes, and what each answer means for a step.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use super::RepoName;
use super::local::TITLE;
use crate::domain::step::StepError;

/// Why a forge didn't do it. The text is for people; what only the log should know stands in `cause`.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// It gives no answer, or its folder is not there: nothing was done.
    #[error("{} can't be reached", capital(forge))]
    Away {
        /// How people call it.
        forge: &'static str,
        /// For the log.
        cause: String,
        /// Not before so long, where it said so.
        after: Option<Duration>,
    },
    /// It refuses the rate of our calls: nothing was done.
    #[error("{} asks to wait", capital(forge))]
    Limited {
        /// How people call it.
        forge: &'static str,
        /// Not before so long.
        after: Duration,
        /// For the log.
        cause: String,
    },
    /// We hold ourselves back, so that it needn't refuse: nothing was done.
    #[error("Too much is being made on {forge} right now")]
    Paced {
        /// How people call it.
        forge: &'static str,
        /// When there is room again.
        after: Duration,
    },
    /// It has no room left: nothing was done, or what was begun is taken back.
    #[error("The git server has no space left")]
    Full {
        /// For the log.
        cause: String,
    },
    /// Somebody pushes there at this moment.
    #[error("Somebody is pushing to {repo} right now")]
    Busy {
        /// Where.
        repo: RepoName,
    },
    /// A repository of that name exists, and this request didn't make it.
    #[error("{repo} exists already{}", team.as_deref().map(|t| format!(" (team {t})")).unwrap_or_default())]
    Taken {
        /// The name.
        repo: RepoName,
        /// Who owns it, where that is known.
        team: Option<String>,
    },
    /// There is no such repository.
    #[error("{repo} doesn't exist")]
    Missing {
        /// The name.
        repo: RepoName,
    },
    /// Somebody else's commit is in it.
    #[error("Somebody else has pushed to {repo}")]
    Foreign {
        /// Where.
        repo: RepoName,
    },
    /// It refuses, and will refuse again.
    #[error("{} refused{}", capital(forge), why.as_deref().map(|why| format!(": {why}")).unwrap_or_default())]
    Refused {
        /// How people call it.
        forge: &'static str,
        /// Why, for people: no secret, no markup, at most a few lines.
        why: Option<String>,
        /// For the log.
        cause: String,
    },
    /// It was asked and gave no answer: it may have done it.
    #[error("{} broke off in the middle of {repo}", capital(forge))]
    Unsure {
        /// How people call it.
        forge: &'static str,
        /// Where to look.
        repo: RepoName,
        /// For the log.
        cause: String,
        /// Not before so long, where it did answer that it is failing.
        after: Option<Duration>,
    },
}

impl ForgeError {
    /// What the log says: the sentence and the cause behind it.
    pub fn detail(&self) -> String {
        match self {
            Self::Away { cause, .. }
            | Self::Limited { cause, .. }
            | Self::Full { cause }
            | Self::Refused { cause, .. }
            | Self::Unsure { cause, .. } => format!("{self}: {cause}"),
            Self::Paced { .. }
            | Self::Busy { .. }
            | Self::Taken { .. }
            | Self::Missing { .. }
            | Self::Foreign { .. } => self.to_string(),
        }
    }

    /// Judges an error of the file system below a repository.
    pub(super) fn io(repo: &RepoName, doing: &str, error: &Error) -> Self {
        let cause = format!("{doing} {repo}: {error}");
        match error.kind() {
            // EFBIG: a file-size limit. ENOSPC and EDQUOT: the disk, the quota.
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::Full { cause }
            }
            // InvalidData: a marker that we can't read, which no retry mends.
            ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::InvalidData => Self::Refused {
                forge: TITLE,
                why: None,
                cause,
            },
            // A folder vanished under our hands: the root was moved away between the look and the deed.
            ErrorKind::NotFound | ErrorKind::StaleNetworkFileHandle => Self::Away {
                forge: TITLE,
                cause,
                after: None,
            },
            _ => Self::Unsure {
                forge: TITLE,
                repo: repo.clone(),
                cause,
                after: None,
            },
        }
    }
}

/// At the beginning of a sentence.
fn capital(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

impl From<ForgeError> for StepError {
    fn from(error: ForgeError) -> Self {
        let cause = error.to_string();
        let delta = |after: Duration| chrono::TimeDelta::from_std(after).ok();
        match error {
            ForgeError::Away { after, .. } => Self::Again {
                cause,
                after: after.and_then(delta),
            },
            ForgeError::Limited { after, .. } | ForgeError::Paced { after, .. } => Self::Again {
                cause,
                after: delta(after),
            },
            ForgeError::Full { .. } | ForgeError::Busy { .. } => Self::Again { cause, after: None },
            ForgeError::Taken { .. }
            | ForgeError::Missing { .. }
            | ForgeError::Foreign { .. }
            | ForgeError::Refused { .. } => Self::Stop { cause },
            ForgeError::Unsure {
                forge, repo, after, ..
            } => Self::Unknown {
                cause,
                check: format!("whether {repo} exists on {forge}"),
                after: after.and_then(delta),
            },
        }
    }
}
