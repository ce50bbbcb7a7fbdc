//! The pages of the local forge: all repositories, one repository with its files and README, one file. Made on the
//! server, no scripts; light or dark as the system is.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{GitState, readme};
use crate::clients::forge::local::{Content, Listed, ListedKind, ReadError};
use crate::clients::forge::{Forge as _, ForgeError, ObjectId, RepoName, RepoState};
use crate::domain::tree::TreePath;

/// Longest file that a page shows. Longer ones can be cloned.
const MAX_SHOWN: u64 = 512 * 1024;

/// Longest file that is handed out raw: as much as a whole tree of ours may hold.
const MAX_RAW: u64 = crate::domain::tree::MAX_BYTES as u64;

/// What stays as it is in a URL's path: RFC 3986's unreserved characters, and the slash between names.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

const STYLE: &str = include_str!("style.css");

type Names = Path<(String, String)>;
type NamesAndPath = Path<(String, String, String)>;

/// All repositories.
pub(super) async fn index(State(state): State<Arc<GitState>>) -> Response {
    let repos = match state.forge.list().await {
        Ok(repos) => repos,
        Err(error) => return away(&error),
    };
    let body = html! {
        h1 { "Repositories" }
        @if repos.is_empty() { p { "There are none yet." } }
        ul.repos {
            @for repo in &repos {
                li {
                    a href={ "/git/" (repo.repo) } { (repo.repo) } " " span.badge { (repo.visibility) }
                    @if !repo.description.is_empty() { p { (repo.description) } }
                }
            }
        }
    };
    page(StatusCode::OK, "Repositories", &body)
}

/// One repository: its files and README.
pub(super) async fn repository(
    State(state): State<Arc<GitState>>,
    Path((owner, name)): Names,
) -> Response {
    if let Some(name) = name.strip_suffix(".git")
        && let Ok(repo) = RepoName::new(&owner, name)
    {
        return Redirect::temporary(&format!("/git/{repo}")).into_response(); // a clone address in a browser
    }
    match View::open(&state, &owner, &name).await {
        Ok(view) => view
            .folder(None)
            .await
            .unwrap_or_else(|error| broken(&error)),
        Err(response) => response,
    }
}

/// A folder of the default branch.
pub(super) async fn folder(
    State(state): State<Arc<GitState>>,
    Path((owner, name, rest)): NamesAndPath,
) -> Response {
    match View::open(&state, &owner, &name).await {
        Ok(view) => match view.path(&rest) {
            Some(path) => view
                .folder(Some(&path))
                .await
                .unwrap_or_else(|error| broken(&error)),
            None => missing("There is no such folder."),
        },
        Err(response) => response,
    }
}

/// A file of the default branch.
pub(super) async fn file(
    State(state): State<Arc<GitState>>,
    Path((owner, name, rest)): NamesAndPath,
) -> Response {
    match View::open(&state, &owner, &name).await {
        Ok(view) => match view.path(&rest) {
            Some(path) => view
                .file(&path)
                .await
                .unwrap_or_else(|error| broken(&error)),
            None => missing("There is no such file."),
        },
        Err(response) => response,
    }
}

/// The bytes of a file, for programs.
pub(super) async fn raw(
    State(state): State<Arc<GitState>>,
    Path((owner, name, rest)): NamesAndPath,
) -> Response {
    let view = match View::open(&state, &owner, &name).await {
        Ok(view) => view,
        Err(response) => return response,
    };
    let Some(path) = view.path(&rest) else {
        return missing("There is no such file.");
    };
    match view.content(&path, MAX_RAW).await {
        Ok(Content::Bytes(bytes)) => {
            let text = std::str::from_utf8(&bytes).is_ok();
            let kind = if text {
                "text/plain; charset=utf-8"
            } else {
                "application/octet-stream"
            };
            guarded(([(CONTENT_TYPE, kind)], bytes).into_response())
        }
        Ok(Content::NoFile) => missing("There is no such file."),
        Ok(Content::TooLarge { .. }) => {
            missing("This file is too large; please clone the repository.")
        }
        Err(error) => broken(&error),
    }
}

