//! `publish:local`: makes a repository on the local forge and puts the rendered files into it. A deployment with GitHub
//! has no such action: `publish:repository` goes with either.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::action::{Action, PlanContext, RunContext};
use super::publish::{self, Publisher, Secrets};
use crate::clients::forge::Forge;
use crate::domain::action::ActionSpec;
use crate::domain::plan::PlannedValue;
use crate::domain::step::{Outcome, PlanError, StepError, StepPlan};

const NAME: &str = "publish:local";

/// Makes a repository on the local forge.
#[derive(Debug)]
pub struct PublishLocal(Publisher);

impl PublishLocal {
    /// On this forge.
    pub fn new(forge: Arc<dyn Forge>) -> Self {
        Self(Publisher::new(NAME, forge, Secrets::default()))
    }
}

/// What definitions are checked against; it needs no forge.
pub(super) fn spec() -> ActionSpec {
    publish::plain_spec(NAME)
}

#[async_trait]
impl Action for PublishLocal {
    fn spec(&self) -> ActionSpec {
        spec()
    }

    fn timeout(&self) -> Duration {
        publish::TIMEOUT
    }

    async fn plan(
        &self,
        context: &PlanContext<'_>,
        input: &PlannedValue,
    ) -> Result<StepPlan, PlanError> {
        self.0.plan(context, input).await
    }

    async fn run(&self, context: &RunContext, input: &Value) -> Result<Outcome, StepError> {
        self.0.run(context, input).await
    }

    async fn undo(
        &self,
        context: &RunContext,
        input: &Value,
        _: Option<&Value>,
    ) -> Result<(), StepError> {
        self.0.undo(context, input).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        done, filled, forge, known, planning, request, running, workspace,
    };
    use serde_json::json;

    use super::*;
    use crate::clients::forge::RepoName;
    use crate::steps::Blobs;

    const FILES: &[(&str, &str)] = &[
        ("README.md", "# Payments"),
        (
            "catalog-info.yaml",
            "kind: Component\nmetadata: { name: payments-api }\nspec: { owner: payments }\n",
        ),
        ("site/index.html", "<h1>Hi</h1>"),
    ];

    fn input() -> Value {
        json!({ "repoUrl": "local?owner=acme&repo=payments-api", "description": "Takes payments" })
    }

    fn payments() -> RepoName {
        RepoName::new("acme", "payments-api").unwrap()
    }

    #[tokio::test]
    async fn what_is_planned_is_made_once_and_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let forge = Arc::new(forge(dir.path()));
        let publish = PublishLocal::new(forge.clone());
        let (files, blobs) = workspace(FILES);
        let plan = publish
            .plan(&planning(1, Some(&files)), &known(&input()))
            .await
            .unwrap();
        assert_eq!(
            forge.look(&payments()).await.unwrap(),
            None,
            "planning has no side effects"
        );
        let said: Vec<_> = plan
            .facts
            .iter()
            .map(|f| format!("{} {} {} {:?}", f.kind, f.noun, f.name, f.detail))
            .collect();
        assert_eq!(
            said[0],
            "creates private repository acme/payments-api Some(\"3 files\")"
        );
        assert_eq!(said[3], "creates file site/index.html Some(\"11 bytes\")");
        assert_eq!(plan.claims[0].name, "acme/payments-api");
        assert_eq!(
            plan,
            publish
                .plan(&planning(1, Some(&files)), &known(&input()))
                .await
                .unwrap()
        );

        let filled = filled(&input(), &plan);
        let context = running(1, blobs, 0);
        let first = done(publish.run(&context, &filled).await.unwrap());
        let again = done(publish.run(&context, &filled).await.unwrap());
        assert_eq!(first, again);
        let state = forge.look(&payments()).await.unwrap().unwrap();
        assert_eq!(
            first.output,
            json!({
                "remoteUrl": "http://127.0.0.1:8484/git/acme/payments-api.git",
                "repoContentsUrl": "http://127.0.0.1:8484/git/acme/payments-api/blob/main",
                "commitHash": state.head.unwrap().to_string(),
            })
        );
        assert_eq!(
            (state.made_by, state.team.as_deref()),
            (Some(request(1)), Some("payments"))
        );
        // Planned again just before a retry, its own repository doesn't stand in the way; anybody else's does.
        assert!(
            publish
                .plan(&planning(1, Some(&files)), &known(&input()))
                .await
                .is_ok()
        );
        let other = publish
            .plan(&planning(2, Some(&files)), &known(&input()))
            .await
            .unwrap_err();
        assert_eq!(
            other.to_string(),
            "acme/payments-api exists (team payments). Choose another name."
        );

