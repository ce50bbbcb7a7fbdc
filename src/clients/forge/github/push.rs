//! The one `git push`: a pack that we write ourselves, from a bare repository of the moment.
//!
//! The token travels in a header that git reads from its environment: neither on the command line, which every process
//! on the machine can read, nor in the address, which git prints. Nobody is asked for anything, no redirect is
//! followed, and when the time is up or nobody waits any more, git and what it started are ended together.

use std::ffi::OsStr;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::process::{Child, Command};

use super::api::{Api, Call, Reply};
use super::find::{first_commit, path};
use super::judge::away;
use super::rights::Rights;
use super::{TITLE, marker, part, refused};
use crate::clients::forge::deliver::Moment;
use crate::clients::forge::git::Git;
use crate::clients::forge::object::Objects;
use crate::clients::forge::{CommitSpec, ForgeError, ObjectId, RepoName, RepoSpec};
use crate::domain::tree::Tree;

/// How long a push may take: a template is a few megabytes at most.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs git against GitHub.
#[derive(Debug)]
pub(super) struct Pusher {
    git: Git,
    /// `https://github.com`
    root: String,
}

impl Pusher {
    pub(super) fn new(git: Git, root: String) -> Self {
        Self { git, root }
    }
}

/// Makes sure that the tree is the first commit of the default branch.
pub(super) async fn push(
    api: &Api,
    pusher: &Pusher,
    spec: &RepoSpec,
    tree: Arc<Tree>,
    commit: &CommitSpec,
) -> Result<ObjectId, ForgeError> {
    let commit = marker::sign(commit, spec.request);
    let workflows = tree
        .iter()
        .any(|(path, _)| path.as_str().starts_with(".github/workflows/"));
    let rights = Rights::push(&spec.repo, workflows);
    let id = Objects::new(&tree, &commit).commit;
    match head(api, spec, &rights).await? {
        None => {}
        Some(head) if head == id => return Ok(id),
        Some(_) => return built_on(api, spec, id).await,
    }
    let token = api.token(&rights, &spec.repo).await?;
    let branch = spec.default_branch.clone();
    let moment = tokio::task::spawn_blocking(move || Moment::make(&branch, &tree, &commit)).await;
    let moment = match moment {
        Ok(Ok(moment)) => moment,
        Ok(Err(error)) => return Err(here(&error)),
        Err(error) => return Err(here(&error)),
    };
    let said = pusher.run(&moment, spec, &token).await?;
    if said.status.success() {
        return Ok(id);
    }
    let error = judge(&spec.repo, &String::from_utf8_lossy(&said.stderr));
    if matches!(error, ForgeError::Refused { .. }) {
        api.forget(&rights).await; // it may be the token's fault
    }
    Err(error)
}

/// The commit of the branch; `None`: the repository is empty.
async fn head(api: &Api, spec: &RepoSpec, rights: &Rights) -> Result<Option<ObjectId>, ForgeError> {
    // Parts of a branch's name stay parts of the path here.
    let parts: Vec<String> = spec.default_branch.as_str().split('/').map(part).collect();
    let at = format!("{}/git/ref/heads/{}", path(&spec.repo), parts.join("/"));
    match api.ask(Call::get(at, rights, &spec.repo)).await? {
        Reply::Fine(answer) => answer.body["object"]["sha"]
            .as_str()
            .and_then(|sha| sha.parse().ok())
            .map(Some)
            .ok_or_else(|| refused("its answer is no branch")),
        Reply::Conflict(_) => Ok(None), // "Git Repository is empty."
        Reply::Absent => Err(refused(format!(
            "{} has no branch {} any more",
            spec.repo, spec.default_branch
        ))),
        Reply::Moved(_) => Err(ForgeError::Missing {
            repo: spec.repo.clone(),
        }),
        Reply::Invalid(said) => Err(refused(said)),
    }
}

/// Whether others have built on our commit: then it is there, and all is well.
async fn built_on(api: &Api, spec: &RepoSpec, ours: ObjectId) -> Result<ObjectId, ForgeError> {
    if first_commit(api, &spec.repo, &spec.default_branch).await? == Some(ours) {
        return Ok(ours);
    }
    Err(ForgeError::Foreign {
        repo: spec.repo.clone(),
    })
}

impl Pusher {
    async fn run(
        &self,
        moment: &Moment,
        spec: &RepoSpec,
        token: &SecretString,
    ) -> Result<Output, ForgeError> {
        let url = format!("{}/{}.git", self.root, spec.repo);
        let mut command = self.git.command();
        command
            .arg("--git-dir")
            .arg(moment.dir())
            .args(["push", "--quiet", "--porcelain", "--", &url])
            .arg(spec.default_branch.full())
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "false")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let basic = STANDARD.encode(format!("x-access-token:{}", token.expose_secret()));
        configure(
            &mut command,
            &[
                // For this address alone.
                (
                    format!("http.{}/.extraHeader", self.root),
                    format!("Authorization: Basic {basic}"),
                ),
                ("http.followRedirects".to_owned(), "false".to_owned()),
                ("credential.helper".to_owned(), String::new()),
            ],
        );
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let _slot = self.git.slot().await;
        let child = Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| here(&e))?;
        let unsure = |cause: String| ForgeError::Unsure {
            forge: TITLE,
            repo: spec.repo.clone(),
            cause,
            after: None,
        };
        match tokio::time::timeout(PATIENCE, finish(child)).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) => Err(unsure(format!("git push: {error}"))),
            Err(_) => Err(unsure(format!(
                "git push took longer than {} s",
                PATIENCE.as_secs()
            ))),
        }
    }
}

