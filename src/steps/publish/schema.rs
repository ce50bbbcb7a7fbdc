//! The JSON Schemas that definitions are checked against. A name that isn't here is refused by `idp check` with its
//! line, so a template never relies on a setting that would silently be left out.

use serde_json::{Map, Value, json};

/// The names of a forge that keeps no settings.
const PLAIN: [&str; 8] = [
    "repoUrl",
    "description",
    "repoVisibility",
    "defaultBranch",
    "sourcePath",
    "gitCommitMessage",
    "gitAuthorName",
    "gitAuthorEmail",
];

/// Everything that a repository can be told.
pub(super) fn full() -> Value {
    schema(&properties())
}

/// What a forge without settings takes.
pub(super) fn plain() -> Value {
    let mut properties = properties();
    properties.retain(|name, _| PLAIN.contains(&name.as_str()));
    schema(&properties)
}

/// All names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TEXTS
        .iter()
        .chain(SWITCHES)
        .map(|(name, _)| *name)
        .chain(OTHERS)
}

fn schema(properties: &Map<String, Value>) -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["repoUrl"],
        "properties": properties,
    })
}

const TEXTS: &[(&str, &str)] = &[
    ("repoUrl", "`HOST?owner=OWNER&repo=NAME`"),
    ("description", "A line about the repository"),
    ("homepage", "The address shown beside the description"),
    (
        "access",
        "One administrator: a person's login, or `ORGANISATION/TEAM`",
    ),
    (
        "sourcePath",
        "The folder of the rendered files that becomes the repository; default: all",
    ),
    ("gitCommitMessage", "Default: `Create NAME`"),
    ("gitAuthorName", "Default: whoever asked"),
    ("gitAuthorEmail", "Default: an address that nobody reads"),
];

const SWITCHES: &[(&str, &str)] = &[
    (
        "protectDefaultBranch",
        "Whether the default branch changes by pull requests alone; default: yes",
    ),
    (
        "protectEnforceAdmins",
        "Whether that holds for administrators too; default: yes",
    ),
    (
        "requireCodeOwnerReviews",
        "Whether code owners have to approve",
    ),
    (
        "dismissStaleReviews",
        "Whether a push makes given approvals void",
    ),
    (
        "requireBranchesToBeUpToDate",
        "Whether checks count only on top of the default branch; default: yes",
    ),
    (
        "requireLastPushApproval",
        "Whether somebody else than the last to push has to approve",
    ),
    (
        "requiredConversationResolution",
        "Whether all conversations have to be resolved",
    ),
    ("requiredLinearHistory", "Whether merge commits are refused"),
    ("requiredCommitSigning", "Whether commits have to be signed"),
    ("deleteBranchOnMerge", "Whether a merged branch is deleted"),
    ("hasIssues", "Whether there are issues"),
    ("hasProjects", "Whether there are projects"),
    ("hasWiki", "Whether there is a wiki"),
    (
        "allowMergeCommit",
        "Whether pull requests may be merged with a merge commit",
    ),
    ("allowSquashMerge", "Whether they may become one commit"),
    (
        "allowRebaseMerge",
        "Whether their commits may be put on top",
    ),
    (
        "allowAutoMerge",
        "Whether they may merge by themselves once all is there",
    ),
    (
        "allowUpdateBranch",
        "Whether people may bring a pull request's branch up to date",
    ),
];

const OTHERS: [&str; 12] = [
    "repoVisibility",
    "defaultBranch",
    "requiredApprovingReviewCount",
    "requiredStatusCheckContexts",
    "bypassPullRequestAllowances",
    "collaborators",
    "topics",
    "environments",
    "repoVariables",
    "secrets",
    "squashMergeCommitTitle",
    "squashMergeCommitMessage",
];

fn properties() -> Map<String, Value> {
    let mut all = Map::new();
    for (name, what) in TEXTS {
        all.insert(
            (*name).to_owned(),
            json!({ "type": "string", "description": what }),
        );
    }
    for (name, what) in SWITCHES {
        all.insert(
            (*name).to_owned(),
            json!({ "type": "boolean", "description": what }),
        );
    }
    for name in OTHERS {
        all.insert(name.to_owned(), other(name));
    }
    all
}

fn other(name: &str) -> Value {
    let list =
        |items: Value, what: &str| json!({ "type": "array", "items": items, "description": what });
    let text = json!({ "type": "string", "minLength": 1 });
    let texts = |what: &str| list(text.clone(), what);
    match name {
        "repoVisibility" => {
            json!({ "enum": ["private", "internal", "public"], "default": "private" })
        }
        "defaultBranch" => json!({ "type": "string", "default": "main" }),
        "requiredApprovingReviewCount" => {
            json!({ "type": "integer", "minimum": 0, "maximum": 10, "default": 1 })
        }
        "requiredStatusCheckContexts" => texts("The names of checks that have to pass"),
        "topics" => list(
            json!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9-]{0,49}$" }),
            "Words by which the repository is found: letters, digits and dashes",
        ),
        "environments" => texts("Environments that its workflows deploy to"),
        "bypassPullRequestAllowances" => json!({
            "type": "object", "additionalProperties": false,
            "properties": { "users": texts("Logins"), "teams": texts("Teams"), "apps": texts("Apps") },
            "description": "Who may pass the protection by in pull requests: `users`, `teams`, `apps`",
        }),
        "collaborators" => list(
            json!({
                "type": "object", "additionalProperties": false, "required": ["access"],
                "properties": {
                    "access": { "enum": ["pull", "triage", "push", "maintain", "admin"] },
                    "team": text, "user": text,
                },
                "oneOf": [{ "required": ["team"] }, { "required": ["user"] }],
            }),
            "Who gets a right: `access` (pull, triage, push, maintain, admin) and a `team` or a `user`",
        ),
        "repoVariables" => json!({
            "type": "object",
            "additionalProperties": { "type": ["string", "number", "boolean"] },
            "description": "Variables for its workflows, by name",
        }),
        "secrets" => json!({
            "type": "object", "additionalProperties": text,
            "description": "Secrets for its workflows: a name, and `${{ environment.secrets.NAME }}`",
        }),
        "squashMergeCommitTitle" => json!({ "enum": ["PR_TITLE", "COMMIT_OR_PR_TITLE"] }),
        _ => json!({ "enum": ["PR_BODY", "COMMIT_MESSAGES", "BLANK"] }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::input::Input;
    use super::*;

    #[test]
    fn whatever_the_schema_offers_the_input_reads() {
        for name in names() {
            let schema = other_or_plain(name);
            let value = match (&schema["type"], &schema["enum"][0]) {
                (_, Value::String(word)) => json!(word),
                (Value::String(kind), _) if kind == "boolean" => json!(true),
                (Value::String(kind), _) if kind == "integer" => json!(2),
                (Value::String(kind), _) if kind == "array" => json!([]),
                (Value::String(kind), _) if kind == "object" => json!({}),
                _ => json!("x"),
            };
            let mut input = json!({ "repoUrl": "x?owner=a&repo=b" });
            input[name] = value;
            serde_json::from_value::<Input>(input).unwrap();
        }
    }

    fn other_or_plain(name: &str) -> Value {
        properties()[name].clone()
    }
}
