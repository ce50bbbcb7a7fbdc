//! `fetch:template` on packages made for the purpose.

use idp::catalog::Template;
use idp::catalog::render::{self, FetchTemplate};
use idp::domain::tree::{Entry, Existing, Mode, Tree, TreePath};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::shipped;

const ENTITY: &str = "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: { name: t }\nspec:\n  type: x\n  steps: [{ id: a, action: 'debug:log' }]\n";

fn package(files: Vec<(&str, Entry)>) -> Template {
    let mut tree = Tree::new();
    tree.insert(TreePath::new("template.yaml").unwrap(), Entry::file(ENTITY))
        .unwrap();
    for (path, entry) in files {
        tree.insert(TreePath::new(path).unwrap(), entry).unwrap();
    }
    Template::parse(&tree.encode()).unwrap()
}

fn render(files: Vec<(&str, Entry)>, input: &Value) -> Result<Vec<(String, Mode, String)>, String> {
    let input = FetchTemplate::read(input).map_err(|error| error.to_string())?;
    let tree = render::tree(&package(files), &input).map_err(|error| error.to_string())?;
    Ok(tree
        .iter()
        .map(|(p, e)| {
            (
                p.to_string(),
                e.mode,
                String::from_utf8_lossy(&e.bytes).into_owned(),
            )
        })
        .collect())
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "every caller makes its input in place"
)]
fn texts(files: Vec<(&str, &str)>, input: Value) -> Result<Vec<(String, String)>, String> {
    let files = files
        .into_iter()
        .map(|(path, text)| (path, Entry::file(text)))
        .collect();
    render(files, &input).map(|files| {
        files
            .into_iter()
            .map(|(path, _, text)| (path, text))
            .collect()
    })
}

