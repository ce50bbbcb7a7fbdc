//! What the organisation on GitHub forbids.

use super::place::Place;
use crate::boot::doctor::Check;
use crate::clients::forge::github::examine::{Organisation, Trouble, Who};

const ORGANISATION: &str = "github organisation";

impl Place {
    pub(super) fn unseen(&self, trouble: &Trouble) -> Check {
        let organisation = &self.organisation;
        if trouble.status == Some(404) {
            let says = format!("there is no organisation {organisation}, or idp may not see it");
            return Check::fail(ORGANISATION, says)
                .fix("set `GITHUB_ORG` to its name as in its address");
        }
        let what = format!("{organisation} can't be read");
        self.refused(ORGANISATION, &what, trouble)
    }

    pub(super) fn organisation(
        &self,
        told: &Organisation,
        who: &Result<Who, Trouble>,
    ) -> Vec<Check> {
        let name = &self.organisation;
        let page = format!("{}/organizations/{name}/settings", self.web);
        let mut checks = Vec::new();
        let allow = format!("allow them at {page}/member_privileges");
        match (told.private == Some(false), told.public == Some(false)) {
            (true, true) => {
                let says = format!("{name} lets nobody make repositories");
                checks.push(Check::fail(ORGANISATION, says).fix(allow));
            }
            (true, false) => {
                let says =
                    format!("{name} allows no private repositories: plans with them are refused");
                checks.push(Check::warn(ORGANISATION, says).fix(allow));
            }
            (false, true) => checks.push(Check::note(
                ORGANISATION,
                format!("{name} allows no public repositories: plans with them are refused"),
            )),
            (false, false) => {}
        }
        if told.plan.as_deref() == Some("free") {
            checks.push(Check::note(
                ORGANISATION,
                "on GitHub Free, branches of private repositories can't be protected: such plans are refused",
            ));
        }
        if let (Some(true), Ok(Who::Person(person))) = (told.two_factor, who)
            && person.two_factor == Some(false)
        {
            let says = format!(
                "{name} wants a second factor, and {} has none",
                person.login
            );
            checks.push(Check::fail(ORGANISATION, says).fix(format!(
                "switch two-factor authentication on: {}/settings/security",
                self.web
            )));
        }
        if checks.is_empty() {
            checks.push(Check::ok(
                ORGANISATION,
                format!("{name} has no rule in the way"),
            ));
        }
        checks
    }
}
