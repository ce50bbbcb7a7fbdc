//! The local forge through its trait: made whole, adopted only by its own request, never a stranger's work lost.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use idp::clients::forge::local::Place;
use idp::clients::forge::{Forge as _, ForgeError, Removal, RepoName, RepoSpec, Visibility};
use idp::domain::step::StepError;
use idp::domain::tree::Entry;

use super::{
    World, commit, git, open, payments, request, spec, stranger_commits, tree, try_git, wide,
};

#[tokio::test]
async fn a_repository_is_made_pushed_to_and_cloned() {
    let world = World::new();
    assert_eq!(world.forge.look(&payments()).await.unwrap(), None);
    let made = world.forge.ensure_repo(&spec(request(1))).await.unwrap();
    assert_eq!(
        (made.made_by, made.head, made.foreign),
        (Some(request(1)), None, false)
    );
    let id = world
        .forge
        .push(&spec(request(1)), wide(), &commit())
        .await
        .unwrap();
    let state = world.forge.look(&payments()).await.unwrap().unwrap();
    assert_eq!(
        (state.head, state.foreign, state.team.as_deref()),
        (Some(id), false, Some("payments"))
    );

    let dir = world.repo_dir();
    let said = try_git(&dir, &["fsck", "--strict", "--full"]);
    assert!(
        said.status.success() && said.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    git(
        world.path(),
        &["clone", "-q", dir.to_str().unwrap(), "clone"],
    );
    assert_eq!(
        fs::read_to_string(world.path().join("clone/README.md")).unwrap(),
        "# Payments\n"
    );
    assert_eq!(world.forge.list().await.unwrap(), [state]);
}

#[tokio::test]
async fn everything_twice_is_everything_once() {
    let world = World::new();
    let first = world.forge.ensure_repo(&spec(request(1))).await.unwrap();
    assert_eq!(
        world.forge.ensure_repo(&spec(request(1))).await.unwrap(),
        first
    );
    let id = world
        .forge
        .push(&spec(request(1)), wide(), &commit())
        .await
        .unwrap();
    let before = listing(&world);
    assert_eq!(
        world
            .forge
            .push(&spec(request(1)), wide(), &commit())
            .await
            .unwrap(),
        id
    );
    assert_eq!(listing(&world), before);
    assert_eq!(
        world.forge.remove(&payments(), request(1)).await.unwrap(),
        Removal::Removed
    );
    assert_eq!(
        world.forge.remove(&payments(), request(1)).await.unwrap(),
        Removal::WasGone
    );
    assert_eq!(world.forge.look(&payments()).await.unwrap(), None);
    assert_eq!(
        fs::read_dir(world.path().join("git/.work"))
            .unwrap()
            .count(),
        0
    );
}

fn listing(world: &World) -> Vec<String> {
    let entries = walkdir::WalkDir::new(world.path()).sort_by_file_name();
    entries
        .into_iter()
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect()
}

#[tokio::test]
async fn twins_of_one_request_agree() {
    let world = World::new();
    let ensures = (0..8).map(|_| {
        let forge = open(world.path());
        tokio::spawn(async move { forge.ensure_repo(&spec(request(1))).await })
    });
    for made in ensures.collect::<Vec<_>>() {
        assert_eq!(made.await.unwrap().unwrap().made_by, Some(request(1)));
    }
    let pushes = (0..8).map(|_| {
        let forge = open(world.path());
        tokio::spawn(async move { forge.push(&spec(request(1)), wide(), &commit()).await })
    });
    let mut ids = Vec::new();
    for pushed in pushes.collect::<Vec<_>>() {
        match pushed.await.unwrap() {
            Ok(id) => ids.push(id),
            Err(ForgeError::Busy { .. }) => {} // the other one is at it: tried again later
            Err(other) => panic!("{other}"),
        }
    }
    let id = world
        .forge
        .push(&spec(request(1)), wide(), &commit())
        .await
        .unwrap();
    assert!(!ids.is_empty() && ids.iter().all(|i| *i == id));
    assert_eq!(
        fs::read_dir(world.path().join("git/.work"))
            .unwrap()
            .count(),
        0
    );
}

#[tokio::test]
async fn settings_follow_the_request_and_commits_stay_ours() {
    let world = World::new();
    world.forge.ensure_repo(&spec(request(1))).await.unwrap();
    world
        .forge
        .push(&spec(request(1)), wide(), &commit())
        .await
        .unwrap();
    let wanted = RepoSpec {
        visibility: Visibility::Public,
        description: "New words".to_owned(),
        ..spec(request(1))
    };
    let state = world.forge.ensure_repo(&wanted).await.unwrap();
    assert_eq!(
        (state.visibility, state.description.as_str(), state.foreign),
        (Visibility::Public, "New words", false)
    );
}

#[tokio::test]
async fn another_request_never_gets_at_it() {
    let world = World::new();
    world.forge.ensure_repo(&spec(request(1))).await.unwrap();
    let other = RepoSpec {
        team: Some("core".to_owned()),
        ..spec(request(2))
    };
    let said = world.forge.ensure_repo(&other).await.unwrap_err();
    assert_eq!(
        said.to_string(),
        "acme/payments-api exists already (team payments)"
    );
    assert!(matches!(StepError::from(said), StepError::Stop { .. }));
    let pushed = world.forge.push(&spec(request(2)), wide(), &commit()).await;
    assert!(matches!(pushed, Err(ForgeError::Taken { .. })));
    assert!(matches!(
        world.forge.remove(&payments(), request(2)).await,
        Err(ForgeError::Taken { .. })
    ));
    assert_eq!(
        world
            .forge
            .look(&payments())
            .await
            .unwrap()
            .unwrap()
            .made_by,
        Some(request(1))
    );
}

#[tokio::test]
async fn names_are_one_whatever_their_case() {
    let world = World::new();
    let loud = RepoName::new("ACME", "Payments-API").unwrap();
    world
        .forge
        .ensure_repo(&RepoSpec {
            repo: loud.clone(),
            ..spec(request(1))
        })
        .await
        .unwrap();
    let found = world.forge.look(&payments()).await.unwrap().unwrap();
    assert_eq!(found.repo.to_string(), "ACME/Payments-API");
    assert!(matches!(
        world.forge.ensure_repo(&spec(request(2))).await,
        Err(ForgeError::Taken { .. })
    ));
}

#[tokio::test]
async fn a_repository_that_somebody_put_there_is_never_adopted() {
    let world = World::new();
    fs::create_dir(world.path().join("git/acme")).unwrap();
    git(
        &world.path().join("git/acme"),
        &["init", "-q", "--bare", "payments-api.git"],
    );
    let state = world.forge.look(&payments()).await.unwrap().unwrap();
    assert_eq!((state.made_by, state.foreign), (None, true));
    assert!(matches!(
        world.forge.ensure_repo(&spec(request(1))).await,
        Err(ForgeError::Taken { .. })
    ));
    assert!(matches!(
        world.forge.push(&spec(request(1)), wide(), &commit()).await,
        Err(ForgeError::Taken { .. })
    ));
    assert!(matches!(
        world.forge.remove(&payments(), request(1)).await,
        Err(ForgeError::Taken { .. })
    ));
    assert!(world.repo_dir().join("HEAD").exists());
}

#[tokio::test]
async fn a_repository_that_cannot_be_read_hides_no_others() {
    let world = World::new();
    world.forge.ensure_repo(&spec(request(1))).await.unwrap();
    let other = RepoName::new("acme", "other").unwrap();
    let made = RepoSpec {
        repo: other.clone(),
        ..spec(request(2))
    };
    world.forge.ensure_repo(&made).await.unwrap();
    fs::write(world.repo_dir().join("idp.json"), "{ half").unwrap();
    let said = world.forge.look(&payments()).await.unwrap_err();
    assert!(matches!(StepError::from(said), StepError::Stop { .. }));
    let listed: Vec<_> = world.forge.list().await.unwrap();
    assert_eq!(
        listed.iter().map(|state| &state.repo).collect::<Vec<_>>(),
        [&other]
    );
}

#[tokio::test]
async fn a_stranger_s_commit_stops_remove_and_outlives_a_repeated_push() {
    let world = World::new();
    world.forge.ensure_repo(&spec(request(1))).await.unwrap();
    let ours = world
        .forge
        .push(&spec(request(1)), wide(), &commit())
        .await
        .unwrap();
    let dir = world.repo_dir();
    git(
        world.path(),
        &["clone", "-q", dir.to_str().unwrap(), "clone"],
    );
    let clone = world.path().join("clone");
    stranger_commits(&clone);
    git(&clone, &["push", "-q", "origin", "main"]);
    let theirs = git(&clone, &["rev-parse", "HEAD"]);

    assert_eq!(
        world
            .forge
            .push(&spec(request(1)), wide(), &commit())
            .await
            .unwrap(),
        ours
    );
    let state = world.forge.look(&payments()).await.unwrap().unwrap();
    assert_eq!(
        (state.head.unwrap().to_string(), state.foreign),
        (theirs.clone(), true)
    );
    let said = world
        .forge
        .remove(&payments(), request(1))
        .await
        .unwrap_err();
    assert_eq!(
        said.to_string(),
        "Somebody else has pushed to acme/payments-api"
    );
    assert_eq!(git(&dir, &["rev-parse", "main"]), theirs);

    // Another content under the same request has no place there any more.
    let changed = tree(&[("a", Entry::file("b"))]);
    assert!(matches!(
        world
            .forge
            .push(&spec(request(1)), changed, &commit())
            .await,
        Err(ForgeError::Foreign { .. })
    ));
}

#[tokio::test]
async fn a_tag_by_a_stranger_counts_too_even_when_packed() {
    let world = World::new();
    world.forge.ensure_repo(&spec(request(1))).await.unwrap();
    world
        .forge
        .push(&spec(request(1)), wide(), &commit())
        .await
        .unwrap();
    let dir = world.repo_dir();
    git(&dir, &["tag", "-a", "v1", "-m", "first", "main"]);
    git(&dir, &["pack-refs", "--all"]);
    assert!(matches!(
        world.forge.remove(&payments(), request(1)).await,
        Err(ForgeError::Foreign { .. })
    ));
}

#[tokio::test]
async fn a_first_push_by_a_stranger_is_not_overwritten() {
    let world = World::new();
    world.forge.ensure_repo(&spec(request(1))).await.unwrap();
    let dir = world.repo_dir();
    git(
        world.path(),
        &["clone", "-q", dir.to_str().unwrap(), "clone"],
    );
    stranger_commits(&world.path().join("clone"));
    git(
        &world.path().join("clone"),
        &["push", "-q", "origin", "HEAD:main"],
    );
    let pushed = world.forge.push(&spec(request(1)), wide(), &commit()).await;
    assert!(matches!(pushed, Err(ForgeError::Foreign { .. })));
    assert!(matches!(
        world.forge.remove(&payments(), request(1)).await,
        Err(ForgeError::Foreign { .. })
    ));
}

/// The moments at which a process can die between "create" and "pushed": what is on the disk then, and what the same
/// request and another one make of it.
#[tokio::test]
async fn after_a_crash_only_the_same_request_goes_on() {
    let world = World::new();
    world.forge.ensure_repo(&spec(request(1))).await.unwrap();
    let id = world
        .forge
        .push(&spec(request(1)), wide(), &commit())
        .await
        .unwrap();
    let dir = world.repo_dir();
    // Died before the branch was made, the pack and the note being there.
    fs::remove_file(dir.join("refs/heads/main")).unwrap();
    let again = open(world.path());
    assert!(matches!(
        again.ensure_repo(&spec(request(2))).await,
        Err(ForgeError::Taken { .. })
    ));
    again.ensure_repo(&spec(request(1))).await.unwrap();
    assert_eq!(
        again
            .push(&spec(request(1)), wide(), &commit())
            .await
            .unwrap(),
        id
    );
    // Died between the pack and its index.
    let index = fs::read_dir(dir.join("objects/pack"))
        .unwrap()
        .map(|e| e.unwrap().path());
    let index = index
        .into_iter()
        .find(|path| path.extension().is_some_and(|e| e == "idx"))
        .unwrap();
    fs::remove_file(index).unwrap();
    fs::remove_file(dir.join("refs/heads/main")).unwrap();
    assert_eq!(
        again
            .push(&spec(request(1)), wide(), &commit())
            .await
            .unwrap(),
        id
    );
    git(&dir, &["fsck", "--strict", "--full"]);
    // Died while making the repository, beside its place.
    let half = world.path().join("git/.work/half");
    fs::create_dir_all(half.join("objects")).unwrap();
    assert_eq!(
        again.remove(&payments(), request(1)).await.unwrap(),
        Removal::Removed
    );
    assert_eq!(again.look(&payments()).await.unwrap(), None);
    again.ensure_repo(&spec(request(2))).await.unwrap();
}

#[test]
fn leftovers_of_crashes_are_swept_up_when_nobody_can_be_at_them() {
    let world = World::new();
    let shop = world.path().join("git/.work");
    fs::create_dir(&shop).unwrap();
    for (name, touch) in [("old", "2 hours ago"), ("fresh", "1 minute ago")] {
        fs::create_dir_all(shop.join(name).join("objects")).unwrap();
        let touched = Command::new("touch")
            .args(["-d", touch])
            .arg(shop.join(name))
            .status()
            .unwrap();
        assert!(touched.success());
    }
    Place::open(world.path().join("git")).unwrap();
    assert!(!shop.join("old").exists());
    assert!(shop.join("fresh").exists());
}

#[tokio::test]
async fn a_folder_that_was_moved_away_is_no_free_name() {
    let world = World::new();
    world.forge.ensure_repo(&spec(request(1))).await.unwrap();
    let (here, away) = (world.path().join("git"), world.path().join("elsewhere"));
    fs::rename(&here, &away).unwrap();
    // Neither for the running process nor for one that starts now.
    for forge in [world.forge.clone(), open(world.path())] {
        let looked = forge.look(&payments()).await.unwrap_err();
        assert_eq!(looked.to_string(), "The git server can't be reached");
        assert!(matches!(StepError::from(looked), StepError::Again { .. }));
        assert!(matches!(
            forge.ensure_repo(&spec(request(2))).await,
            Err(ForgeError::Away { .. })
        ));
        assert!(matches!(
            forge.push(&spec(request(1)), wide(), &commit()).await,
            Err(ForgeError::Away { .. })
        ));
        assert!(matches!(
            forge.remove(&payments(), request(1)).await,
            Err(ForgeError::Away { .. })
        ));
        assert!(matches!(forge.list().await, Err(ForgeError::Away { .. })));
    }
    assert!(!here.exists());
    fs::rename(&away, &here).unwrap();
    assert_eq!(
        world
            .forge
            .look(&payments())
            .await
            .unwrap()
            .unwrap()
            .made_by,
        Some(request(1))
    );
}

#[tokio::test]
async fn a_repository_stays_while_somebody_pushes() {
    let world = World::new();
    world.forge.ensure_repo(&spec(request(1))).await.unwrap();
    let (first, second) = (
        world.forge.enter(&payments()).await.unwrap(),
        world.forge.enter(&payments()).await.unwrap(),
    );
    let said = world
        .forge
        .remove(&payments(), request(1))
        .await
        .unwrap_err();
    assert!(matches!(StepError::from(said), StepError::Again { .. }));
    drop((first, second));
    assert_eq!(
        world.forge.remove(&payments(), request(1)).await.unwrap(),
        Removal::Removed
    );
    assert!(matches!(
        world.forge.enter(&payments()).await,
        Err(ForgeError::Missing { .. })
    ));
}

/// A disk that is full after a few kilobytes: a child process under a file-size limit does the work.
#[test]
fn a_full_disk_leaves_nothing_half_made() {
    let world = World::new();
    let said = in_a_child_with_little_disk("ensure", world.path(), 0);
    assert!(said.contains("The git server has no space left"), "{said}");
    assert!(!world.repo_dir().exists());
    assert_eq!(
        fs::read_dir(world.path().join("git/.work"))
            .unwrap()
            .count(),
        0
    );

    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime
        .block_on(world.forge.ensure_repo(&spec(request(1))))
        .unwrap();
    let said = in_a_child_with_little_disk("push", world.path(), 8);
    assert!(said.contains("The git server has no space left"), "{said}");
    let state = runtime
        .block_on(world.forge.look(&payments()))
        .unwrap()
        .unwrap();
    assert_eq!((state.head, state.foreign), (None, false));
    assert_eq!(
        fs::read_dir(world.repo_dir().join("objects/pack"))
            .unwrap()
            .count(),
        0
    );
    // Once there is room again, the same work goes through.
    let id = runtime
        .block_on(
            world
                .forge
                .push(&spec(request(1)), incompressible(), &commit()),
        )
        .unwrap();
    assert_eq!(
        git(&world.repo_dir(), &["rev-parse", "main"]),
        id.to_string()
    );
}

/// `blocks` of 512 bytes is the longest file that the child may write.
fn in_a_child_with_little_disk(what: &str, data: &std::path::Path, blocks: u32) -> String {
    let output = Command::new("sh")
        .args([
            "-c",
            &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""),
        ])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "forge::local::child_with_little_disk",
            "--ignored",
            "--nocapture",
        ])
        .env("FORGE_CHILD", what)
        .env("FORGE_DATA", data)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
#[ignore = "runs as the child of a_full_disk_leaves_nothing_half_made"]
async fn child_with_little_disk() {
    let (Some(what), Some(data)) = (
        std::env::var_os("FORGE_CHILD"),
        std::env::var_os("FORGE_DATA"),
    ) else {
        return;
    };
    let forge = open(data.as_ref());
    let error = if what == "ensure" {
        forge.ensure_repo(&spec(request(1))).await.unwrap_err()
    } else {
        forge
            .push(&spec(request(1)), incompressible(), &commit())
            .await
            .unwrap_err()
    };
    println!("{}", error.detail());
    assert!(matches!(StepError::from(error), StepError::Again { .. }));
}

/// Content that stays long when packed.
fn incompressible() -> Arc<idp::domain::tree::Tree> {
    let mut state = 1u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    })
    .take(100_000)
    .collect();
    tree(&[("noise.bin", Entry::file(noise))])
}