        publish
            .undo(&context, &filled, Some(&first.output))
            .await
            .unwrap();
        publish.undo(&context, &filled, None).await.unwrap();
        assert_eq!(forge.look(&payments()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_another_request_made_meanwhile_is_neither_adopted_nor_removed() {
        let dir = tempfile::tempdir().unwrap();
        let forge = Arc::new(forge(dir.path()));
        let publish = PublishLocal::new(forge.clone());
        let (files, blobs) = workspace(FILES);
        let plan = publish
            .plan(&planning(1, Some(&files)), &known(&input()))
            .await
            .unwrap();
        let filled = filled(&input(), &plan);
        publish
            .run(&running(2, blobs.clone(), 0), &filled)
            .await
            .unwrap();
        let said = publish
            .run(&running(1, blobs.clone(), 0), &filled)
            .await
            .unwrap_err();
        assert_eq!(
            said,
            StepError::Stop {
                cause: "acme/payments-api exists already (team payments)".to_owned()
            }
        );
        publish
            .undo(&running(1, blobs, 0), &filled, None)
            .await
            .unwrap();
        assert_eq!(
            forge.look(&payments()).await.unwrap().unwrap().made_by,
            Some(request(2))
        );
    }

    #[tokio::test]
    async fn a_forge_that_is_away_is_asked_again() {
        let dir = tempfile::tempdir().unwrap();
        let publish = PublishLocal::new(Arc::new(forge(dir.path())));
        let (files, blobs) = workspace(FILES);
        let plan = publish
            .plan(&planning(1, Some(&files)), &known(&input()))
            .await
            .unwrap();
        let filled = filled(&input(), &plan);
        std::fs::rename(dir.path().join("git"), dir.path().join("away")).unwrap();
        let planned = publish
            .plan(&planning(1, Some(&files)), &known(&input()))
            .await;
        assert!(matches!(planned, Err(PlanError::Again { .. })));
        assert!(matches!(
            publish.run(&running(1, blobs.clone(), 0), &filled).await,
            Err(StepError::Again { .. })
        ));
        assert!(matches!(
            publish.undo(&running(1, blobs, 0), &filled, None).await,
            Err(StepError::Again { .. })
        ));
    }

    #[tokio::test]
    async fn a_cancelled_step_lets_go_before_it_makes_anything() {
        let dir = tempfile::tempdir().unwrap();
        let forge = Arc::new(forge(dir.path()));
        let publish = PublishLocal::new(forge.clone());
        let (files, blobs) = workspace(FILES);
        let plan = publish
            .plan(&planning(1, Some(&files)), &known(&input()))
            .await
            .unwrap();
        let context = running(1, blobs, 0);
        context.cancelled.cancel();
        assert!(matches!(
            publish.run(&context, &filled(&input(), &plan)).await,
            Err(StepError::Again { .. })
        ));
        assert_eq!(forge.look(&payments()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn inputs_that_name_no_repository_are_refused_at_plan() {
        let dir = tempfile::tempdir().unwrap();
        let publish = PublishLocal::new(Arc::new(forge(dir.path())));
        let (files, _) = workspace(FILES);
        for (input, why) in [
            (json!({ "repoUrl": "acme/payments-api" }), "should be"),
            (json!({ "repoUrl": "local?owner=acme" }), "names no `repo`"),
            (
                json!({ "repoUrl": "local?owner=..&repo=x" }),
                "can't be the name of an owner",
            ),
            (
                json!({ "repoUrl": "local?owner=acme&repo=%2e%2e" }),
                "can't be the name of a repository",
            ),
            (
                json!({ "repoUrl": "local?owner=acme&repo=x", "defaultBranch": "a..b" }),
                "can't be the name of a branch",
            ),
            (
                json!({ "repoUrl": "local?owner=acme&repo=x", "sourcePath": "../x" }),
                "has `.` or `..` in it",
            ),
            (
                json!({ "repoUrl": "local?owner=acme&repo=x", "sourcePath": "nowhere" }),
                "It would be empty",
            ),
            (
                json!({ "repoUrl": "local?owner=acme&repo=x", "repoVisibility": "secret" }),
                "unknown variant `secret`",
            ),
        ] {
            let said = publish
                .plan(&planning(1, Some(&files)), &known(&input))
                .await
                .unwrap_err()
                .to_string();
            assert!(said.contains(why), "{input}: {said}");
        }
        let without = publish
            .plan(&planning(1, None), &known(&input()))
            .await
            .unwrap_err();
        assert_eq!(
            without.to_string(),
            "The repository can't be made. No step before it makes any files."
        );
    }

    #[tokio::test]
    async fn a_folder_of_the_files_can_be_the_repository() {
        let dir = tempfile::tempdir().unwrap();
        let publish = PublishLocal::new(Arc::new(forge(dir.path())));
        let (files, _) = workspace(FILES);
        let input = json!({ "repoUrl": "local?owner=acme&repo=site", "sourcePath": "./site", "repoVisibility": "public" });
        let plan = publish
            .plan(&planning(1, Some(&files)), &known(&input))
            .await
            .unwrap();
        let names: Vec<_> = plan.facts.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(
            (names, plan.facts[0].noun.as_str()),
            (vec!["acme/site", "index.html"], "public repository")
        );
        assert!(
            publish
                .run(&running(1, Blobs::default(), 0), &filled(&input, &plan))
                .await
                .is_err(),
            "without its blob"
        );
    }
}
