//! The library at work: files change, break and come back.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use idp::catalog::library::{Reloaded, watch};
use idp::catalog::{Known, Library, Sources};

use super::actions;

/// The shipped definitions as folders.
fn folders(root: &Path) -> Sources {
    let copy = |name: &str| {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        for entry in walkdir::WalkDir::new(&from) {
            let entry = entry.unwrap();
            let to = root
                .join(name)
                .join(entry.path().strip_prefix(&from).unwrap());
            if entry.file_type().is_dir() {
                fs::create_dir_all(to).unwrap();
            } else {
                fs::copy(entry.path(), to).unwrap();
            }
        }
        Some(root.join(name))
    };
    Sources {
        commands: copy("commands"),
        templates: copy("templates"),
    }
}

#[test]
fn embedded_and_folders_are_the_same_definitions() {
    let root = tempfile::tempdir().unwrap();
    let embedded = Library::open(Sources::default(), actions(), Known::default()).current();
    let read = Library::open(folders(root.path()), actions(), Known::default()).current();
    let digests = |catalog: &idp::catalog::Catalog| {
        let commands = catalog.commands().map(|c| c.digest());
        commands
            .chain(catalog.templates().map(|t| t.digest()))
            .collect::<Vec<_>>()
    };
    assert_eq!(digests(&embedded), digests(&read));
}

#[test]
fn a_broken_file_keeps_its_last_good_version() {
    let root = tempfile::tempdir().unwrap();
    let library = Library::open(folders(root.path()), actions(), Known::default());
    let before = library.current();
    let file = root.path().join("commands/new-service.yaml");
    let good = fs::read_to_string(&file).unwrap();

    fs::write(&file, good.replace("onFailure: ask", "onFailure: asc")).unwrap();
    let reloaded = library.reload();
    assert_eq!(reloaded.problems.len(), 1, "{:?}", reloaded.problems);
    assert_eq!((reloaded.changed.len(), reloaded.removed.len()), (0, 0));
    let digest = |library: &Library| library.current().command("new-service").unwrap().digest();
    assert_eq!(
        digest(&library),
        before.command("new-service").unwrap().digest()
    );
    library.reload();
    assert_eq!(
        digest(&library),
        before.command("new-service").unwrap().digest(),
        "also the second time"
    );

    fs::write(&file, good.replace("Create a service", "Make a service")).unwrap();
    let reloaded = library.reload();
    assert_eq!(
        (reloaded.changed, reloaded.problems),
        (vec!["command new-service".to_owned()], vec![])
    );
    assert_eq!(
        library.current().command("new-service").unwrap().title,
        "Make a service"
    );
    assert_eq!(
        before.command("new-service").unwrap().title,
        "Create a service",
        "a snapshot never changes"
    );

    fs::remove_file(&file).unwrap();
    assert_eq!(library.reload().removed, ["command new-service"]);
    assert!(library.current().command("new-service").is_none());
}

#[test]
fn a_broken_template_keeps_its_last_good_version() {
    let root = tempfile::tempdir().unwrap();
    let library = Library::open(folders(root.path()), actions(), Known::default());
    let digest = library.current().template("node-http").unwrap().digest();
    fs::write(
        root.path()
            .join("templates/node-http/skeleton/README.md.njk"),
        "${{ values.nmae }}",
    )
    .unwrap();
    let reloaded = library.reload();
    assert_eq!(reloaded.problems[0].what, "the step gives no value `nmae`");
    assert_eq!(
        library.current().template("node-http").unwrap().digest(),
        digest
    );
    assert_eq!(
        library.current().commands().count(),
        1,
        "commands that use it stay"
    );
}

#[test]
fn a_folder_that_is_gone_takes_nothing_away() {
    let root = tempfile::tempdir().unwrap();
    let library = Library::open(folders(root.path()), actions(), Known::default());
    fs::rename(root.path().join("commands"), root.path().join("elsewhere")).unwrap();
    let reloaded = library.reload();
    assert_eq!(reloaded.removed, Vec::<String>::new());
    assert!(library.current().command("new-service").is_some());
    assert_eq!(reloaded.problems.len(), 1);
}

#[test]
fn changed_files_are_noticed_and_watching_ends() {
    let root = tempfile::tempdir().unwrap();
    let library = Arc::new(Library::open(
        folders(root.path()),
        actions(),
        Known::default(),
    ));
    let (told, reloads): (_, Receiver<Reloaded>) = channel();
    let watching = watch(&library, move |reloaded| drop(told.send(reloaded.clone()))).unwrap();
    let file = root.path().join("commands/new-service.yaml");
    let text = fs::read_to_string(&file)
        .unwrap()
        .replace("Create a service", "Make a service");
    fs::write(&file, text).unwrap();
    let reloaded = reloads.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(reloaded.changed, ["command new-service"]);
    drop(watching);
    // The thread ends and drops its end of the channel.
    while reloads.recv_timeout(Duration::from_secs(20)).is_ok() {}
    assert!(
        watch(
            &Arc::new(Library::open(
                Sources::default(),
                actions(),
                Known::default()
            )),
            |_| {}
        )
        .unwrap()
        .is_none()
    );
}
