//! `catalog:register`: enters a service in the catalog, as its `catalog-info.yaml` tells it. The file is read from the
//! planned tree, so a broken one is refused before anything exists.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::action::{Action, PlanContext, RunContext};
use super::input::{self, refused};
use crate::catalog::entity;
use crate::domain::action::{ActionSpec, Undo};
use crate::domain::plan::{Claim, Fact, FactKind, PlannedValue};
use crate::domain::step::{Done, Outcome, PlanError, Record, StepError, StepPlan, TakenBack};

const NAME: &str = "catalog:register";
const DEFAULT_PATH: &str = "/catalog-info.yaml";

/// Registers a service.
#[derive(Debug)]
pub struct CatalogRegister;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    catalog_info_url: Option<String>,
    repo_contents_url: Option<String>,
    catalog_info_path: Option<String>,
    #[serde(default)]
    optional: bool,
    /// Pinned by the plan: what the file says. None: there is no such file, and it is optional.
    entity: Option<Pinned>,
}

/// What the plan found in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Pinned {
    name: String,
    team: String,
    reference: String,
}

impl Input {
    fn path(&self) -> &str {
        self.catalog_info_path
            .as_deref()
            .unwrap_or(DEFAULT_PATH)
            .trim_start_matches('/')
    }

    /// Where the file will be found, and the page of the repository that it stands in.
    fn urls(&self) -> Result<(String, Option<String>), StepError> {
        match (&self.catalog_info_url, &self.repo_contents_url) {
            (Some(url), _) => Ok((url.clone(), page_of(url))),
            (None, Some(contents)) => Ok((
                format!("{}/{}", contents.trim_end_matches('/'), self.path()),
                page_of(contents),
            )),
            (None, None) => Err(StepError::Stop {
                cause: format!("`{NAME}` is told neither `repoContentsUrl` nor `catalogInfoUrl`"),
            }),
        }
    }
}

/// The page of a repository, given the page of a file or folder in it (forges put `/blob/BRANCH` behind it).
fn page_of(contents: &str) -> Option<String> {
    contents
        .split_once("/blob/")
        .map(|(page, _)| page.to_owned())
}

#[async_trait]
impl Action for CatalogRegister {
    fn spec(&self) -> ActionSpec {
        ActionSpec {
            name: NAME,
            title: "Register in catalog",
            input: json!({
                "type": "object", "additionalProperties": false,
                "properties": {
                    "repoContentsUrl": { "type": "string", "description": "Where the files of the repository are found" },
                    "catalogInfoPath": { "type": "string", "description": "The catalog file in the repository", "default": DEFAULT_PATH },
                    "catalogInfoUrl": { "type": "string", "description": "The catalog file, instead of the two above" },
                    "optional": { "type": "boolean", "description": "Whether there may be no such file", "default": false },
                },
                "oneOf": [{ "required": ["repoContentsUrl"] }, { "required": ["catalogInfoUrl"] }],
            }),
            outputs: &["catalogInfoUrl", "entityRef"],
            undo: Undo::Can,
            limit: None,
        }
    }

    async fn plan(
        &self,
        context: &PlanContext<'_>,
        input: &PlannedValue,
    ) -> Result<StepPlan, PlanError> {
        input::must_be_known(NAME, input, &["catalogInfoPath", "optional"])?;
        let read: Input = input::read_planned(NAME, input)?;
        let what = "The service can't be registered in the catalog.";
        let path = read.path();
        let file = context
            .workspace
            .and_then(|workspace| workspace.tree.get(path));
        let Some(file) = file else {
            if read.optional {
                return Ok(StepPlan::default());
            }
            return Err(refused(
                what,
                format!("The template makes no file `{path}`."),
            ));
        };
        let broken = |why: &str| refused(what, format!("`{path}` is no catalog file: {why}."));
        let entities = entity::read(&file.bytes).map_err(|error| broken(&error.to_string()))?;
        let entity =
            entity::main_entity(&entities).ok_or_else(|| broken("there is no entity in it"))?;
        let team = entity
            .team()
            .ok_or_else(|| broken("its entity has no `spec.owner`"))?;
        let reference = entity.reference();
        let pinned = Pinned {
            name: entity.name.clone(),
            team: team.to_owned(),
            reference: reference.clone(),
        };
        Ok(StepPlan {
            facts: vec![Fact {
                kind: FactKind::Creates,
                noun: "catalog entry".to_owned(),
                name: reference.clone(),
                detail: Some(format!("owned by {team}")),
                headline: true,
            }],
            claims: vec![Claim {
                kind: "service".to_owned(),
                name: entity.name.to_lowercase(),
            }],
            pinned: vec![("entity".to_owned(), json!(pinned))],
            ..StepPlan::default()
        })
    }

