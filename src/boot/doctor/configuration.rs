//! What files say: the configuration, the definitions, and the address that people reach.

use url::Url;

use super::Check;
use crate::boot::config::Config;
use crate::catalog::Catalog;

pub(super) fn checks(config: &Config, catalog: &Catalog) -> Vec<Check> {
    let file = config.file.is_file().then(|| config.file.display());
    let mut checks = vec![match file {
        Some(file) => Check::ok("configuration", file.to_string()),
        None => Check::note(
            "configuration",
            format!("there is no {}", config.file.display()),
        )
        .fix("start with a copy of `idp.toml.example`: teams and groups stand in it"),
    }];
    if let Some(reason) = &config.organisation.paused {
        checks.push(
            Check::warn(
                "configuration",
                format!("new requests are paused: {reason}"),
            )
            .fix("take `paused` out of the file when it is over"),
        );
    }
    checks.extend(definitions(catalog));
    checks.push(public_url(config.public_url.as_ref()));
    checks
}

/// As `idp check` says it.
fn definitions(catalog: &Catalog) -> Vec<Check> {
    const TOPIC: &str = "definitions";
    let problems = catalog.problems().iter().map(|problem| {
        let place = match problem.line {
            0 => problem.file.clone(),
            line => format!("{}:{line}:{}", problem.file, problem.column),
        };
        let check = Check::fail(TOPIC, format!("{} ({place})", problem.what));
        let check = match &problem.nearest {
            Some(word) => check.fix(format!("did you mean `{word}`?")),
            None => check,
        };
        match &problem.hint {
            Some(hint) => check.fix(hint.clone()),
            None => check,
        }
    });
    let problems: Vec<Check> = problems.collect();
    if !problems.is_empty() {
        return problems;
    }
    let names: Vec<&str> = catalog.commands().map(|c| c.name.as_str()).collect();
    let says = match names.as_slice() {
        [] => {
            return vec![
                Check::fail(TOPIC, "there is no command: nobody can ask for anything")
                    .fix("name the folder of your commands in `commands_dir`, or leave it out"),
            ];
        }
        names => format!(
            "commands: {}; templates: {}",
            names.join(", "),
            catalog.templates().count()
        ),
    };
    vec![Check::ok(TOPIC, says)]
}

fn public_url(url: Option<&Url>) -> Check {
    const TOPIC: &str = "public address";
    match url {
        None => Check::note(
            TOPIC,
            "not set: messages carry no links to pages of idp, its own forge's among them",
        )
        .fix("set `IDP_PUBLIC_URL` to the address that people reach idp under"),
        Some(url) if url.scheme() == "http" && !is_here(url) => Check::warn(
            TOPIC,
            format!("{url} is not encrypted: tokens travel in the open"),
        )
        .fix("put a proxy with TLS in front, and set its `https://` address"),
        Some(url) => Check::ok(TOPIC, url.as_str()),
    }
}

/// Whether it is this very machine.
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::doctor::State;

    #[test]
    fn an_open_address_is_only_good_on_this_machine() {
        let state = |text: &str| public_url(Some(&Url::parse(text).unwrap())).state;
        assert_eq!(state("http://127.0.0.1:8484"), State::Ok);
        assert_eq!(state("http://localhost:8484"), State::Ok);
        assert_eq!(state("http://idp.example.com"), State::Warn);
        assert_eq!(state("https://idp.example.com"), State::Ok);
        assert_eq!(public_url(None).state, State::Note);
    }
}
