//! The command line as a person meets it: what it prints, and with which code it ends.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Runs `idp` in a folder, with nothing of this process's environment but the path.
fn idp(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
    command.args(arguments).current_dir(dir).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

fn folder(toml: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("idp.toml"), toml).unwrap();
    dir
}

/// The exit code and all that was printed, results first.
fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let code = output.status.code().unwrap();
    [
        format!("exit {code}"),
        text(&output.stdout),
        text(&output.stderr),
    ]
    .iter()
    .filter(|part| !part.is_empty())
    .map(String::as_str)
    .collect::<Vec<_>>()
    .join("\n")
}

#[test]
fn a_mistyped_command_is_misuse_and_the_nearest_is_named() {
    let output = idp(folder("").path(), &["migrat"]).output().unwrap();
    insta::assert_snapshot!(said(&output), @r"
    exit 2
    error: unrecognized subcommand 'migrat'

      tip: a similar subcommand exists: 'migrate'

    Usage: idp [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}

#[test]
fn a_mistyped_key_is_misuse_and_its_place_is_named() {
    let output = idp(folder("\nlisen = \"x\"").path(), &["migrate"])
        .output()
        .unwrap();
    insta::assert_snapshot!(said(&output), @r"
    exit 2
    error: unknown key `lisen`
      --> idp.toml:2:1

    hint: did you mean `listen`?
    ");
}

#[test]
fn a_postgres_that_is_not_there_is_named_with_the_cause() {
    let dir = folder("");
    let mut command = idp(dir.path(), &["migrate"]);
    // Port 1 is `tcpmux`, where nothing listens.
    let output = command
        .env("DATABASE_URL", "postgres://x@127.0.0.1:1/x")
        .output()
        .unwrap();
    insta::assert_snapshot!(said(&output), @r"
    exit 1
    error: can't connect to the Postgres of `DATABASE_URL`
      Caused by: error communicating with database: Connection refused (os error 111)
      Caused by: Connection refused (os error 111)

    hint: unset `DATABASE_URL` to let idp run a Postgres of its own
    ");
}

#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    // Each address is wrong in its own way, so the complaint tells which one was taken.
    let dir = folder("listen = 'of the file'");
    let taken = |command: &mut Command| said(&command.output().unwrap()).replace('\n', " ");
    assert!(taken(&mut idp(dir.path(), &["migrate"])).contains("`of the file`"));
    let mut command = idp(dir.path(), &["migrate"]);
    command.env("IDP_LISTEN", "of the environment");
    assert!(taken(&mut command).contains("`of the environment`"));
    assert!(taken(command.args(["--listen", "of the flag"])).contains("`of the flag`"));
}

#[test]
fn an_empty_variable_counts_as_unset_and_an_empty_flag_is_misuse() {
    let dir = folder("");
    let check = |flags: &[&str]| {
        let mut command = idp(dir.path(), &["check"]);
        // As compose files write what nobody has set.
        for name in [
            "DATABASE_URL",
            "DATABASE_URL_FILE",
            "DISCORD_BOT_TOKEN",
            "DISCORD_GATEWAY",
            "GITHUB_ORG",
            "IDP_COMMANDS_DIR",
            "IDP_CONFIG",
            "IDP_DATA_DIR",
            "IDP_LISTEN",
            "IDP_LOG",
            "IDP_LOG_FORMAT",
            "IDP_POSTGRES_BIN",
            "IDP_PUBLIC_URL",
            "IDP_STATE_KEY_FILE",
            "IDP_TEMPLATES_DIR",
            "SLACK_APP_TOKEN",
            "SLACK_APP_TOKEN_FILE",
            "SLACK_BOT_TOKEN",
        ] {
            command.env(name, "");
        }
        said(&command.args(flags).output().unwrap())
    };
    let told = check(&[]);
    assert!(told.starts_with("exit 0\nAll good: "), "{told}");
    for flag in ["--config", "--listen", "--public-url", "--log-format"] {
        let told = check(&[flag, ""]);
        assert!(told.starts_with("exit 2\n"), "{flag}: {told}");
    }
}

#[test]
fn completions_are_a_script() {
    let output = idp(folder("").path(), &["completions", "bash"])
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("complete -F _idp")
    );
}

#[test]
fn the_shipped_definitions_are_good() {
    let output = idp(folder("").path(), &["check"]).output().unwrap();
    assert!(
        said(&output).starts_with("exit 0\nAll good: "),
        "{}",
        said(&output)
    );
}

#[test]
fn a_definition_that_is_wrong_is_shown_with_its_place() {
    let dir = folder("commands_dir = 'commands'\ntemplates_dir = 'templates'");
    std::fs::create_dir(dir.path().join("templates")).unwrap();
    let commands = dir.path().join("commands");
    std::fs::create_dir(&commands).unwrap();
    std::fs::write(
        commands.join("wait.yaml"),
        "apiVersion: idp.dev/v1
kind: Command
metadata: { name: wait, title: Wait }
spec:
  approval: [{ name: nobody, require: [] }]
  steps:
    - id: wait
      action: debug:wiat
",
    )
    .unwrap();
    let output = idp(dir.path(), &["check"]).output().unwrap();
    insta::assert_snapshot!(said(&output), @r"
    exit 1
    error: unknown action `debug:wiat`
      --> commands/wait.yaml:7:7
      help: did you mean `debug:wait`?
    error: 1 problem was found
    ");
}

#[test]
fn a_template_renders_into_a_folder() {
    let dir = folder("");
    let arguments = [
        "render",
        "node-http",
        "--set",
        "name=pay",
        "--set",
        "owner=core",
        "--set",
        "visibility=private",
        "--out",
        "made",
    ];
    let output = idp(dir.path(), &arguments).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let made = std::fs::read_to_string(dir.path().join("made/package.json")).unwrap();
    assert!(made.contains("\"pay\""), "{made}");

    let again = idp(dir.path(), &arguments).output().unwrap();
    insta::assert_snapshot!(said(&again), @r"
    exit 1
    error: can't write the files
      Caused by: made is not empty
    ");
}

#[test]
fn a_template_renders_into_a_bare_repository() {
    let dir = folder("");
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(dir.path())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "--quiet", "--bare", "made.git"]);
    let arguments = [
        "render",
        "static-site",
        "--set",
        "name=pay",
        "--set",
        "owner=core",
        "--set",
        "visibility=private",
    ];
    let output = idp(dir.path(), &arguments)
        .args(["--git", "made.git", "--branch", "main"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let commit = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    assert_eq!(git(&["-C", "made.git", "rev-parse", "main"]), commit);
    assert!(
        git(&["-C", "made.git", "ls-tree", "-r", "--name-only", "main"]).contains("index.html")
    );
}

#[test]
fn a_render_that_cannot_be_is_explained() {
    let dir = folder("");
    let refused = |arguments: &[&str]| said(&idp(dir.path(), arguments).output().unwrap());
    insta::assert_snapshot!(refused(&["render", "node-htp", "--out", "x"]), @r"
    exit 2
    error: there is no template `node-htp`

    hint: did you mean `node-http`?
    ");
    insta::assert_snapshot!(refused(&["render", "node-http", "--out", "x", "--set", "port=80"]), @r"
    exit 2
    error: `node-http` can't be rendered with these values

    hint: `--set name=…`: Fill this in.
    hint: `--set owner=…`: Choose one.
    hint: `--set port=…`: At least 1024.
    ");
    insta::assert_snapshot!(refused(&["render", "node-http", "--out", "x"]), @r"
    exit 2
    error: `node-http` can't be rendered with these values

    hint: `--set name=…`: Fill this in.
    hint: `--set owner=…`: Choose one.
    ");
}