fn strings(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[test]
fn every_text_file_is_a_template_unless_an_ending_is_asked_for() {
    let files = vec![
        ("s/a.txt", "${{ values.x }}"),
        ("s/b.txt.njk", "${{ values.x }}"),
        ("other/c.txt", "no"),
    ];
    assert_eq!(
        texts(files.clone(), json!({ "url": "./s", "values": { "x": 1 } })),
        Ok(strings(&[("a.txt", "1"), ("b.txt.njk", "1")]))
    );
    assert_eq!(
        texts(
            files.clone(),
            json!({ "url": "s/", "templateFileExtension": true, "values": { "x": 1 } })
        ),
        Ok(strings(&[("a.txt", "${{ values.x }}"), ("b.txt", "1")]))
    );
    assert_eq!(
        texts(
            files,
            json!({ "url": "./s", "templateFileExtension": ".txt", "values": { "x": 1 } })
        ),
        Ok(strings(&[("a", "1"), ("b.txt.njk", "${{ values.x }}")]))
    );
}

#[test]
fn paths_are_rendered_and_an_empty_part_leaves_the_file_out() {
    let files = vec![
        ("s/${{ values.x }}/a.txt", "a"),
        ("s/${{ 'docs' if values.on else '' }}/b.txt", "b"),
        ("s/in/${{ 'docs' if values.on else '' }}/c.txt", "c"),
        ("s/${{ 'd.txt' if values.on else '' }}", "d"),
    ];
    let input =
        |on: bool| json!({ "url": "./s", "targetPath": "./out", "values": { "x": "y", "on": on } });
    assert_eq!(
        texts(files.clone(), input(false)),
        Ok(strings(&[("out/y/a.txt", "a")]))
    );
    assert_eq!(
        texts(files, input(true)),
        Ok(strings(&[
            ("out/d.txt", "d"),
            ("out/docs/b.txt", "b"),
            ("out/in/docs/c.txt", "c"),
            ("out/y/a.txt", "a")
        ]))
    );
}

#[test]
fn a_rendered_path_stays_inside() {
    for path in ["../x", "a/../../x", ".git/config", "a\\b", "a\0b"] {
        let files = vec![("s/${{ values.p }}", "x")];
        let error = texts(files, json!({ "url": "./s", "values": { "p": path } })).unwrap_err();
        assert!(error.starts_with("s/${{ values.p }}: `"), "{error}");
    }
}

#[test]
fn binaries_links_and_modes_are_kept() {
    let files = vec![
        ("s/a.bin", Entry::file(b"\0${{ x }}".to_vec())),
        ("s/latin", Entry::file(b"\xe4${{ x }}".to_vec())),
        ("s/link", Entry::symlink("run.sh")),
        ("s/run.sh", Entry::executable("echo ${{ values.x }}")),
    ];
    let found = render(files, &json!({ "url": "./s", "values": { "x": 1 } })).unwrap();
    let modes: Vec<_> = found
        .iter()
        .map(|(path, mode, text)| (path.as_str(), *mode, text.as_str()))
        .collect();
    assert_eq!(
        modes,
        [
            ("a.bin", Mode::File, "\0${{ x }}"),
            ("latin", Mode::File, "\u{fffd}${{ x }}"),
            ("link", Mode::Symlink, "run.sh"),
            ("run.sh", Mode::Executable, "echo 1"),
        ]
    );
}

#[test]
fn globs_copy_contents_and_still_render_paths() {
    let files = vec![
        ("s/.github/${{ values.x }}.yml", "${{ github.sha }}"),
        ("s/a.txt", "${{ values.x }}"),
    ];
    let input =
        json!({ "url": "./s", "copyWithoutTemplating": [".github/**"], "values": { "x": "ci" } });
    assert_eq!(
        texts(files, input),
        Ok(strings(&[
            (".github/ci.yml", "${{ github.sha }}"),
            ("a.txt", "ci")
        ]))
    );
}

#[test]
fn white_space_is_treated_as_asked() {
    let files = vec![("s/a", "x\n  {% if true %}\ny\n  {% endif %}\nz\n")];
    assert_eq!(
        texts(files.clone(), json!({ "url": "./s" })),
        Ok(strings(&[("a", "x\n  \ny\n  \nz\n")]))
    );
    let trimmed = json!({ "url": "./s", "trimBlocks": true, "lstripBlocks": true });
    assert_eq!(texts(files, trimmed), Ok(strings(&[("a", "x\ny\nz\n")])));
}

#[test]
fn errors_name_file_and_line() {
    for (file, error) in [
        (
            ("s/a", "one\n\n${{ values.missing }}\n"),
            "s/a:3: `values.missing` has no value",
        ),
        (("s/a", "one\n{% if %}"), "s/a:2: unexpected end of block"),
        (
            ("s/${{ values.missing }}", "x"),
            "s/${{ values.missing }}: the file's path: `values.missing` has no value",
        ),
        (
            (
                "s/a",
                "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
            ),
            "s/a:1: the template does not come to an end",
        ),
        (("s/a", "{% include 'b' %}"), "s/a:1: "),
    ] {
        let found = texts(vec![file], json!({ "url": "./s" })).unwrap_err();
        assert!(found.starts_with(error), "{found}");
    }
    let twice = vec![("s/${{ values.x }}", "1"), ("s/a", "2")];
    let found = texts(twice, json!({ "url": "./s", "values": { "x": "a" } })).unwrap_err();
    assert!(found.ends_with("two files want to stand at `a`"), "{found}");
    let nowhere = texts(vec![("s/a", "x")], json!({ "url": "./t" })).unwrap_err();
    assert_eq!(nowhere, "t: there are no files in `t`");
}

#[test]
fn inputs_that_make_no_sense_are_refused() {
    for input in [
        json!({}),
        json!({ "url": "https://github.com/x/y" }),
        json!({ "url": "../x" }),
        json!({ "url": "/etc" }),
        json!({ "url": "./s", "targetPath": "../x" }),
        json!({ "url": "./s", "token": "x" }),
        json!({ "url": "./s", "values": [] }),
    ] {
        assert!(FetchTemplate::read(&input).is_err(), "{input}");
    }
    assert_eq!(
        FetchTemplate::read(&json!({ "url": "./s", "replace": true }))
            .unwrap()
            .existing,
        Existing::Replace
    );
}

#[test]
fn shipped_packages_have_their_digests() {
    let catalog = shipped();
    let digests: Vec<String> = catalog
        .templates()
        .map(|t| format!("{} {}", t.name, t.digest()))
        .collect();
    // A changed digest is a changed template: what requests keep, and what upgrades will compare.
    insta::assert_snapshot!("digests", digests.join("\n"));
}

proptest! {
    #[test]
    fn any_file_renders_or_is_an_error_and_always_the_same(
        text in "([a-z .|()]|\\$\\{\\{|\\}\\}|\\{%|%\\}|if|for|in|endif|endfor|values|\\n){0,40}",
        path in "[a-z./$\\{\\} ]{1,12}",
    ) {
        let Ok(path) = TreePath::new(format!("s/{path}")) else { return Ok(()) };
        let run = || texts(vec![(path.as_str(), &text)], json!({ "url": "./s", "values": { "a": [1] } }));
        prop_assert_eq!(run(), run());
    }
}
