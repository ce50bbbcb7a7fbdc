//! Each mistake in a definition, with the exact words about it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use idp::catalog::{Catalog, Known, Sources};

use super::actions;

const COMMAND: &str = r##"apiVersion: idp.dev/v1
kind: Command
metadata: { name: try-it, title: Try it }
spec:
  allow: ["group:engineers"]
  channel: "#platform"
  parameters:
    - title: First
      required: [name, owner]
      properties:
        name: { type: string, title: Name, pattern: "^[a-z]+$", ui:help: Lower-case letters }
        owner: { type: string, title: Team, ui:field: TeamPicker }
  approval:
    - name: big
      when: parameters.name == "big"
      require: [{ from: "group:security", count: 2 }]
    - name: lead
      require: [{ from: "leads:${{ parameters.owner }}" }]
      expires: 24h
      remind: 2h
  steps:
    - id: first
      action: publish:local
      input: { repoUrl: "local?owner=acme&repo=${{ parameters.name }}" }
    - id: second
      if: ${{ parameters.name != "small" }}
      action: debug:log
      input: { message: "${{ steps.first.output.remoteUrl }}" }
  onFailure: undo
  output:
    links: [{ title: Repository, url: "${{ steps.first.output.remoteUrl }}" }]
"##;

fn known() -> Known {
    let names = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
    Known {
        absent: Default::default(),
        groups: names(&["engineers", "security", "platform"]),
        organisations: names(&["acme"]),
        teams: names(&["payments"]),
        channels: names(&["#platform"]),
    }
}

/// All problems of a folder, without the folder's own name.
fn problems(folder: &Path) -> String {
    let sources = Sources {
        commands: Some(folder.join("commands")),
        templates: Some(folder.join("templates")),
    };
    let catalog = Catalog::load(&sources, &actions(), &known());
    let mut out = String::new();
    for problem in catalog.problems() {
        writeln!(out, "{problem}").unwrap();
    }
    out.replace(&format!("{}/", folder.display()), "")
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The good command with one thing changed.
fn with(change: (&str, &str)) -> String {
    assert!(
        COMMAND.contains(change.0),
        "{:?} is in the command",
        change.0
    );
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("templates")).unwrap();
    write(
        folder.path(),
        "commands/try-it.yaml",
        &COMMAND.replacen(change.0, change.1, 1),
    );
    problems(folder.path())
}

#[test]
fn the_good_command_has_no_problem() {
    assert_eq!(with(("Try it", "Try it")), "");
}

#[test]
fn commands() {
    let mistakes = [
        ("apiVersion: idp.dev/v1", "apiVersion: idp.dev/v2"),
        ("kind: Command", "kind: Comand"),
        ("name: try-it,", "name: Try It,"),
        ("name: try-it,", "name: status,"),
        ("name: try-it, ", ""),
        ("  allow:", "  alow:"),
        ("group:engineers", "group:enginers"),
        ("group:engineers", "engineers"),
        ("\"#platform\"", "platform"),
        ("\"#platform\"", "\"#plattform\""),
        ("onFailure: undo", "onFailure: undoo"),
        (
            "  onFailure: undo\n",
            "  onFailure: undo\n  onFailure: ask\n",
        ),
        ("kind: Command", "kind: [Command"),
    ];
    snapshot("commands", &mistakes);
}

