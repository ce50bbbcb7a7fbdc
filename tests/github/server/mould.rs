//! Bodies of answers, cast from the examples that GitHub publishes: complete, and in its shapes.

use serde_json::{Map, Value, json};

use super::spec::spec;
use super::world::{Environment, Kept, Repo, Team, World, node_id, stamp};

impl World {
    /// A published example with our addresses in place of GitHub's, and `was` called `is`.
    pub fn cast(&self, example: &str, names: &[(&str, &str)]) -> Value {
        let mut text = spec().example(example).to_string();
        text = text
            .replace("https://api.github.com", &self.api)
            .replace("https://github.com", &self.web);
        for (was, is) in names {
            text = text.replace(was, is);
        }
        serde_json::from_str(&text).unwrap()
    }

    /// A person or organisation, as it stands in others' answers.
    pub fn account(&self, login: &str) -> Value {
        let org = login == self.org.login;
        let (id, kind) = if org {
            (self.org.id, "Organization")
        } else if let Some(bot) = login.strip_suffix("[bot]") {
            (
                if bot == self.app.slug {
                    self.app.id + 1
                } else {
                    1
                },
                "Bot",
            )
        } else {
            (self.users.get(login).map_or(1, |user| user.id), "User")
        };
        let mut account = self.cast("full-repository", &[])["owner"].clone();
        let text = account
            .to_string()
            .replace("octocat", &login.replace('[', "%5B").replace(']', "%5D"));
        account = serde_json::from_str(&text).unwrap();
        set(
            &mut account,
            json!({ "login": login, "id": id, "node_id": node_id("U", id), "type": kind }),
        );
        account
    }

    pub fn repo_json(&self, repo: &Repo, permissions: &Value) -> Value {
        let names = [("octocat/Hello-World", &*repo.full_name())];
        let mut body = self.cast("full-repository-default-response", &names);
        for gone in [
            "template_repository",
            "parent",
            "source",
            "organization",
            "temp_clone_token",
            "license",
        ] {
            body.as_object_mut().unwrap().remove(gone);
        }
        let clone = format!("{}/{}.git", self.web, repo.full_name());
        let public = repo.visibility == "public";
        set(&mut body, Value::Object(repo.shown.clone()));
        set(
            &mut body,
            json!({
                "id": repo.id, "node_id": node_id("R", repo.id), "name": repo.name, "full_name": repo.full_name(),
                "owner": self.account(&repo.owner), "private": !public, "visibility": repo.visibility,
                "archived": repo.archived, "topics": repo.topics, "default_branch": repo.default_branch,
                "clone_url": clone, "created_at": stamp(repo.created), "updated_at": stamp(repo.updated),
                "pushed_at": stamp(repo.pushed), "permissions": permissions, "forks_count": 0, "forks": 0,
                "stargazers_count": 0, "watchers_count": 0, "watchers": 0, "open_issues_count": 0, "open_issues": 0,
                "subscribers_count": 0, "network_count": 0, "size": 0, "fork": false, "language": null,
                "mirror_url": null, "license": null, "has_pages": false, "disabled": false,
                "custom_properties": repo.properties.clone(),
            }),
        );
        if repo.owner == self.org.login {
            set(
                &mut body,
                json!({ "organization": self.account(&self.org.login) }),
            );
        }
        body
    }

    pub fn team_json(&self, team: &Team, full: bool) -> Value {
        let example = if full { "team-full" } else { "team-items" };
        let names = [
            ("orgs/github", &*format!("orgs/{}", self.org.login)),
            ("justice-league", &team.slug),
        ];
        let mut body = self.cast(example, &names);
        if !full {
            body = body[0].clone();
        }
        set(
            &mut body,
            json!({
                "id": team.id, "node_id": node_id("T", team.id), "name": team.name, "slug": team.slug,
                "type": "organization", "permission": "pull", "description": null, "parent": null, "privacy": "closed",
                "url": format!("{}/organizations/{}/team/{}", self.api, self.org.id, team.id),
            }),
        );
        if full {
            let repos = self
                .repos
                .values()
                .filter(|repo| repo.teams.contains_key(&team.slug))
                .count();
            set(
                &mut body,
                json!({
                    "members_count": team.members.len(), "repos_count": repos,
                    "created_at": stamp(team.created), "updated_at": stamp(team.created),
                }),
            );
            let mut org = body["organization"].clone();
            let text = org
                .to_string()
                .replace("orgs/github", &format!("orgs/{}", self.org.login));
            org = serde_json::from_str(&text).unwrap();
            set(
                &mut org,
                json!({
                    "login": self.org.login, "id": self.org.id, "node_id": node_id("O", self.org.id),
                    "archived_at": null,
                }),
            );
            body["organization"] = org;
        }
        body
    }

    pub fn environment_json(&self, repo: &Repo, environment: &Environment) -> Value {
        let names = [
            ("github/hello-world", &*repo.full_name()),
            ("staging", &environment.name),
        ];
        let mut body = self.cast("environment", &names);
        let settings = &environment.settings;
        let mut rules = Vec::new();
        if let Some(wait) = settings["wait_timer"].as_i64().filter(|wait| *wait > 0) {
            let id = environment.id + 1;
            rules.push(json!({ "id": id, "node_id": node_id("GA", id), "type": "wait_timer", "wait_timer": wait }));
        }
        let policy = &settings["deployment_branch_policy"];
        if !policy.is_null() {
            let id = environment.id + 2;
            rules.push(json!({ "id": id, "node_id": node_id("GA", id), "type": "branch_policy" }));
        }
        if let Some(reviewers) = settings["reviewers"]
            .as_array()
            .filter(|some| !some.is_empty())
        {
            let id = environment.id + 3;
            let reviewers: Vec<Value> = reviewers.iter().map(|one| self.reviewer(one)).collect();
            rules.push(json!({
                "id": id, "node_id": node_id("GA", id), "type": "required_reviewers",
                "prevent_self_review": settings["prevent_self_review"] == true, "reviewers": reviewers,
            }));
        }
        set(
            &mut body,
            json!({
                "id": environment.id, "node_id": node_id("EN", environment.id), "name": environment.name,
                "created_at": stamp(environment.created), "updated_at": stamp(environment.created),
                "protection_rules": rules, "deployment_branch_policy": policy,
            }),
        );
        body
    }

    fn reviewer(&self, asked: &Value) -> Value {
        let id = asked["id"].as_u64().unwrap_or_default();
        let team = self.org.teams.values().find(|team| team.id == id);
        let person = self.users.values().find(|user| user.id == id);
        match (team, person) {
            (Some(team), _) if asked["type"] == "Team" => {
                json!({ "type": "Team", "reviewer": self.team_json(team, false) })
            }
            (_, Some(user)) => json!({ "type": "User", "reviewer": self.account(&user.login) }),
            _ => json!({ "type": "User", "reviewer": self.account("ghost") }),
        }
    }
}

/// A variable, as it is shown.
pub fn variable_json(name: &str, kept: &Kept) -> Value {
    json!({
        "name": name, "value": kept.value, "created_at": stamp(kept.created), "updated_at": stamp(kept.updated),
    })
}

/// A secret, as it is shown: never its value.
pub fn secret_json(name: &str, kept: &Kept) -> Value {
    json!({ "name": name, "created_at": stamp(kept.created), "updated_at": stamp(kept.updated) })
}

/// Puts members in the place of those of the same name.
pub fn set(target: &mut Value, members: Value) {
    let Value::Object(members) = members else {
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let object = target.as_object_mut().unwrap();
    for (name, value) in members {
        object.insert(name, value);
    }
}
