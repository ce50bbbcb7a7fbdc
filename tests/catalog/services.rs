//! The shipped templates, rendered: whole, the same every time, and passing their own tests with nothing but Node.

use std::fs;
use std::path::Path;
use std::process::Command;

use idp::catalog::{flow, render};
use idp::domain::tree::Tree;
use serde_json::{Value, json};

use super::{actions, asked};

fn rendered(values: Value) -> Tree {
    asked(values, |asked| {
        let steps = flow::steps(asked, &actions()).unwrap();
        let input = steps[0].input.as_known().unwrap();
        render::tree(
            asked.template.unwrap(),
            &render::FetchTemplate::read(&input).unwrap(),
        )
        .unwrap()
    })
}

fn values(template: &str, visibility: &str) -> Value {
    json!({
        "name": "payments-api", "template": template, "owner": "payments", "visibility": visibility,
        "description": "Takes \"payments\" & tells <the ledger>: 100 %",
    })
}

#[test]
fn nothing_unrendered_is_left_and_bytes_never_change() {
    let mut shown = Vec::new();
    for (template, visibility) in [
        ("node-http", "private"),
        ("node-http", "public"),
        ("static-site", "private"),
    ] {
        let tree = rendered(values(template, visibility));
        assert_eq!(tree, rendered(values(template, visibility)));
        for (path, entry) in &tree {
            let text = std::str::from_utf8(&entry.bytes).unwrap();
            // GitHub's own expressions look like ours; in a workflow each has to be one of GitHub's.
            let workflow = path.as_str().starts_with(".github/workflows/");
            let text = &if workflow {
                text.replace("${{ github.", "")
            } else {
                text.to_owned()
            };
            for sign in ["${{", "{%", "}}\"", "TODO", ".njk"] {
                assert!(
                    !text.contains(sign) && !path.as_str().contains(sign),
                    "{path} has {sign}"
                );
            }
            assert!(text.ends_with('\n'), "{path} ends with a line break");
            assert!(
                !text.contains(" \n") && !text.ends_with("\n\n"),
                "{path} has loose ends"
            );
        }
        shown.push(format!("{template} {visibility} {}", tree.id()));
    }
    insta::assert_snapshot!("trees", shown.join("\n"));
    let files: Vec<String> = rendered(values("node-http", "private"))
        .iter()
        .map(|(path, _)| path.to_string())
        .collect();
    insta::assert_snapshot!("node_http_files", files.join("\n"));
}

#[test]
fn json_and_yaml_files_are_well_formed() {
    use saphyr::{LoadableYamlNode as _, Yaml};
    for template in ["node-http", "static-site"] {
        for (path, entry) in &rendered(values(template, "private")) {
            let text = std::str::from_utf8(&entry.bytes).unwrap();
            let ending = Path::new(path.as_str())
                .extension()
                .and_then(|e| e.to_str());
            if ending == Some("json") {
                let json: Value = serde_json::from_str(text).unwrap();
                assert_eq!(
                    json["description"],
                    "Takes \"payments\" & tells <the ledger>: 100 %"
                );
            }
            if matches!(ending, Some("yaml" | "yml")) {
                Yaml::load_from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"));
            }
        }
    }
}

#[test]
fn the_node_service_passes_its_own_test() {
    passes_its_own_test("node-http");
}

#[test]
fn the_static_site_passes_its_own_test() {
    passes_its_own_test("static-site");
}

fn passes_its_own_test(template: &str) {
    if Command::new("node").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "CI has Node");
        return crate::support::left_out(&format!("the own test of {template}: needs Node"));
    }
    let folder = tempfile::tempdir().unwrap();
    write(&rendered(values(template, "private")), folder.path());
    // npm adds nothing but its own start to `node --test`, which is what package.json says.
    let done = Command::new("node")
        .arg("--test")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(
        said.contains("# fail 0") && !said.contains("# tests 0"),
        "{said}"
    );
}

/// Each linter misses what the other finds: zizmor what is unsafe, actionlint what GitHub wouldn't run.
#[test]
fn the_node_services_workflow_is_clean_to_its_linters() {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/venv/bin");
    if !tools.join("zizmor").exists() {
        assert!(std::env::var_os("CI").is_none(), "CI has zizmor");
        return crate::support::left_out(
            "the linters of workflows: scripts/setup-tools brings them",
        );
    }
    let folder = tempfile::tempdir().unwrap();
    write(&rendered(values("node-http", "private")), folder.path());
    let linters: [(&str, &[&str]); 2] = [
        (
            "zizmor",
            &["--offline", "--no-progress", "--persona=auditor", ".github"],
        ),
        ("actionlint", &["-no-color", ".github/workflows/ci.yml"]),
    ];
    for (linter, arguments) in linters {
        let done = Command::new(tools.join(linter))
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(
            done.status.success(),
            "{linter}: {said}\n{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
}

fn write(tree: &Tree, folder: &Path) {
    for (path, entry) in tree {
        let to = folder.join(path.as_str());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, &entry.bytes).unwrap();
    }
}
