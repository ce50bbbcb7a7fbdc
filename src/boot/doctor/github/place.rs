//! Which GitHub it is, and what is told of any question that it refuses.

use url::Url;

use crate::boot::config::GitHub;
use crate::boot::doctor::Check;
use crate::clients::forge::github::examine::Trouble;

/// Which organisation, on which GitHub, by what: for the words and addresses of what to do.
pub(super) struct Place {
    pub(super) organisation: String,
    pub(super) web: String,
    pub(super) api: String,
    pub(super) app: bool,
}

impl Place {
    pub(super) fn of(github: &GitHub) -> Self {
        use crate::clients::forge::github::Credentials;
        Self {
            organisation: github.forge.organisation.clone(),
            web: trimmed(&github.forge.git_url),
            api: trimmed(&github.forge.api_url),
            app: matches!(github.forge.credentials, Credentials::App { .. }),
        }
    }

    /// A question that was refused for a reason that any can be.
    pub(super) fn refused(&self, topic: &'static str, what: &str, trouble: &Trouble) -> Check {
        let check = Check::fail(topic, format!("{what}: {}", trouble.says));
        match (trouble.status, &trouble.authorise) {
            (_, Some(url)) => check.fix(format!("let the token in by single sign-on: {url}")),
            (None, _) => check.fix(format!(
                "let this machine reach `{}` (or what `GITHUB_API_URL` says)",
                self.api
            )),
            (Some(429 | 500..), _) => check.fix("try again in a minute"),
            _ => check,
        }
    }
}

pub(super) fn trimmed(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}