/// A repository that somebody looks at.
struct View<'a> {
    state: &'a GitState,
    repo: RepoState,
}

impl<'a> View<'a> {
    async fn open(state: &'a GitState, owner: &str, name: &str) -> Result<Self, Response> {
        let Ok(wanted) = RepoName::new(owner, name) else {
            return Err(missing("There is no such repository."));
        };
        match state.forge.look(&wanted).await {
            Ok(Some(repo)) => Ok(Self { state, repo }),
            Ok(None) => Err(missing("There is no such repository.")),
            Err(error) => Err(away(&error)),
        }
    }

    /// The path behind `BRANCH/`: only the default branch (or `HEAD`) has pages.
    fn path(&self, rest: &str) -> Option<TreePath> {
        let branch = self.repo.default_branch.as_str();
        let path = rest
            .strip_prefix(branch)
            .or_else(|| rest.strip_prefix("HEAD"))?;
        TreePath::new(path.strip_prefix('/')?.trim_end_matches('/')).ok()
    }

    fn url(&self, kind: &str, path: &str) -> String {
        let Self { repo, .. } = self;
        format!(
            "/git/{}/{kind}/{}/{}",
            repo.repo,
            repo.default_branch,
            utf8_percent_encode(path, KEPT)
        )
    }

    async fn content(&self, path: &TreePath, limit: u64) -> Result<Content, ReadError> {
        match self.repo.head {
            Some(head) => {
                self.state
                    .forge
                    .file(&self.repo.repo, head, path, limit)
                    .await
            }
            None => Ok(Content::NoFile),
        }
    }

    async fn folder(&self, folder: Option<&TreePath>) -> Result<Response, ReadError> {
        let Some(head) = self.repo.head else {
            return Ok(self.show(folder, &html! { p { "Nothing has been pushed yet." } }));
        };
        let Some(entries) = self
            .state
            .forge
            .folder(&self.repo.repo, head, folder)
            .await?
        else {
            return Ok(missing("There is no such folder."));
        };
        let prefix = folder
            .map(|folder| format!("{folder}/"))
            .unwrap_or_default();
        let readme = self.readme(head, &prefix, &entries).await?;
        let body = html! {
            table.files { tbody {
                @for entry in &entries { (self.entry(&prefix, entry)) }
            } }
            @if let Some(readme) = readme { article.readme { (readme) } }
        };
        Ok(self.show(folder, &body))
    }

    fn entry(&self, prefix: &str, entry: &Listed) -> Markup {
        let path = format!("{prefix}{}", entry.name);
        html! { tr {
            td { @match entry.kind {
                ListedKind::Folder => a href=(self.url("tree", &path)) { (entry.name) "/" },
                ListedKind::File | ListedKind::Link => a href=(self.url("blob", &path)) { (entry.name) },
                ListedKind::Module => (entry.name),
            } }
            td.size { @match entry.kind {
                ListedKind::Link => "link",
                ListedKind::Module => "submodule",
                ListedKind::Folder | ListedKind::File => @if let Some(size) = entry.size { (human(size)) },
            } }
        } }
    }

    /// `README.md`, `readme`, … of a folder, as HTML.
    async fn readme(
        &self,
        head: ObjectId,
        prefix: &str,
        entries: &[Listed],
    ) -> Result<Option<Markup>, ReadError> {
        let wanted = |name: &str| {
            ["readme.md", "readme", "readme.txt"]
                .iter()
                .position(|w| name.eq_ignore_ascii_case(w))
        };
        let files = entries
            .iter()
            .filter(|entry| entry.kind == ListedKind::File);
        let best = files
            .filter_map(|entry| Some((wanted(&entry.name)?, entry)))
            .min_by_key(|(rank, _)| *rank);
        let Some(Ok(path)) =
            best.map(|(_, entry)| TreePath::new(format!("{prefix}{}", entry.name)))
        else {
            return Ok(None);
        };
        let content = self
            .state
            .forge
            .file(&self.repo.repo, head, &path, MAX_SHOWN)
            .await?;
        let Content::Bytes(bytes) = content else {
            return Ok(None);
        };
        Ok(Some(self.text(&path, &String::from_utf8_lossy(&bytes))))
    }

