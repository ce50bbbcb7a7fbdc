//! The code against the table of layers (ARCHITECTURE.md): who may import whom, and who may name which outside crate.
//!
//! Every `crate::` and `super::` path of every source file is read by `syn`, use statements and inline paths alike, so
//! that a layer can't be skipped by spelling it out in place. Test modules are left out: they may look anywhere.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// The layers in order, each with the layers that it may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("catalog", &["domain"]),
    ("cards", &["domain"]),
    ("store", &["domain"]),
    ("chat", &["domain"]),
    ("clients", &["domain"]),
    ("app", &["domain", "catalog", "cards", "store"]),
    ("steps", &["domain", "catalog", "clients"]),
    ("worker", &["domain", "app", "steps", "clients", "chat"]),
    ("web", &["domain", "app", "chat", "clients"]),
    ("sandbox", &[]),
];

/// Outside crates that only some layers may name. `boot` and `main` may name all.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("graphile_worker", &["store", "worker"]),
    ("reqwest", &["clients", "sandbox"]),
    ("hyper_util", &["clients"]),
    ("hyper_rustls", &["clients"]),
    ("slack_morphism", &["clients", "chat"]),
    ("slackblocks", &["sandbox"]),
    ("twilight_validate", &["sandbox"]),
    ("governor", &["worker", "clients"]),
    ("octocrab", &["clients"]),
    ("jsonwebtoken", &["clients"]),
    ("crypto_box", &["clients", "app"]),
    ("cel", &["catalog"]),
    ("minijinja", &["catalog"]),
    ("jsonschema", &["catalog"]),
    ("saphyr", &["catalog"]),
    ("axum", &["web", "sandbox"]),
    ("tokio_tungstenite", &["web", "sandbox"]),
    ("twilight_gateway", &["web"]),
    ("clap", &[]),
];

/// What `domain` may never touch: no IO, no clock, no tasks.
const NEVER_IN_DOMAIN: &[&str] = &[
    "tokio",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::time::SystemTime",
];

#[test]
fn imports_follow_the_table_of_layers() {
    let mut broken = String::new();
    for file in sources() {
        let Some(layer) = layer_of(&file) else {
            continue;
        };
        for path in paths_in(&file) {
            if let Some(problem) = judge(&layer, &path) {
                let _ = writeln!(
                    broken,
                    "{}: {problem}",
                    file.strip_prefix(root()).unwrap().display()
                );
            }
        }
    }
    assert!(
        broken.is_empty(),
        "imports against the table of layers:\n{broken}"
    );
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|f| !std::fs::read_to_string(f).unwrap().starts_with("//!"))
        .collect();
    assert!(
        silent.is_empty(),
        "files without a `//!` header: {silent:?}"
    );
}

#[test]
fn the_judge_finds_what_it_should() {
    assert!(judge("domain", "crate::store::request").is_some());
    assert!(judge("steps", "sqlx::query").is_some());
    assert!(judge("sandbox", "crate::chat::slack").is_some());
    assert!(judge("domain", "tokio::spawn").is_some());
    assert!(judge("app", "crate::store::request").is_none());
    assert!(judge("store", "sqlx::query").is_none());
}

/// What is wrong with a path in a layer, if anything.
fn judge(layer: &str, path: &str) -> Option<String> {
    if let Some(inner) = path.strip_prefix("crate::") {
        let target = inner.split("::").next().unwrap_or_default();
        let known = MAY_IMPORT.iter().any(|(name, _)| *name == target) || target == "boot";
        let allowed = MAY_IMPORT
            .iter()
            .find(|(name, _)| *name == layer)
            .map_or(&[][..], |(_, may)| may);
        return (known && target != layer && !allowed.contains(&target))
            .then(|| format!("`{layer}` may not import `{target}` ({path})"));
    }
    let outside = path.split("::").next().unwrap_or_default();
    if let Some((_, layers)) = ONLY_IN.iter().find(|(name, _)| *name == outside)
        && !layers.contains(&layer)
    {
        return Some(format!(
            "`{layer}` may not name the crate `{outside}` ({path})"
        ));
    }
    if layer == "domain"
        && NEVER_IN_DOMAIN
            .iter()
            .any(|never| path == *never || path.starts_with(&format!("{never}::")))
    {
        return Some(format!("`domain` is pure and may not name `{path}`"));
    }
    None
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<PathBuf> {
    walkdir::WalkDir::new(root().join("src"))
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

/// The top-level module that a file belongs to; none for `boot`, `main` and `lib`, which may see all.
fn layer_of(file: &Path) -> Option<String> {
    let inside = file.strip_prefix(root().join("src")).unwrap();
    let first = inside
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_str()
        .unwrap();
    let layer = first.trim_end_matches(".rs");
    // A module `tests` in a file of its own is a test like one written in place.
    let is_test = file.file_name().is_some_and(|name| name == "tests.rs");
    (!is_test && !matches!(layer, "boot" | "main" | "lib")).then(|| layer.to_owned())
}

/// The module path of a file: `src/store/queue.rs` is `[store, queue]`.
fn module_of(file: &Path) -> Vec<String> {
    let inside = file
        .strip_prefix(root().join("src"))
        .unwrap()
        .with_extension("");
    let mut parts: Vec<String> = inside
        .components()
        .map(|c| c.as_os_str().to_str().unwrap().to_owned())
        .collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// All paths that a file names outside its test modules, `super::` and `self::` resolved to `crate::`.
fn paths_in(file: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let syntax = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut reader = Reader {
        module: module_of(file),
        found: BTreeSet::new(),
    };
    reader.visit_file(&syntax);
    reader.found
}

struct Reader {
    module: Vec<String>,
    found: BTreeSet<String>,
}

impl Reader {
    fn note(&mut self, segments: &[String]) {
        let mut module = self.module.clone();
        let mut rest = segments;
        match rest.first().map(String::as_str) {
            Some("super") => {
                while rest.first().is_some_and(|s| s == "super") {
                    module.pop();
                    rest = &rest[1..];
                }
            }
            Some("self") => rest = &rest[1..],
            _ => {
                self.found.insert(rest.join("::"));
                return;
            }
        }
        let full: Vec<String> = std::iter::once("crate".to_owned())
            .chain(module)
            .chain(rest.iter().cloned())
            .collect();
        self.found.insert(full.join("::"));
    }

    fn use_tree(&mut self, tree: &syn::UseTree, before: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.use_tree(&path.tree, before);
                before.pop();
            }
            syn::UseTree::Group(group) => group
                .items
                .iter()
                .for_each(|item| self.use_tree(item, before)),
            syn::UseTree::Name(name) => self.with(before, name.ident.to_string()),
            syn::UseTree::Rename(rename) => self.with(before, rename.ident.to_string()),
            syn::UseTree::Glob(_) => self.with(before, "*".to_owned()),
        }
    }

    fn with(&mut self, before: &[String], last: String) {
        let mut all = before.to_vec();
        all.push(last);
        self.note(&all);
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let is_test = item.attrs.iter().any(|a| {
            a.path().is_ident("cfg")
                && a.parse_args::<syn::Ident>()
                    .is_ok_and(|ident| ident == "test")
        });
        if is_test {
            return;
        }
        if item.content.is_some() {
            self.module.push(item.ident.to_string());
            syn::visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.use_tree(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
            self.note(&segments);
        }
        syn::visit::visit_path(self, path);
    }
}
