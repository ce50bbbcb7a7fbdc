//! What idp wants to be allowed on GitHub, and what is missing of it. The permissions are those of docs/github.md.

use crate::boot::doctor::Check;

pub(super) const RIGHTS: &str = "github rights";

/// A permission of the App or scope of a token, its level, and what is lost without it.
pub(super) struct Right {
    pub(super) name: &'static str,
    pub(super) level: &'static str,
    lost: &'static str,
    needed: bool,
}

const fn needed(name: &'static str, level: &'static str, lost: &'static str) -> Right {
    Right {
        name,
        level,
        lost,
        needed: true,
    }
}

const fn optional(name: &'static str, level: &'static str, lost: &'static str) -> Right {
    Right {
        needed: false,
        ..needed(name, level, lost)
    }
}

/// Those of an App: <https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps>.
pub(super) const PERMISSIONS: [Right; 7] = [
    needed("metadata", "read", "nothing works"),
    needed("administration", "write", "no repository can be made"),
    needed("contents", "write", "nothing can be pushed"),
    needed(
        "workflows",
        "write",
        "templates with `.github/workflows` are refused in the plan",
    ),
    needed(
        "members",
        "read",
        "repositories can't be given to teams: such plans are refused",
    ),
    optional(
        "actions_variables",
        "write",
        "templates with `repoVariables` are refused in the plan",
    ),
    optional(
        "secrets",
        "write",
        "templates with `secrets` are refused in the plan",
    ),
];

/// Those of a classic token:
/// <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps#available-scopes>.
pub(super) const SCOPES: [Right; 3] = [
    needed("repo", "", "no repository can be made"),
    needed(
        "workflow",
        "",
        "templates with `.github/workflows` are refused in the plan",
    ),
    needed(
        "read:org",
        "",
        "repositories can't be given to teams: such plans are refused",
    ),
];

/// Wanted besides, where what is taken back is deleted.
pub(super) const DELETE: Right = optional(
    "delete_repo",
    "",
    "what is taken back can't be deleted (or set `undo = \"archive\"` under `[github]`)",
);

/// What is missing of these, each with what it costs; one line where nothing is.
pub(super) fn rights<'a>(
    wanted: impl IntoIterator<Item = &'a Right>,
    kind: &str,
    has: impl Fn(&Right) -> bool,
    fix: &str,
) -> Vec<Check> {
    let (mut failed, mut lost, mut count) = (Vec::new(), Vec::new(), 0);
    for right in wanted {
        count += usize::from(right.needed);
        if has(right) {
            continue;
        }
        let name = match right.level {
            "" => right.name.to_owned(),
            level => format!("{}: {level}", right.name),
        };
        if right.needed {
            let says = format!("`{name}` is missing: {}", right.lost);
            failed.push(Check::fail(RIGHTS, says).fix(fix));
        } else {
            lost.push(Check::note(
                RIGHTS,
                format!("without `{name}`, {}", right.lost),
            ));
        }
    }
    if failed.is_empty() {
        failed.push(Check::ok(
            RIGHTS,
            format!("all {count} {kind} that idp needs"),
        ));
    }
    failed.extend(lost);
    failed
}

/// Whether a scope is among these, or within another one.
pub(super) fn scoped(granted: &[String], scope: &str) -> bool {
    let includes = |held: &str| {
        held == scope || scope == "read:org" && matches!(held, "write:org" | "admin:org")
    };
    granted.iter().any(|held| includes(held))
}