#[test]
fn parameters() {
    let name =
        "name: { type: string, title: Name, pattern: \"^[a-z]+$\", ui:help: Lower-case letters }";
    let mistakes = [
        (", ui:help: Lower-case letters", ""),
        ("\"^[a-z]+$\"", "\"^[a-z+$\""),
        ("title: Name,", "titel: Name,"),
        ("type: string, title: Name", "type: object, title: Name"),
        (name, "name: { type: string, default: 3 }"),
        (name, "name: { type: string, enum: [] }"),
        (name, "name: { type: array }"),
        (name, "name: { type: string, ui:field: TeamPiker }"),
        (name, "name: { type: string, ui:field: RepoUrlPicker }"),
        (name, "name: { type: string, ui:widget: password }"),
        (
            name,
            "name: { type: string }\n        apiToken: { type: string }",
        ),
        (
            name,
            "name: { type: string }\n        db-name: { type: string }",
        ),
        (name, "name: { type: string, oneOf: [{ const: a }] }"),
        ("required: [name, owner]", "required: [nmae, owner]"),
        ("      required:", "      dependencies: {}\n      required:"),
        ("ui:field: TeamPicker", "ui:field: TemplatePicker"),
        (
            "ui:help: Lower-case letters }",
            "ui:help: Lower-case letters, ui:options: { uniqe: repository } }",
        ),
    ];
    snapshot("parameters", &mistakes);
}

#[test]
fn rules() {
    let mistakes = [
        (
            "    - name: lead\n",
            "    - name: lead\n      when: parameters.name == \"x\"\n",
        ),
        ("    - name: lead\n", "    - name: big\n"),
        ("      when: parameters.name == \"big\"\n", ""),
        ("parameters.name == \"big\"", "parameters.nmae == \"big\""),
        (
            "parameters.name == \"big\"",
            "plan.grant.exists(g, g.write)",
        ),
        (
            "parameters.name == \"big\"",
            "plan.grants.exists(g, h.write)",
        ),
        ("parameters.name == \"big\"", "parameters.name =="),
        ("group:security", "group:securty"),
        ("group:security", "security"),
        ("group:security", "group:github:acne/security"),
        ("group:security", "group:github:security"),
        (
            "group:security",
            "group:github:acme/${{ parameters.owner }}",
        ),
        ("leads:${{ parameters.owner }}", "leads:payment"),
        (
            "leads:${{ parameters.owner }}",
            "leads:${{ parameters.onwer }}",
        ),
        ("count: 2", "count: 0"),
        ("expires: 24h", "expires: tomorrow"),
        ("remind: 2h", "remind: 48h"),
        (
            "remind: 2h",
            "escalate: { after: 8h, to: \"group:platform\" }",
        ),
        (
            "require: [{ from: \"group:security\", count: 2 }]",
            "require: nobody",
        ),
        (
            "      require: [{ from: \"group:security\", count: 2 }]\n",
            "",
        ),
    ];
    snapshot("rules", &mistakes);
    let none = COMMAND.split("  approval:").next().unwrap().to_owned()
        + "  approval: []\n  steps:"
        + COMMAND.split("  steps:").nth(1).unwrap();
    insta::assert_snapshot!("no_rules", with((COMMAND, &none)));
}

