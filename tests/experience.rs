//! `tests/EXPERIENCE.md` against the tests that it names, and the first pages that strangers read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use syn::visit::Visit;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn every_named_test_exists() {
    let known = tests();
    let told = |file: &str, story: &str| {
        let stories = read(&format!("tests/clients/{file}"));
        let mut marks = ["'", "\""].iter();
        marks.any(|mark| stories.contains(&format!("story({mark}{story}{mark}")))
    };
    let table = read("tests/EXPERIENCE.md");
    let mut missing = Vec::new();
    let mut bare = Vec::new();
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        let shown = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let names: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        if names.is_empty() && !row.starts_with("| ---") && shown != "shown by" {
            bare.push(row);
        }
        for name in names {
            let there = match name.split_once(": ") {
                Some((file, story)) => told(file, story),
                None => known.contains(name),
            };
            if !there {
                missing.push(name);
            }
        }
    }
    assert!(missing.is_empty(), "not a test: {missing:#?}");
    assert!(bare.is_empty(), "no test shows it: {bare:#?}");
}

#[test]
fn the_readme_begins_with_what_a_stranger_needs() {
    let readme = read("README.md");
    let mut rest = readme.as_str();
    for next in [
        "# idp\n",
        "\n![",
        "cargo run -- demo",
        "minutes the first time",
        "type `/idp new-service`",
        "**Use it in Slack: 10 minutes.**",
        "| Works today | Not yet |",
        "\n## ",
    ] {
        let at = rest.find(next);
        let at = at.unwrap_or_else(|| panic!("{next:?} doesn't follow"));
        rest = &rest[at + next.len()..];
    }
    let picture = readme.split("](").nth(1).unwrap().split(')').next();
    let bytes = std::fs::metadata(root().join(picture.unwrap()))
        .unwrap()
        .len();
    assert!(bytes < 150_000, "{bytes} bytes");
}

#[test]
fn each_scope_of_the_manifests_has_its_reason() {
    let guide = read("docs/slack.md");
    for manifest in ["deploy/slack/http.json", "deploy/slack/socket.json"] {
        let manifest: Value = serde_json::from_str(&read(manifest)).unwrap();
        let scopes = &manifest["oauth_config"]["scopes"];
        let all = ["bot", "bot_optional"].map(|kind| scopes[kind].as_array().unwrap());
        for scope in all.into_iter().flatten() {
            let scope = scope.as_str().unwrap();
            let row = guide
                .lines()
                .find(|line| line.starts_with('|') && line.contains(&format!("`{scope}`")));
            let told = row.is_some_and(|row| row.split('|').filter(|c| c.len() > 4).count() >= 2);
            assert!(told, "no reason for {scope}");
        }
        assert!(!manifest.to_string().contains("email"));
    }
}

/// The paths of all tests, as the test runner prints them.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in ["src", "tests"] {
        for file in sources(&root().join(folder)) {
            let text = std::fs::read_to_string(&file).unwrap();
            let mut reader = Reader {
                module: module_of(&file, folder),
                found: &mut found,
            };
            reader.visit_file(&syn::parse_file(&text).unwrap());
        }
    }
    found
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).into_iter();
    let paths = entries.map(|entry| entry.unwrap().into_path());
    paths
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

fn module_of(file: &Path, folder: &str) -> Vec<String> {
    let inside = file.strip_prefix(root().join(folder)).unwrap();
    let inside = inside.with_extension("");
    let parts = inside.components().map(|c| c.as_os_str().to_str().unwrap());
    parts
        .filter(|part| *part != "mod")
        .map(str::to_owned)
        .collect()
}

struct Reader<'a> {
    module: Vec<String>,
    found: &'a mut BTreeSet<String>,
}

impl Reader<'_> {
    fn note(&mut self, name: &str) {
        let path = [self.module.as_slice(), &[name.to_owned()]].concat();
        self.found.insert(path.join("::"));
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let is_test = item.attrs.iter().any(|attribute| {
            let last = attribute.path().segments.last();
            last.is_some_and(|segment| segment.ident == "test")
        });
        if is_test {
            self.note(&item.sig.ident.to_string());
        }
    }

    /// Properties stand inside `proptest!`; stories that are told on both platforms are listed in `on_both!`.
    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        if item.mac.path.is_ident("on_both") {
            let text = item.mac.tokens.to_string();
            let stories = text.split(',').map(str::trim).filter(|s| !s.is_empty());
            stories.for_each(|story| self.note(story));
        }
        if item.mac.path.is_ident("proptest") {
            let text = item.mac.tokens.to_string();
            let names = text.split("fn ").skip(1);
            for name in names {
                let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
                self.note(&name[..end.unwrap_or(name.len())]);
            }
        }
    }
}
