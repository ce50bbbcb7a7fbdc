//! GitHub out of the file's table and the environment, checked for the usual mix-ups.

use secrecy::SecretString;
use url::{Host, Url};

use super::file::WebhooksOf;
use super::{Environment, Organisation, file, web_address};
use crate::boot::problem::Problem;
use crate::clients::forge::github::{
    API_URL, AppKey, Credentials, GIT_URL, GitHubSettings, Webhook,
};

/// The organisation on GitHub.
#[derive(Debug)]
pub struct GitHub {
    /// How it is reached.
    pub forge: GitHubSettings,
    /// The App's client id, by which people link their accounts.
    pub client_id: Option<String>,
    /// Proves webhook deliveries.
    pub webhook_secret: Option<SecretString>,
}

/// Reads it; `None`: there is no GitHub, repositories stand on the local forge.
pub(super) fn read(
    table: file::GitHub,
    people: &Organisation,
    public_url: Option<&Url>,
    environment: &Environment,
) -> Result<Option<GitHub>, Problem> {
    let word = |name: &str, key: Option<String>| Ok::<_, Problem>(environment.word(name)?.or(key));
    let secret = |name: &str, key| Ok::<_, Problem>(environment.secret(name)?.or(key));
    let app_id = word("GITHUB_APP_ID", table.app_id)?;
    // An App that is known by its client id needs no second one.
    let own = app_id.clone().filter(|id| id.parse::<u64>().is_err());
    let client_id = word("GITHUB_CLIENT_ID", table.client_id)?.or(own);
    let key = secret("GITHUB_APP_PRIVATE_KEY", table.app_private_key)?;
    let token = secret("GITHUB_TOKEN", table.token)?;
    let organisation = word("GITHUB_ORG", table.org)?;
    let webhook_secret = secret("GITHUB_WEBHOOK_SECRET", table.webhook_secret)?;
    let Some(credentials) = credentials(app_id, key, token)? else {
        if organisation.is_none() && webhook_secret.is_none() {
            return Ok(None);
        }
        return Err(half("idp has neither an App nor a token to use it with").hint(
            "set `GITHUB_APP_ID` and `GITHUB_APP_PRIVATE_KEY_FILE`, or `GITHUB_TOKEN`; docs/github.md leads there",
        ));
    };
    let organisation = organisation.or(people.name.clone()).ok_or_else(|| {
        half("`GITHUB_ORG` is missing")
            .hint("name the organisation that repositories are made in, as in its address")
    })?;
    let webhook = match table.webhooks {
        WebhooksOf::Organisation => None,
        WebhooksOf::Repository => Some(webhook(public_url, webhook_secret.as_ref())?),
    };
    let api_url = word("GITHUB_API_URL", table.api_url)?;
    let api_url = address("GITHUB_API_URL", api_url.as_deref().unwrap_or(API_URL))?;
    let git_url = match word("GITHUB_GIT_URL", table.git_url)? {
        Some(url) => address("GITHUB_GIT_URL", &url)?,
        None => git_beside(&api_url)?,
    };
    let forge = GitHubSettings {
        api_url,
        git_url,
        organisation,
        credentials,
        undo: table.undo,
        webhook,
    };
    Ok(Some(GitHub {
        forge,
        client_id,
        webhook_secret,
    }))
}

/// What each repository's own webhook is told.
fn webhook(public_url: Option<&Url>, secret: Option<&SecretString>) -> Result<Webhook, Problem> {
    let (Some(public), Some(secret)) = (public_url, secret) else {
        return Err(half("repositories can't get webhooks of their own").hint(
            "set `IDP_PUBLIC_URL` and `GITHUB_WEBHOOK_SECRET`, or leave out `webhooks = \"repository\"`",
        ));
    };
    let mut address = public.clone();
    let path = format!("{}/github/webhooks", public.path().trim_end_matches('/'));
    address.set_path(&path);
    Ok(Webhook {
        address,
        secret: secret.clone(),
    })
}

fn half(what: &str) -> Problem {
    Problem::misuse(format!("GitHub is half configured: {what}"))
}

fn credentials(
    app_id: Option<String>,
    key: Option<SecretString>,
    token: Option<SecretString>,
) -> Result<Option<Credentials>, Problem> {
    match (app_id, key, token) {
        (None, None, None) => Ok(None),
        (None, None, Some(token)) => Ok(Some(Credentials::Token(token))),
        (Some(id), Some(key), None) => {
            let key = AppKey::from_pem(&key).map_err(|error| {
                Problem::misuse("`GITHUB_APP_PRIVATE_KEY` can't be used")
                    .because(error)
                    .hint("give the whole `.pem` file that GitHub made, best as `GITHUB_APP_PRIVATE_KEY_FILE`")
            })?;
            Ok(Some(Credentials::App { id, key }))
        }
        (Some(_), None, None) => Err(half("`GITHUB_APP_PRIVATE_KEY` is missing")
            .hint("generate a private key on the App's page, and name its file in `GITHUB_APP_PRIVATE_KEY_FILE`")),
        (None, Some(_), None) => {
            Err(half("`GITHUB_APP_ID` is missing").hint("it stands on the App's page, under About"))
        }
        (_, _, Some(_)) => Err(Problem::misuse("GitHub is configured twice: as an App and with a token")
            .hint("unset one of them, so that it is clear who idp is on GitHub")),
    }
}

/// Tokens travel there: in the open only to this machine itself.
fn address(name: &str, text: &str) -> Result<Url, Problem> {
    let url = web_address(name, text)?;
    let here = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() == "https" || here {
        return Ok(url);
    }
    Err(
        Problem::misuse(format!("`{name}` would send tokens in the open: `{text}`"))
            .hint("write it with `https://`"),
    )
}

/// Where repositories are, given the API: of GitHub.com, of GitHub Enterprise Server (`https://HOST/api/v3`), of
/// GitHub Enterprise Cloud with data residency (`https://api.NAME.ghe.com`).
fn git_beside(api: &Url) -> Result<Url, Problem> {
    let host = api.host_str().unwrap_or_default();
    let text = if api.as_str().trim_end_matches('/') == API_URL {
        GIT_URL.to_owned()
    } else if api.path().trim_end_matches('/') == "/api/v3" {
        api.as_str()
            .trim_end_matches('/')
            .trim_end_matches("/api/v3")
            .to_owned()
    } else if let Some(name) = host
        .strip_prefix("api.")
        .filter(|name| name.ends_with(".ghe.com"))
    {
        format!("https://{name}")
    } else {
        return Err(half("`GITHUB_GIT_URL` is missing")
            .hint("say where its repositories are, such as `https://github.example.com`"));
    };
    web_address("GITHUB_GIT_URL", &text)
}