#[test]
fn steps() {
    let mistakes = [
        ("action: debug:log", "action: debug:lgo"),
        ("id: second", "id: first"),
        ("id: second", "id: a b"),
        ("    - id: second\n", "    - id: second\n      each: [1]\n"),
        ("    - id: second\n", "    -\n"),
        ("message: \"${{ steps.first", "mesage: \"${{ steps.first"),
        (
            "repoUrl: \"local",
            "repoVisibility: secret, repoUrl: \"local",
        ),
        (
            "repoUrl: \"local?owner=acme&repo=${{ parameters.name }}\"",
            "defaultBranch: main",
        ),
        (
            "message: \"${{ steps.first.output.remoteUrl }}\"",
            "message: 3",
        ),
        (
            "message: \"${{ steps.first.output.remoteUrl }}\"",
            "message: \"${{ steps.frist.output.remoteUrl }}\"",
        ),
        (
            "message: \"${{ steps.first.output.remoteUrl }}\"",
            "message: \"${{ steps.first.output.remoteURL }}\"",
        ),
        (
            "message: \"${{ steps.first.output.remoteUrl }}\"",
            "message: \"${{ steps.second.output.message }}\"",
        ),
        (
            "message: \"${{ steps.first.output.remoteUrl }}\"",
            "message: \"${{ steps.first.result }}\"",
        ),
        (
            "message: \"${{ steps.first.output.remoteUrl }}\"",
            "message: \"${{ parameters.nme }}\"",
        ),
        (
            "message: \"${{ steps.first.output.remoteUrl }}\"",
            "message: \"${{ parameter.name }}\"",
        ),
        (
            "message: \"${{ steps.first.output.remoteUrl }}\"",
            "message: \"${{ user.entity.metadata.name }}\"",
        ),
        (
            "message: \"${{ steps.first.output.remoteUrl }}\"",
            "message: \"${{ parameters.name | uper }}\"",
        ),
        (
            "message: \"${{ steps.first.output.remoteUrl }}\"",
            "message: \"${{ [1] | random }}\"",
        ),
        (
            "message: \"${{ steps.first.output.remoteUrl }}\"",
            "message: \"${{ parameters.name.length }}\"",
        ),
        (
            "message: \"${{ steps.first.output.remoteUrl }}\"",
            "message: \"${{ parameters.name === 'a' }}\"",
        ),
        (
            "message: \"${{ steps.first.output.remoteUrl }}\"",
            "message: \"{% switch parameters.name %}{% endswitch %}\"",
        ),
        (
            "message: \"${{ steps.first.output.remoteUrl }}\"",
            "message: \"{% set parameters = 1 %}\"",
        ),
        (
            "message: \"${{ steps.first.output.remoteUrl }}\"",
            "message: \"${{ parameters.name\"",
        ),
        (
            "if: ${{ parameters.name != \"small\" }}",
            "if: parameters.name",
        ),
        (
            "if: ${{ parameters.name != \"small\" }}",
            "if: ${{ failure() }}",
        ),
        (
            "${{ steps.first.output.remoteUrl }}\" }]",
            "${{ steps.third.output.remoteUrl }}\" }]",
        ),
        (
            "action: debug:log\n      input: { message: \"${{ steps.first.output.remoteUrl }}\" }",
            "action: template:run",
        ),
    ];
    snapshot("steps", &mistakes);
}

fn snapshot(name: &str, mistakes: &[(&str, &str)]) {
    let mut out = String::new();
    for change in mistakes {
        let found = with(*change);
        assert_ne!(found, "", "{change:?} is a mistake");
        writeln!(out, "{:?}\n  became {:?}\n{found}", change.0, change.1).unwrap();
    }
    insta::assert_snapshot!(name, out);
}

const TEMPLATE: &str = r#"apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: { name: tiny, title: Tiny, tags: [x] }
spec:
  type: service
  owner: group:default/platform
  parameters:
    title: One page
    properties:
      colour: { type: string, default: red }
  steps:
    - id: fetch
      action: fetch:template
      input:
        url: ./skeleton
        templateFileExtension: true
        values: { name: "${{ parameters.name }}", colour: "${{ parameters.colour }}" }
    - id: publish
      action: publish:local
      input: { repoUrl: "local?owner=acme&repo=${{ parameters.name }}" }
"#;

const WITH_TEMPLATE: &str = r#"apiVersion: idp.dev/v1
kind: Command
metadata: { name: use-it, title: Use it }
spec:
  parameters:
    - title: First
      required: [template]
      properties:
        name: { type: string }
        template: { type: string, ui:field: TemplatePicker }
  approval: [{ name: nobody, require: [] }]
  steps:
    - id: scaffold
      action: template:run
  output:
    links: [{ title: Repository, url: "${{ steps.scaffold.output.remoteUrl }}" }]
"#;

fn with_template(entity: &str, file: (&str, &str)) -> String {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "commands/use-it.yaml", WITH_TEMPLATE);
    write(folder.path(), "templates/tiny/template.yaml", entity);
    write(
        folder.path(),
        &format!("templates/tiny/skeleton/{}", file.0),
        file.1,
    );
    problems(folder.path())
}

