//! Where definitions come from: the ones embedded in the binary, or folders of the operator.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry, include_dir};

use crate::catalog::Problem;
use crate::domain::tree::{Entry, Mode, Tree, TreePath};

static COMMANDS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/commands");
static TEMPLATES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// Where definitions come from; `None`: the ones embedded in the binary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// `IDP_COMMANDS_DIR`.
    pub commands: Option<PathBuf>,
    /// `IDP_TEMPLATES_DIR`.
    pub templates: Option<PathBuf>,
}

/// A command file as found: its name for people, and its bytes.
pub(super) type CommandFile = (String, Vec<u8>);

/// A template's folder as found: its name for people (with a slash at the end), and its files.
pub(super) type TemplateFolder = (String, Tree);

impl Sources {
    /// All command files, by name.
    pub(super) fn commands(&self, problems: &mut Vec<Problem>) -> Vec<CommandFile> {
        let Some(folder) = &self.commands else {
            return embedded_commands();
        };
        let mut found = Vec::new();
        for path in children(folder, problems) {
            let shown = path.display().to_string();
            if !is_yaml(&path) {
                continue;
            }
            match fs::read(&path) {
                Ok(bytes) => found.push((shown, bytes)),
                Err(error) => problems.push(unreadable(&shown, &error)),
            }
        }
        found
    }

    /// All template folders, by name.
    pub(super) fn templates(&self, problems: &mut Vec<Problem>) -> Vec<TemplateFolder> {
        let Some(folder) = &self.templates else {
            return embedded_templates(problems);
        };
        let mut found = Vec::new();
        for path in children(folder, problems)
            .into_iter()
            .filter(|path| path.is_dir())
        {
            let shown = format!("{}/", path.display());
            let mut tree = Tree::new();
            match read_folder(&path, "", &mut tree) {
                Ok(()) => found.push((shown, tree)),
                Err(problem) => problems.push(problem),
            }
        }
        found
    }
}

fn is_yaml(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'));
    !hidden
        && path
            .extension()
            .is_some_and(|ending| ending == "yaml" || ending == "yml")
}

/// What lies in a folder, by name; hidden files are nobody's definition.
fn children(folder: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()
    });
    let mut paths = read.unwrap_or_else(|error| {
        problems.push(unreadable(&folder.display().to_string(), &error));
        Vec::new()
    });
    paths.retain(|path| {
        !path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'))
    });
    paths.sort();
    paths
}

fn unreadable(shown: &str, error: &io::Error) -> Problem {
    Problem::whole(shown, format!("this can't be read: {error}"))
}

fn read_folder(folder: &Path, below: &str, tree: &mut Tree) -> Result<(), Problem> {
    let shown = |path: &Path| path.display().to_string();
    let fail = |path: &Path, error: &io::Error| unreadable(&shown(path), error);
    let entries = fs::read_dir(folder).map_err(|error| fail(folder, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| fail(folder, &error))?;
        let path = entry.path();
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            return Err(Problem::whole(shown(&path), "the file's name is not UTF-8"));
        };
        let inner = if below.is_empty() {
            name.clone()
        } else {
            format!("{below}/{name}")
        };
        let kind = entry.file_type().map_err(|error| fail(&path, &error))?;
        if kind.is_dir() {
            // A skeleton that is a repository itself is a mistake of the moment, not part of the template.
            if name != ".git" {
                read_folder(&path, &inner, tree)?;
            }
            continue;
        }
        let entry = read_entry(&path, kind.is_symlink()).map_err(|error| fail(&path, &error))?;
        let placed = TreePath::new(inner)
            .map_err(|error| Problem::whole(shown(&path), error.to_string()))?;
        tree.insert(placed, entry)
            .map_err(|error| Problem::whole(shown(&path), error.to_string()))?;
    }
    Ok(())
}

fn read_entry(path: &Path, is_link: bool) -> io::Result<Entry> {
    if is_link {
        return Ok(Entry::symlink(fs::read_link(path)?.to_string_lossy()));
    }
    let bytes = fs::read(path)?;
    Ok(if is_executable(path)? {
        Entry::executable(bytes)
    } else {
        Entry::file(bytes)
    })
}

#[cfg(unix)]
fn is_executable(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::metadata(path)?.permissions().mode() & 0o100 != 0)
}

#[cfg(not(unix))]
fn is_executable(_: &Path) -> io::Result<bool> {
    Ok(false)
}

fn embedded_commands() -> Vec<CommandFile> {
    let mut found: Vec<_> = COMMANDS
        .files()
        .filter(|file| is_yaml(file.path()))
        .map(|file| {
            (
                format!("commands/{}", file.path().display()),
                file.contents().to_vec(),
            )
        })
        .collect();
    found.sort();
    found
}

fn embedded_templates(problems: &mut Vec<Problem>) -> Vec<TemplateFolder> {
    let mut found = Vec::new();
    for folder in TEMPLATES.dirs() {
        let mut tree = Tree::new();
        if let Err(problem) = embedded_folder(folder, folder.path(), &mut tree) {
            problems.push(problem);
            continue;
        }
        found.push((format!("templates/{}/", folder.path().display()), tree));
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

/// Embedded files carry no mode: the shipped templates have plain files only, which a test holds.
fn embedded_folder(folder: &Dir<'_>, root: &Path, tree: &mut Tree) -> Result<(), Problem> {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(inner) => embedded_folder(inner, root, tree)?,
            DirEntry::File(file) => {
                let shown = format!("templates/{}", file.path().display());
                let below = file.path().strip_prefix(root).unwrap_or(file.path());
                let path = TreePath::new(below.to_string_lossy())
                    .map_err(|error| Problem::whole(&shown, error.to_string()))?;
                let entry = Entry {
                    mode: Mode::File,
                    bytes: file.contents().to_vec(),
                };
                tree.insert(path, entry)
                    .map_err(|error| Problem::whole(&shown, error.to_string()))?;
            }
        }
    }
    Ok(())
}
