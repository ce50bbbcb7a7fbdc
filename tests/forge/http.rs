//! The local forge over HTTP, with git itself on the other side, and with clients that mean no good.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use idp::clients::forge::git::Git;
use idp::clients::forge::local::{LocalForge, Place};
use idp::clients::forge::{Forge as _, ForgeError};
use idp::domain::tree::Entry;
use idp::web::git::{GitState, Verify, router};

use super::{commit, git, payments, request, spec, stranger_commits, tree, try_git, wide};

/// A forge that listens, with one repository in it.
struct Served {
    dir: tempfile::TempDir,
    forge: LocalForge,
    address: SocketAddr,
    _server: tokio::task::JoinHandle<()>,
}

impl Served {
    async fn new(open: bool) -> Self {
        let served = Self::empty(open).await;
        served.forge.ensure_repo(&spec(request(1))).await.unwrap();
        served
            .forge
            .push(&spec(request(1)), wide(), &commit())
            .await
            .unwrap();
        served
    }

    async fn empty(open: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let place = Place::open(dir.path().join("git")).unwrap();
        let forge = LocalForge::new(
            place,
            format!("http://{address}"),
            Git::new(std::env::var_os("PATH").unwrap()),
        );
        let verify: Verify = Arc::new(|token| {
            Box::pin(async move {
                match token.as_str() {
                    "good" => Ok(Some("Priya Nair".to_owned())),
                    "broken" => anyhow::bail!("the database is away"),
                    _ => Ok(None),
                }
            })
        });
        let app = router(GitState::new(forge.clone(), open, verify));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            dir,
            forge,
            address,
            _server: server,
        }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn remote(&self) -> String {
        self.forge
            .urls(&payments(), &"main".parse().unwrap())
            .remote
    }