/// Waits for the end; dropped before it, everything that git started is ended.
async fn finish(child: Child) -> std::io::Result<Output> {
    let mut group = Group(
        child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)),
    );
    let output = child.wait_with_output().await;
    group.0 = None;
    output
}

struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = self.0 {
            let _gone_already = kill_process_group(id, Signal::KILL);
        }
    }
}

/// Adds settings behind those that every git of ours has.
fn configure(command: &mut std::process::Command, settings: &[(String, String)]) {
    let count = OsStr::new("GIT_CONFIG_COUNT");
    let before = command
        .get_envs()
        .find(|(name, _)| *name == count)
        .and_then(|(_, value)| value?.to_str()?.parse::<usize>().ok())
        .unwrap_or(0);
    for (n, (key, value)) in settings.iter().enumerate() {
        command
            .env(format!("GIT_CONFIG_KEY_{}", before + n), key)
            .env(format!("GIT_CONFIG_VALUE_{}", before + n), value);
    }
    command.env(count, (before + settings.len()).to_string());
}

/// What git says about a push that failed, in the words of git and of GitHub's `remote:` lines. What it doesn't say is
/// a question: the branch may be there.
fn judge(repo: &RepoName, said: &str) -> ForgeError {
    let cause = format!("git push to {repo}: {}", said.trim());
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if says(&[
        "Could not resolve host",
        "Failed to connect",
        "Couldn't connect",
        "Connection refused",
    ]) {
        return away(cause);
    }
    if says(&["returned error: 5", "returned error: 429"]) {
        // Refused before anything was sent: the first request of a push only asks for the branches.
        return away(cause);
    }
    if says(&["(fetch first)", "(non-fast-forward)"]) {
        return ForgeError::Foreign { repo: repo.clone() };
    }
    if says(&["Repository not found", "not found"]) && !says(&["rejected"]) {
        return ForgeError::Missing { repo: repo.clone() };
    }
    let why = if says(&["without `workflows` permission", "without `workflow` scope"]) {
        "idp may not push files below .github/workflows (it lacks workflows: write)".to_owned()
    } else if says(&["GH013", "push declined", "rule violations"]) {
        format!("a rule of the organisation forbids the push{}", told(said))
    } else if says(&[
        "Authentication failed",
        "could not read Username",
        "returned error: 401",
    ]) {
        "it doesn't accept idp's token for pushing".to_owned()
    } else if says(&["returned error: 403", "denied to"]) {
        "idp may not push there (it lacks contents: write)".to_owned()
    } else if says(&["rejected"]) {
        format!("it rejected the push{}", told(said))
    } else {
        return ForgeError::Unsure {
            forge: TITLE,
            repo: repo.clone(),
            cause,
            after: None,
        };
    };
    ForgeError::Refused {
        forge: TITLE,
        why: Some(why),
        cause,
    }
}

/// The first thing that GitHub itself said, bounded.
fn told(said: &str) -> String {
    let lines = said
        .lines()
        .filter_map(|line| line.trim().strip_prefix("remote:"));
    let first = lines
        .map(|line| line.trim().trim_start_matches("error:").trim())
        .find(|line| !line.is_empty());
    first.map_or_else(String::new, |line| format!(": {}", marker::line(line, 200)))
}

/// Something on this machine, before GitHub was asked.
fn here(error: &dyn std::error::Error) -> ForgeError {
    ForgeError::Full {
        cause: format!("preparing the push: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::step::StepError;

    #[test]
    fn a_push_that_failed_says_what_to_do() {
        let repo = RepoName::new("acme", "x").unwrap();
        let sentence = |said: &str| match StepError::from(judge(&repo, said)) {
            StepError::Again { cause, .. } => format!("again: {cause}"),
            StepError::Stop { cause } => format!("stop: {cause}"),
            StepError::Unknown { cause, .. } => format!("unknown: {cause}"),
        };
        for (said, expected) in [
            (
                "fatal: unable to access 'https://x/': Could not resolve host: x",
                "again: GitHub can't be reached",
            ),
            (
                "fatal: unable to access 'https://x/': The requested URL returned error: 502",
                "again: GitHub can't be reached",
            ),
            (
                "error: RPC failed; HTTP 502 curl 22\nsend-pack: unexpected disconnect while reading sideband packet\nfatal: the remote end hung up unexpectedly",
                "unknown: GitHub broke off in the middle of acme/x",
            ),
            (
                "remote: error: GH013: Repository rule violations found for refs/heads/main.\n! [remote rejected] main -> main (push declined due to repository rule violations)",
                "stop: GitHub refused: a rule of the organisation forbids the push: GH013: Repository rule violations found for refs/heads/main.",
            ),
            (
                "! [remote rejected] main -> main (refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml` without `workflows` permission)",
                "stop: GitHub refused: idp may not push files below .github/workflows (it lacks workflows: write)",
            ),
            (
                "remote: Invalid username or token.\nfatal: Authentication failed for 'https://x/'",
                "stop: GitHub refused: it doesn't accept idp's token for pushing",
            ),
            (
                "remote: Permission to acme/x.git denied to idp[bot].\nfatal: unable to access: The requested URL returned error: 403",
                "stop: GitHub refused: idp may not push there (it lacks contents: write)",
            ),
            (
                "remote: Repository not found.\nfatal: repository 'https://x/' not found",
                "stop: acme/x doesn't exist",
            ),
            (
                "! [rejected] main -> main (fetch first)",
                "stop: Somebody else has pushed to acme/x",
            ),
        ] {
            assert_eq!(sentence(said), expected, "{said}");
        }
    }
}