    /// A text as people read it: Markdown rendered, all else as it stands.
    fn text(&self, path: &TreePath, text: &str) -> Markup {
        let is_markdown = path
            .name()
            .rsplit_once('.')
            .is_some_and(|(_, end)| end.eq_ignore_ascii_case("md"));
        if !is_markdown {
            return html! { pre { (text) } };
        }
        let folder = path
            .folders()
            .last()
            .map(|folder| format!("{folder}/"))
            .unwrap_or_default();
        readme::render(text, &self.url("blob", &folder))
    }

    async fn file(&self, path: &TreePath) -> Result<Response, ReadError> {
        let raw = html! { p { a href=(self.url("raw", path.as_str())) { "Raw" } } };
        let body = match self.content(path, MAX_SHOWN).await? {
            Content::NoFile => return Ok(missing("There is no such file.")),
            Content::TooLarge { size } => {
                html! { p { "This file has " (human(size)) ", more than a page shows." } (raw) }
            }
            Content::Bytes(bytes) => match std::str::from_utf8(&bytes) {
                Ok(text) if !text.contains('\0') => {
                    html! { (raw) article { (self.text(path, text)) } }
                }
                _ => html! { p { "This is no text: " (human(bytes.len() as u64)) "." } (raw) },
            },
        };
        Ok(self.show(Some(path), &body))
    }

    fn show(&self, path: Option<&TreePath>, body: &Markup) -> Response {
        let repo = &self.repo;
        let urls = self.state.forge.urls(&repo.repo, &repo.default_branch);
        let whole = html! {
            nav { a href="/git" { "Repositories" } }
            h1 { a href={ "/git/" (repo.repo) } { (repo.repo) } " " span.badge { (repo.visibility) } }
            @if !repo.description.is_empty() { p { (repo.description) } }
            p.facts {
                @if let Some(team) = &repo.team { "Team " (team) " · " }
                "branch " (repo.default_branch)
                @if let Some(head) = repo.head { " · commit " code title=(head) { (head.to_string()[..7]) } }
            }
            pre.clone { "git clone " (urls.remote) }
            @if let Some(path) = path { (self.crumbs(path)) }
            (body)
        };
        page(StatusCode::OK, &repo.repo.to_string(), &whole)
    }

    fn crumbs(&self, path: &TreePath) -> Markup {
        html! { p.crumbs {
            a href={ "/git/" (self.repo.repo) } { (self.repo.repo.name()) }
            @for folder in path.folders() { " / " a href=(self.url("tree", folder)) { (folder.rsplit('/').next().unwrap_or(folder)) } }
            " / " (path.name())
        } }
    }
}

#[expect(clippy::cast_precision_loss, reason = "people read one decimal")]
fn human(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
    }
}

fn missing(why: &str) -> Response {
    page(
        StatusCode::NOT_FOUND,
        "Not found",
        &html! { h1 { "Not found" } p { (why) } p { a href="/git" { "All repositories" } } },
    )
}

fn away(error: &ForgeError) -> Response {
    tracing::warn!("{}", error.detail());
    let body = html! { h1 { "Not now" } p { (error) ". Please try again in a moment." } };
    page(StatusCode::SERVICE_UNAVAILABLE, "Not now", &body)
}

fn broken(error: &ReadError) -> Response {
    tracing::error!(%error, "A repository could not be read");
    let body = html! { h1 { "Not now" } p { "Git gave no answer. Please try again in a moment." } };
    page(StatusCode::SERVICE_UNAVAILABLE, "Not now", &body)
}

fn page(status: StatusCode, title: &str, body: &Markup) -> Response {
    let whole = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · git" }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    };
    guarded((status, whole).into_response())
}

/// Nothing that a repository holds may run, load, frame or be taken for something else.
fn guarded(mut response: Response) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        HeaderName::from_static("referrer-policy"),
        HeaderValue::from_static("no-referrer"),
    );
    response
}