    /// Git from another thread, so that the server can answer on this one.
    async fn git(&self, at: &str, args: &[&str]) -> Result<String, String> {
        let dir = self.path().join(at);
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let run = move || {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let output = try_git(&dir, &args);
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            if output.status.success() {
                Ok(text(output.stdout))
            } else {
                Err(text(output.stderr))
            }
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let answer = reqwest::get(format!("http://{}{path}", self.address))
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Sends these very bytes: no client that tidies up paths in between.
    async fn raw(&self, request: &str) -> String {
        let (address, request) = (self.address, request.to_owned());
        let talk = move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            String::from_utf8_lossy(&answer).into_owned()
        };
        tokio::task::spawn_blocking(talk).await.unwrap()
    }

    async fn raw_get(&self, path: &str, headers: &str) -> String {
        let answer = self
            .raw(&format!(
                "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
            ))
            .await;
        answer.lines().next().unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn a_repository_is_cloned_and_is_flawless() {
    let served = Served::new(true).await;
    let page_address = served.remote().trim_end_matches(".git").to_owned();
    for (url, to) in [(served.remote(), "clone"), (page_address, "from-page")] {
        served.git("", &["clone", "-q", &url, to]).await.unwrap();
        let clone = served.path().join(to);
        assert_eq!(
            fs::read_to_string(clone.join("README.md")).unwrap(),
            "# Payments\n"
        );
        assert_eq!(git(&clone, &["branch", "--show-current"]), "main");
        let said = try_git(&clone, &["fsck", "--strict", "--full"]);
        assert!(
            said.status.success() && said.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&said.stderr)
        );
    }
    for version in ["0", "1", "2"] {
        let refs = served
            .git(
                "",
                &[
                    "-c",
                    &format!("protocol.version={version}"),
                    "ls-remote",
                    &served.remote(),
                ],
            )
            .await
            .unwrap();
        assert!(refs.contains("\trefs/heads/main\n"), "{refs}");
    }
}

#[tokio::test]
async fn an_empty_repository_is_cloned_too() {
    let served = Served::empty(true).await;
    served.forge.ensure_repo(&spec(request(1))).await.unwrap();
    served
        .git("", &["clone", "-q", &served.remote(), "clone"])
        .await
        .unwrap();
    assert_eq!(
        git(&served.path().join("clone"), &["symbolic-ref", "HEAD"]),
        "refs/heads/main"
    );
    assert!(
        served
            .get("/git/acme/payments-api")
            .await
            .1
            .contains("Nothing has been pushed yet.")
    );
}

#[tokio::test]
async fn a_stranger_s_push_arrives_and_keeps_the_repository() {
    let served = Served::new(true).await;
    served
        .git("", &["clone", "-q", &served.remote(), "clone"])
        .await
        .unwrap();
    let clone = served.path().join("clone");
    // More than git sends in one piece (1 MB), so the body comes in chunks of unknown total.
    let noise: Vec<u8> = (0..3_000_000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_be_bytes()[3])
        .collect();
    fs::write(clone.join("large.bin"), noise).unwrap();
    stranger_commits(&clone);
    served
        .git("clone", &["push", "-q", "origin", "main"])
        .await
        .unwrap();
    let state = served.forge.look(&payments()).await.unwrap().unwrap();
    assert_eq!(
        (state.head.unwrap().to_string(), state.foreign),
        (git(&clone, &["rev-parse", "HEAD"]), true)
    );
    assert!(matches!(
        served.forge.remove(&payments(), request(1)).await,
        Err(ForgeError::Foreign { .. })
    ));
    // A fetch with many "haves" is sent gzipped by git.
    for n in 0..40 {
        git(
            &clone,
            &["commit", "-q", "--allow-empty", "-m", &format!("local {n}")],
        );
    }
    served
        .git("clone", &["fetch", "-q", "origin"])
        .await
        .unwrap();
    assert!(
        served
            .get("/git/acme/payments-api")
            .await
            .1
            .contains("stranger.txt")
    );
}

#[tokio::test]
async fn broken_objects_are_not_taken() {
    let served = Served::empty(true).await;
    served.forge.ensure_repo(&spec(request(1))).await.unwrap();
    git(served.path(), &["init", "-q", "evil"]);
    let evil = served.path().join("evil");
    fs::write(evil.join("x"), "x").unwrap();
    let blob = git(&evil, &["hash-object", "-w", "x"]);
    let entry = format!("100644 blob {blob}\t.git\n");
    fs::write(evil.join("entry"), entry).unwrap();
    let made = std::process::Command::new("sh")
        .current_dir(&evil)
        .args(["-c", "git mktree < entry"])
        .output()
        .unwrap();
    let tree = String::from_utf8(made.stdout).unwrap();
    let commit = git(&evil, &["commit-tree", tree.trim(), "-m", "evil"]);
    let said = served
        .git(
            "evil",
            &[
                "push",
                "-q",
                &served.remote(),
                &format!("{commit}:refs/heads/main"),
            ],
        )
        .await
        .unwrap_err();
    assert!(
        said.contains("hasDotgit") || said.contains("unpack"),
        "{said}"
    );
    assert_eq!(
        served.forge.look(&payments()).await.unwrap().unwrap().head,
        None
    );
}

#[tokio::test]
async fn elsewhere_than_on_this_machine_a_token_is_asked_for() {
    let served = Served::new(false).await;
    let said = served
        .git("", &["clone", "-q", &served.remote(), "none"])
        .await
        .unwrap_err();
    assert!(said.contains("could not read Username"), "{said}");
    let with = |token: &str| {
        format!(
            "http://me:{token}@{}/git/acme/payments-api.git",
            served.address
        )
    };
    let said = served
        .git("", &["clone", "-q", &with("bad"), "bad"])
        .await
        .unwrap_err();
    assert!(said.contains("Authentication failed"), "{said}");
    let said = served
        .git("", &["clone", "-q", &with("broken"), "broken"])
        .await
        .unwrap_err();
    assert!(said.contains("503"), "{said}");
    served
        .git("", &["clone", "-q", &with("good"), "clone"])
        .await
        .unwrap();
    stranger_commits(&served.path().join("clone"));
    served
        .git("clone", &["push", "-q", "origin", "main"])
        .await
        .unwrap();
    for path in [
        "/git",
        "/git/acme/payments-api",
        "/git/acme/payments-api/blob/main/README.md",
    ] {
        assert_eq!(served.get(path).await.0, 401, "{path}");
    }
}

#[tokio::test]
async fn an_open_forge_is_open_to_this_machine_only() {
    let served = Served::new(true).await;
    assert_eq!(served.raw_get("/git", "").await, "HTTP/1.1 200 OK");
    assert_eq!(
        served
            .raw_get("/git", "X-Forwarded-For: 203.0.113.9\r\n")
            .await,
        "HTTP/1.1 401 Unauthorized"
    );
    let rebound = "GET /git HTTP/1.1\r\nHost: evil.example.com\r\nConnection: close\r\n\r\n";
    assert!(served.raw(rebound).await.starts_with("HTTP/1.1 401"));
    assert!(
        served
            .raw("GET /git HTTP/1.0\r\n\r\n")
            .await
            .starts_with("HTTP/1.0 401")
    );
    let proxied = "GET /git HTTP/1.1\r\nHost: evil.example.com\r\nAuthorization: Bearer good\r\nConnection: close\r\n\r\n";
    assert!(served.raw(proxied).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn no_path_leaves_the_forge() {
    let served = Served::new(true).await;
    fs::write(served.path().join("secret"), "a secret").unwrap();
    fs::create_dir(served.path().join("other.git")).unwrap();
    git(served.path(), &["init", "-q", "--bare", "elsewhere.git"]);
    for path in [
        "/git/../secret",
        "/git/%2e%2e/secret",
        "/git/acme/../../secret",
        "/git/acme/%2e%2e%2f%2e%2e%2felsewhere.git/info/refs?service=git-upload-pack",
        "/git/%2e%2e/elsewhere.git/info/refs?service=git-upload-pack",
        "/git/acme/..%5c..%5celsewhere.git/info/refs?service=git-upload-pack",
        "/git/acme/payments-api.git%00/info/refs?service=git-upload-pack",
        "/git/acme/payments-api%0a.git/info/refs?service=git-upload-pack",
        "/git/.work/x.git/info/refs?service=git-upload-pack",
        "/git/acme/payments-api.git/idp.json",
        "/git/acme/payments-api.git/config",
        "/git/acme/payments-api.git/HEAD",
        "/git/acme/payments-api.git/objects/info/packs",
        "/git/acme/payments-api/blob/main/../../../secret",
        "/git/acme/payments-api/blob/main/%2e%2e/%2e%2e/secret",
        "/git/acme/payments-api/blob/main/.git/config",
        "/git/acme/payments-api/raw/main//etc/passwd",
        "/git/acme/payments-api/raw/main/README.md%00",
        "/git/acme/payments-api/raw/other/README.md",
        "/git/acme/payments-api/tree/main/%2e%2e",
        "/git/acme/nothing-here",
    ] {
        let said = served.raw_get(path, "").await;
        assert!(
            said.starts_with("HTTP/1.1 404") || said.starts_with("HTTP/1.1 400"),
            "{path}: {said}"
        );
    }
    let dumb = served
        .raw_get("/git/acme/payments-api.git/info/refs", "")
        .await;
    assert_eq!(dumb, "HTTP/1.1 403 Forbidden");
    let service = "/git/acme/payments-api.git/info/refs?service=git-upload-archive";
    assert_eq!(served.raw_get(service, "").await, "HTTP/1.1 403 Forbidden");
}

#[tokio::test]
async fn requests_that_are_too_large_or_none_at_all_are_turned_away() {
    let served = Served::new(true).await;
    let post = |service: &str, rest: &str| {
        format!(
            "POST /git/acme/payments-api.git/{service} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{rest}"
        )
    };
    let upload = "Content-Type: application/x-git-upload-pack-request\r\n";
    let said = served
        .raw(&post(
            "git-upload-pack",
            &format!("{upload}Content-Length: 99999999\r\n\r\n"),
        ))
        .await;
    assert!(said.starts_with("HTTP/1.1 413"), "{said}");
    let said = served
        .raw(&post(
            "git-upload-pack",
            "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi",
        ))
        .await;
    assert!(said.starts_with("HTTP/1.1 415"), "{said}");
    let said = served
        .raw(&post(
            "git-upload-pack",
            &format!("{upload}Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"),
        ))
        .await;
    assert!(
        !said.starts_with("HTTP/1.1 2") || !said.contains("PACK"),
        "{said}"
    );
    // The server is still there, and so are its places for git.
    for _ in 0..20 {
        let half = post(
            "git-receive-pack",
            "Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 1000\r\n\r\n0000",
        );
        let address = served.address;
        tokio::task::spawn_blocking(move || {
            TcpStream::connect(address)
                .unwrap()
                .write_all(half.as_bytes())
                .unwrap();
        })
        .await
        .unwrap();
    }
    served
        .git("", &["clone", "-q", &served.remote(), "clone"])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_forge_that_is_away_says_so() {
    let served = Served::new(true).await;
    fs::rename(served.path().join("git"), served.path().join("away")).unwrap();
    let said = served
        .git("", &["clone", "-q", &served.remote(), "clone"])
        .await
        .unwrap_err();
    assert!(said.contains("503"), "{said}");
    for path in ["/git", "/git/acme/payments-api"] {
        let (status, text) = served.get(path).await;
        assert_eq!(status, 503);
        assert!(
            text.contains("The git server can&#39;t be reached. Please try again")
                || text.contains("The git server can't be reached. Please try again"),
            "{text}"
        );
    }
}

/// A repository with what is awkward to show.
async fn awkward() -> Served {
    let served = Served::empty(true).await;
    let files = tree(&[
        (
            "README.md",
            Entry::file("# Hello <script>alert(1)</script>\n\nSee [the runbook](docs/runbook.md)."),
        ),
        ("docs/runbook.md", Entry::file("Turn it **off**.")),
        ("docs/a b#c?.txt", Entry::file("odd name")),
        ("src/<b>.mjs", Entry::file("if (a < b && c) {}")),
        ("logo.png", Entry::file(vec![0, 159, 146, 150])),
        ("big.txt", Entry::file("x".repeat(600_000))),
        ("link", Entry::symlink("docs")),
    ]);
    let spec = idp::clients::forge::RepoSpec {
        description: "<i>Pays</i>".to_owned(),
        ..spec(request(1))
    };
    served.forge.ensure_repo(&spec).await.unwrap();
    served.forge.push(&spec, files, &commit()).await.unwrap();
    served
}

#[tokio::test]
async fn pages_show_files_and_nothing_runs_in_them() {
    let served = awkward().await;
    let (status, home) = served.get("/git/acme/payments-api").await;
    assert_eq!(status, 200);
    for part in [
        &format!("git clone {}", served.remote()),
        "href=\"/git/acme/payments-api/tree/main/docs\">docs/</a>",
        "href=\"/git/acme/payments-api/blob/main/docs/runbook.md\">the runbook</a>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&lt;i&gt;Pays&lt;/i&gt;",
        "Team payments",
        "<span class=\"badge\">private</span>",
        "prefers-color-scheme: dark",
    ] {
        assert!(home.contains(part), "{part}\n{home}");
    }
    assert!(!home.contains("<script") && !home.contains("<i>Pays"));
    let folder = served.get("/git/acme/payments-api/tree/main/docs").await.1;
    let odd = "/git/acme/payments-api/blob/main/docs/a%20b%23c%3F.txt";
    assert!(folder.contains(odd), "{folder}");
    assert!(served.get(odd).await.1.contains("odd name"));
    let source = served
        .get("/git/acme/payments-api/blob/HEAD/src/%3Cb%3E.mjs")
        .await
        .1;
    assert!(source.contains("if (a &lt; b &amp;&amp; c) {}"), "{source}");
    assert!(
        served
            .get("/git/acme/payments-api/blob/main/docs/runbook.md")
            .await
            .1
            .contains("<strong>off</strong>")
    );
    assert!(
        served
            .get("/git/acme/payments-api/blob/main/logo.png")
            .await
            .1
            .contains("This is no text: 4 B.")
    );
    assert!(
        served
            .get("/git/acme/payments-api/blob/main/big.txt")
            .await
            .1
            .contains("585.9 KB, more than a page shows")
    );
    assert_eq!(
        served
            .get("/git/acme/payments-api/raw/main/docs/runbook.md")
            .await,
        (200, "Turn it **off**.".to_owned())
    );
    assert_eq!(
        served.get("/git/acme/payments-api/blob/main/docs").await.0,
        404
    );
    assert_eq!(
        served
            .get("/git/acme/payments-api/tree/main/README.md")
            .await
            .0,
        404
    );
    assert!(
        served
            .get("/git/")
            .await
            .1
            .contains("href=\"/git/acme/payments-api\"")
    );
    assert_eq!(
        served.get("/git/acme/payments-api.git").await.0,
        200,
        "a clone address in a browser leads to the page"
    );

    let answer = reqwest::get(format!(
        "http://{}/git/acme/payments-api/raw/main/README.md",
        served.address
    ))
    .await
    .unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-security-policy").starts_with("default-src 'none'"));
}