    async fn run(&self, _: &RunContext, input: &Value) -> Result<Outcome, StepError> {
        let read: Input = input::read(NAME, input)?;
        let Some(entity) = &read.entity else {
            return Ok(Outcome::Done(Done {
                output: json!({}),
                ..Done::default()
            }));
        };
        let (url, repository) = read.urls()?;
        Ok(Outcome::Done(Done {
            output: json!({ "catalogInfoUrl": url, "entityRef": entity.reference }),
            records: vec![Record::Service {
                name: entity.name.clone(),
                owner: entity.team.clone(),
                entity: entity.reference.clone(),
                repository,
                catalog_url: Some(url),
            }],
            ..Done::default()
        }))
    }

    async fn undo(
        &self,
        _: &RunContext,
        _: &Value,
        _: Option<&Value>,
    ) -> Result<Outcome<TakenBack>, StepError> {
        Ok(Outcome::Done(TakenBack::Removed)) // the entry is a record of this step: `app` takes it back together with the step
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{done, filled, known, planning, running, workspace};
    use super::*;
    use crate::steps::Blobs;

    const FILE: &str = "kind: Component\nmetadata: { name: payments-api }\nspec: { owner: group:default/payments }\n";

    #[tokio::test]
    async fn a_service_is_registered_as_its_planned_file_says() {
        let (files, _) = workspace(&[("catalog-info.yaml", FILE)]);
        let template = "${{ steps.publish.output.repoContentsUrl }}".to_owned();
        let later = PlannedValue::After {
            template,
            steps: vec!["publish".to_owned()],
        };
        let planned = PlannedValue::Map {
            members: vec![("repoContentsUrl".to_owned(), later)],
        };
        let plan = CatalogRegister
            .plan(&planning(1, Some(&files)), &planned)
            .await
            .unwrap();
        assert_eq!(plan.facts[0].name, "component:default/payments-api");
        assert_eq!(
            plan.claims,
            [Claim {
                kind: "service".to_owned(),
                name: "payments-api".to_owned()
            }]
        );

        let input = filled(
            &json!({ "repoContentsUrl": "http://forge/git/acme/payments-api/blob/main" }),
            &plan,
        );
        let done = done(
            CatalogRegister
                .run(&running(1, Blobs::default(), 0), &input)
                .await
                .unwrap(),
        );
        let url = "http://forge/git/acme/payments-api/blob/main/catalog-info.yaml".to_owned();
        assert_eq!(
            done.output,
            json!({ "catalogInfoUrl": url, "entityRef": "component:default/payments-api" })
        );
        let service = Record::Service {
            name: "payments-api".to_owned(),
            owner: "payments".to_owned(),
            entity: "component:default/payments-api".to_owned(),
            repository: Some("http://forge/git/acme/payments-api".to_owned()),
            catalog_url: Some(url),
        };
        assert_eq!(done.records, [service]);
    }

    #[tokio::test]
    async fn a_missing_or_broken_file_is_refused_before_anything_exists() {
        let input = known(&json!({ "catalogInfoUrl": "http://x/blob/main/catalog-info.yaml" }));
        for (text, said) in [
            (None, "The template makes no file `catalog-info.yaml`."),
            (
                Some("kind: Component"),
                "`catalog-info.yaml` is no catalog file: an entity in it has no valid `metadata.name`.",
            ),
            (
                Some("kind: Component\nmetadata: { name: a }"),
                "`catalog-info.yaml` is no catalog file: its entity has no `spec.owner`.",
            ),
        ] {
            let (files, _) = workspace(
                &text
                    .map(|text| vec![("catalog-info.yaml", text)])
                    .unwrap_or_default(),
            );
            let refused = CatalogRegister
                .plan(&planning(1, Some(&files)), &input)
                .await
                .unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!("The service can't be registered in the catalog. {said}")
            );
        }
        let optional = known(&json!({ "repoContentsUrl": "http://x", "optional": true }));
        assert_eq!(
            CatalogRegister.plan(&planning(1, None), &optional).await,
            Ok(StepPlan::default())
        );
    }
}
