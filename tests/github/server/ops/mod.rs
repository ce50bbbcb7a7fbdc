//! The operations, by GitHub's names for them.

mod actions;
mod apps;
mod commits;
mod objects;
mod people;
mod repos;
mod rules;
mod settings;
mod talk;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answer::{Answer, Outcome};
use super::auth::Actor;
use super::spec::Operation;
use super::world::{Repo, World};

pub use apps::BY_JWT;
pub use rules::{active, covers};

/// One checked call.
pub struct Call {
    pub operation: &'static Operation,
    pub path: BTreeMap<String, String>,
    pub query: Vec<(String, String)>,
    pub body: Value,
    pub actor: Actor,
    /// The repository that the path names: there, and to be seen by the actor.
    pub repo: u64,
    /// The call's address, for links between pages.
    pub url: String,
    pub accept: String,
    /// The token that came with it.
    pub token: String,
}

impl Call {
    pub fn at(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    pub fn asked(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| &**value)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.body[name].as_str()
    }

    pub fn repo<'w>(&self, world: &'w World) -> &'w Repo {
        &world.repos[&self.repo]
    }

    pub fn repo_mut<'w>(&self, world: &'w mut World) -> &'w mut Repo {
        world.repos.get_mut(&self.repo).unwrap()
    }

    /// One page of a list, with links to the others.
    pub fn page(&self, all: &[Value]) -> Answer {
        let (part, link) = self.cut(all);
        let answer = Answer::ok(Value::Array(part));
        if link.is_empty() {
            answer
        } else {
            answer.with("link", link)
        }
    }

    /// One page of a list that comes with its length.
    pub fn page_of(&self, name: &str, all: &[Value]) -> Answer {
        let (part, link) = self.cut(all);
        let answer = Answer::ok(json!({ "total_count": all.len(), name: part }));
        if link.is_empty() {
            answer
        } else {
            answer.with("link", link)
        }
    }

    fn cut(&self, all: &[Value]) -> (Vec<Value>, String) {
        let number = |name: &str| self.asked(name).and_then(|text| text.parse::<usize>().ok());
        let (usual, most) = if self.operation.id.ends_with("-variables") {
            (10, 30)
        } else {
            (30, 100)
        };
        let size = number("per_page").unwrap_or(usual).clamp(1, most);
        let page = number("page").unwrap_or(1).max(1);
        let last = all.len().div_ceil(size).max(1);
        let part = all
            .iter()
            .skip((page - 1) * size)
            .take(size)
            .cloned()
            .collect();
        let link = |to: usize, rel: &str| {
            let mut query: Vec<(String, String)> = self.query.clone();
            query.retain(|(name, _)| name != "page");
            query.push(("page".to_owned(), to.to_string()));
            let query = serde_urlencoded::to_string(query).unwrap();
            format!("<{}?{query}>; rel=\"{rel}\"", self.url)
        };
        let mut links = Vec::new();
        if page > 1 {
            links.push(link(page - 1, "prev"));
        }
        if page < last {
            links.push(link(page + 1, "next"));
            links.push(link(last, "last"));
        }
        if page > 1 {
            links.push(link(1, "first"));
        }
        (part, links.join(", "))
    }
}

/// Does it.
pub fn handle(world: &mut World, call: &Call) -> Outcome {
    let id = call.operation.id.as_str();
    match id.split('/').next().unwrap_or_default() {
        "apps" | "rate-limit" | "meta" => apps::handle(world, call, id),
        "users" | "orgs" | "teams" if !id.contains("custom-properties") => {
            people::handle(world, call, id)
        }
        "git" => objects::handle(world, call, id),
        "actions" => actions::handle(world, call, id),
        _ if id.contains("ruleset")
            || id.contains("custom-properties")
            || id.contains("rules")
            || id.contains("branch-protection") =>
        {
            rules::handle(world, call, id)
        }
        _ if id.contains("environment")
            || id.contains("webhook")
            || id.contains("topics")
            || id.contains("collaborator")
            || id == "repos/list-teams" =>
        {
            settings::handle(world, call, id)
        }
        _ if id.contains("comment") || id.contains("status") => talk::handle(world, call, id),
        _ if id.contains("commit")
            || id.contains("tags")
            || id.contains("branch")
            || id.contains("content") =>
        {
            commits::handle(world, call, id)
        }
        _ => repos::handle(world, call, id),
    }
}

/// An operation that GitHub has and this server doesn't: the test that needs it is to build it.
fn not_built(world: &mut World, id: &str) -> Outcome {
    world.fault(format!("{id} is not built into this server"));
    Err(Answer::not_found())
}
