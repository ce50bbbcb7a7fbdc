//! The forge of this deployment: GitHub, or the local one.

use std::ffi::OsString;
use std::sync::Arc;

use crate::boot::clock;
use crate::boot::config::Config;
use crate::boot::problem::{OrFail as _, Problem};
use crate::clients::forge::Forge;
use crate::clients::forge::git::Git;
use crate::clients::forge::github::GitHubForge;
use crate::clients::forge::local::{LocalForge, Place};

/// The forge that repositories stand on, and the local one if it is that.
pub(super) fn forge(config: &Config) -> Result<(Arc<dyn Forge>, Option<LocalForge>), Problem> {
    if let Some(github) = &config.github {
        let forge = GitHubForge::new(github.forge.clone(), git(), Arc::new(clock::now))
            .or_fail("can't reach for GitHub")?;
        return Ok((Arc::new(forge), None));
    }
    let place = Place::open(config.data_dir.join("git")).or_fail("can't open the local forge")?;
    let url = match &config.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => format!("http://{}", config.listen),
    };
    let local = LocalForge::new(place, url, git());
    Ok((Arc::new(local.clone()), Some(local)))
}

/// Git as forges start it.
pub(in crate::boot) fn git() -> Git {
    Git::new(search_path())
}

/// Where programs are looked for.
fn search_path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}