#[test]
fn templates() {
    let good = ("README.md.njk", "# ${{ values.name }}\n");
    assert_eq!(with_template(TEMPLATE, good), "");
    let mistakes = [
        ("v1beta3", "v1beta2"),
        ("  type: service\n", ""),
        ("  owner: group", "  ownr: group"),
        (
            "  type: service\n",
            "  type: service\n  secrets: { schema: {} }\n",
        ),
        ("url: ./skeleton", "url: ./skeletton"),
        ("url: ./skeleton", "url: https://example.org/x"),
        ("templateFileExtension: true", "cookiecutterCompat: true"),
        ("${{ parameters.colour }}", "${{ parameters.color }}"),
        ("action: publish:local", "action: publish:github"),
        (
            "action: publish:local\n      input: { repoUrl: \"local?owner=acme&repo=${{ parameters.name }}\" }",
            "action: debug:log",
        ),
        ("action: publish:local", "action: template:run"),
        ("name: tiny", "name: ti ny"),
    ];
    let mut out = String::new();
    for change in mistakes {
        assert!(TEMPLATE.contains(change.0), "{change:?}");
        let found = with_template(&TEMPLATE.replacen(change.0, change.1, 1), good);
        assert_ne!(found, "", "{change:?} is a mistake");
        writeln!(out, "{:?}\n  became {:?}\n{found}", change.0, change.1).unwrap();
    }
    insta::assert_snapshot!("templates", out);
}

#[test]
fn files_of_templates() {
    let mistakes = [
        ("a.md.njk", "one\n${{ values.nmae }}\n"),
        ("a.md.njk", "one\n${{ name }}\n"),
        ("a.md.njk", "{% if values.name %}\n"),
        ("a.md.njk", "\n\n{% for k, v in values.name %}{% endfor %}"),
        (
            "a.md.njk",
            "${{ values.name.length }} ${{ values.name === 1 }}",
        ),
        ("${{values.nmae}}.md", "text"),
        ("a.md.njk", "${{ values.name | nosuch }}"),
        ("a.md.njk", "{% elseif x %}"),
    ];
    let mut out = String::new();
    for file in mistakes {
        let found = with_template(TEMPLATE, file);
        assert_ne!(found, "", "{file:?} is a mistake");
        writeln!(out, "{file:?}\n{found}").unwrap();
    }
    insta::assert_snapshot!("files", out);
}

#[test]
fn what_is_fine_in_files_stays_fine() {
    for file in [
        (
            "a.md.njk",
            "{% raw %}${{ github.sha }}{% endraw %} {# ${{ nothing }} #} ${{ values.other | default('x') }}",
        ),
        ("a.md", "${{ not.a.template }} {% either %}"),
        (
            "a.md.njk",
            "{% set n = values.name %}{% for c in n %}${{ c }}${{ loop.index }}{% endfor %}",
        ),
        ("a.bin.njk", "\0${{ x }}"),
        ("${{ 'a' if values.name else '' }}/b.txt", "text"),
    ] {
        assert_eq!(with_template(TEMPLATE, file), "", "{file:?}");
    }
}

#[test]
fn all_problems_of_a_folder_come_at_once_in_order() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("templates/empty")).unwrap();
    write(
        folder.path(),
        "commands/b.yaml",
        &COMMAND
            .replace("group:security", "group:securty")
            .replace("24h", "1w"),
    );
    write(folder.path(), "commands/a.yaml", "kind: Command\n");
    write(
        folder.path(),
        "commands/c.yml",
        &COMMAND.replace("try-it", "other"),
    );
    write(
        folder.path(),
        "commands/d.yaml",
        &COMMAND.replace("try-it", "other"),
    );
    write(folder.path(), "commands/.hidden.yaml", "nonsense: [");
    write(folder.path(), "commands/notes.txt", "not read");
    insta::assert_snapshot!("folder", problems(folder.path()));
}

#[test]
fn a_folder_that_is_not_there_is_a_problem() {
    let folder = tempfile::tempdir().unwrap();
    let found = problems(folder.path());
    assert!(
        found.contains("error: this can't be read: No such file or directory"),
        "{found}"
    );
}
