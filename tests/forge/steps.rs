//! Every shipped command with every shipped template, against a real forge: planned without a trace, run twice as if
//! once, stopped at each step and taken back without a trace.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use idp::catalog::flow::{Asked, StepDraft, steps};
use idp::catalog::form::{FormFacts, check_all};
use idp::catalog::{Catalog, Known, Sources, Template};
use idp::clients::forge::Forge as _;
use idp::domain::form::Choice;
use idp::domain::id::{RequestNumber, RunId};
use idp::domain::plan::FactKind;
use idp::domain::step::{Done, Outcome, PlanError, Record};
use idp::steps::scaffold::{self, ScaffoldError, Wanted};
use idp::steps::{Order, Planned, Registry, RunContext, StepKey};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::{World, git, request, try_git};

/// A command with its template and inputs, ready to be planned on a forge of the moment.
struct Case {
    world: World,
    registry: Registry,
    name: String,
    template: Option<Arc<Template>>,
    drafts: Vec<StepDraft>,
}

/// Every shipped command, with every shipped template where it takes one.
fn cases() -> Vec<Case> {
    let names: Vec<(String, Option<String>)> = {
        let catalog = catalog(&registry(&World::new()));
        let templates: Vec<_> = catalog
            .templates()
            .map(|template| template.name.clone())
            .collect();
        let with = |command: &str| {
            templates
                .iter()
                .map(|t| (command.to_owned(), Some(t.clone())))
                .collect::<Vec<_>>()
        };
        catalog
            .commands()
            .flat_map(|command| {
                if command.uses_template() {
                    with(&command.name)
                } else {
                    vec![(command.name.clone(), None)]
                }
            })
            .collect()
    };
    assert!(!names.is_empty());
    names
        .into_iter()
        .map(|(command, template)| case(&command, template.as_deref()))
        .collect()
}

fn registry(world: &World) -> Registry {
    Registry::new(Arc::new(world.forge.clone()))
}

fn catalog(registry: &Registry) -> Catalog {
    let catalog = Catalog::load(&Sources::default(), &registry.specs(), &Known::default());
    assert!(catalog.problems().is_empty(), "{:?}", catalog.problems());
    catalog
}

fn case(command: &str, template: Option<&str>) -> Case {
    let world = World::new();
    let registry = registry(&world);
    let catalog = catalog(&registry);
    let command = catalog.command(command).unwrap();
    let template = template.map(|name| catalog.template(name).unwrap().clone());
    let mut values = Map::new();
    for (name, value) in [
        ("name", "payments-api"),
        ("owner", "payments"),
        ("description", "Takes payments"),
    ] {
        values.insert(name.to_owned(), json!(value));
    }
    if let Some(template) = &template {
        values.insert("template".to_owned(), json!(template.name));
    }
    let team = Choice {
        value: "payments".to_owned(),
        label: "payments".to_owned(),
        description: None,
    };
    let facts = FormFacts {
        teams: vec![team],
        templates: catalog.template_choices(),
        ..FormFacts::default()
    };
    let inputs = check_all(command, template.as_deref(), &values, &facts).unwrap();
    let environment = Map::from_iter([("organisation".to_owned(), json!("acme"))]);
    let asked = Asked {
        command,
        template: template.as_deref(),
        inputs: &inputs,
        environment: &environment,
    };
    let drafts = steps(asked, &registry.specs()).unwrap();
    let name = format!(
        "{} {}",
        command.name,
        template
            .as_ref()
            .map(|t| t.name.as_str())
            .unwrap_or_default()
    );
    Case {
        world,
        registry,
        name,
        template,
        drafts,
    }
}

fn asked_at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap()
}

impl Case {
    async fn plan(&self, asked_by: u128) -> Result<Planned, PlanError> {
        let order = Order {
            request: request(asked_by),
            number: RequestNumber(142),
            requester: "Priya Nair",
            github: None,
            asked_at: asked_at(),
            template: self.template.as_ref(),
            drafts: &self.drafts,
        };
        self.registry.plan(&order).await
    }

    fn context(planned: &Planned, at: usize) -> RunContext {
        RunContext {
            key: StepKey {
                run: RunId::from_uuid(uuid::Uuid::from_u128(7)),
                step: planned.plan.steps[at].id.clone(),
                generation: 0,
            },
            request: request(1),
            now: asked_at() + TimeDelta::days(1), // every wait is over
            since: asked_at(),
            cancelled: CancellationToken::new(),
            blobs: planned.blobs.iter().cloned().collect(),
        }
    }

    async fn run(&self, planned: &Planned, at: usize, outputs: &Map<String, Value>) -> Done {
        let context = Self::context(planned, at);
        let outcome = self
            .registry
            .run(&planned.plan.steps[at], outputs, &context)
            .await;
        match outcome.unwrap_or_else(|error| panic!("{}: {error}", self.name)) {
            Outcome::Done(done) => done,
            Outcome::Wait { what, .. } => panic!("{} waits for {what}", self.name),
        }
    }

    /// Runs the first `count` steps, each twice; their outputs by id.
    async fn run_first(&self, planned: &Planned, count: usize) -> Map<String, Value> {
        let mut outputs = Map::new();
        for at in 0..count {
            let once = self.run(planned, at, &outputs).await;
            let before = self.traces();
            let twice = self.run(planned, at, &outputs).await;
            assert_eq!(once, twice, "{}: step {at} again", self.name);
            assert_eq!(self.traces(), before, "{}: step {at} again", self.name);
            outputs.insert(planned.plan.steps[at].id.clone(), once.output);
        }
        outputs
    }

    /// Takes back the steps up to and with the last one, last first, each twice.
    async fn undo_from(&self, planned: &Planned, last: usize, outputs: &Map<String, Value>) {
        for at in (0..=last).rev() {
            let step = &planned.plan.steps[at];
            for _ in 0..2 {
                let undone = self
                    .registry
                    .undo(
                        step,
                        outputs,
                        outputs.get(&step.id),
                        &Self::context(planned, at),
                    )
                    .await;
                undone.unwrap_or_else(|error| panic!("{}: undo {}: {error}", self.name, step.id));
            }
        }
    }

    /// Every file of the forge with its content; folders of owners may stay.
    fn traces(&self) -> BTreeMap<String, Vec<u8>> {
        let files = walkdir::WalkDir::new(self.world.path())
            .into_iter()
            .map(Result::unwrap);
        let files = files.filter(|entry| entry.file_type().is_file());
        files
            .map(|entry| {
                (
                    entry.path().display().to_string(),
                    std::fs::read(entry.path()).unwrap(),
                )
            })
            .collect()
    }
}

#[tokio::test]
async fn planning_leaves_no_trace_and_says_the_same_twice() {
    for case in cases() {
        let before = case.traces();
        let (first, second) = (case.plan(1).await.unwrap(), case.plan(1).await.unwrap());
        assert_eq!(first, second, "{}", case.name);
        assert_eq!(first.plan.digest(), second.plan.digest());
        assert_eq!(case.traces(), before, "{}", case.name);
        for step in &first.plan.steps {
            for blob in &step.blobs {
                assert!(
                    first
                        .blobs
                        .iter()
                        .any(|bytes| idp::domain::canonical::Digest::of(bytes) == *blob)
                );
            }
        }
    }
}

#[tokio::test]
async fn what_was_planned_is_what_stands_there() {
    for case in cases() {
        let planned = case.plan(1).await.unwrap();
        let outputs = case.run_first(&planned, planned.plan.steps.len()).await;
        let facts: Vec<_> = planned
            .plan
            .steps
            .iter()
            .flat_map(|step| &step.facts)
            .collect();
        let files: Vec<_> = facts
            .iter()
            .filter(|f| f.noun == "file")
            .map(|f| f.name.as_str())
            .collect();
        let published = outputs
            .iter()
            .find_map(|(_, output)| output.get("commitHash")?.as_str());
        let Some(commit) = published else { continue };
        let repos = case.world.forge.list().await.unwrap();
        assert_eq!(repos.len(), 1);
        assert_eq!(repos[0].head.unwrap().to_string(), commit);
        assert_eq!(repos[0].team.as_deref(), Some("payments"));
        let dir = case.world.forge.place().dir(&repos[0].repo);
        assert_eq!(
            git(
                &dir,
                &[
                    "-c",
                    "core.quotePath=false",
                    "ls-tree",
                    "-r",
                    "--name-only",
                    commit
                ]
            )
            .lines()
            .collect::<Vec<_>>(),
            files
        );
        assert_eq!(
            git(&dir, &["log", "-1", "--format=%an %ct %s", commit]),
            format!("Priya Nair 1767225600 Create {}", repos[0].repo.name())
        );
        let fsck = try_git(&dir, &["fsck", "--strict", "--full"]);
        assert!(fsck.status.success() && fsck.stderr.is_empty());
        assert!(facts.iter().any(|f| f.kind == FactKind::Creates
            && f.headline
            && f.name == repos[0].repo.to_string()));
    }
}

#[tokio::test]
async fn a_run_stopped_at_any_step_is_taken_back_without_a_trace() {
    for case in cases() {
        let planned = case.plan(1).await.unwrap();
        let before = case.traces();
        for stopped in 0..planned.plan.steps.len() {
            // Stopped before its effect, and (the outcome lost) after it.
            let outputs = case.run_first(&planned, stopped).await;
            case.undo_from(&planned, stopped, &outputs).await;
            assert_eq!(
                case.traces(),
                before,
                "{}: stopped before step {stopped}",
                case.name
            );
            let outputs = case.run_first(&planned, stopped).await;
            case.run(&planned, stopped, &outputs).await;
            case.undo_from(&planned, stopped, &outputs).await;
            assert_eq!(
                case.traces(),
                before,
                "{}: stopped after step {stopped}",
                case.name
            );
        }
    }
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_when_planned() {
    let case = case("new-service", Some("static-site"));
    let planned = case.plan(1).await.unwrap();
    case.run_first(&planned, planned.plan.steps.len()).await;
    let Err(PlanError::Refused(refusal)) = case.plan(2).await else {
        panic!("planned over somebody else's")
    };
    assert!(
        refusal
            .what
            .to_string()
            .ends_with("/payments-api exists (team payments)."),
        "{refusal}"
    );
    assert_eq!(
        case.plan(1).await.unwrap(),
        planned,
        "its own doesn't stand in its way"
    );
}

#[tokio::test]
async fn a_new_service_is_in_the_books() {
    let case = case("new-service", Some("node-http"));
    let planned = case.plan(1).await.unwrap();
    let last = planned.plan.steps.len() - 1;
    let outputs = case.run_first(&planned, last).await;
    let done = case.run(&planned, last, &outputs).await;
    let [
        Record::Service {
            name,
            owner,
            entity,
            repository,
            catalog_url,
        },
    ] = done.records.as_slice()
    else {
        panic!("{:?}", done.records)
    };
    assert_eq!(
        (name.as_str(), owner.as_str(), entity.as_str()),
        ("payments-api", "payments", "component:default/payments-api")
    );
    let repo = &case.world.forge.list().await.unwrap()[0];
    let urls = case.world.forge.urls(&repo.repo, &repo.default_branch);
    assert_eq!(repository.as_deref(), Some(urls.page.as_str()));
    assert_eq!(
        catalog_url.as_deref(),
        Some(format!("{}/catalog-info.yaml", urls.contents).as_str())
    );
}

#[test]
fn a_teams_own_name_on_the_forge_is_what_its_repositories_name() {
    let registry = registry(&World::new());
    let catalog = catalog(&registry);
    let owners = |teams: Value| {
        let environment = [("organisation", json!("acme")), ("teams", teams)];
        let environment = environment.map(|(name, value)| (name.to_owned(), value));
        let environment = Map::from_iter(environment);
        let values = [("name", "payments-api"), ("owner", "payments")];
        let values = values.map(|(name, value)| (name.to_owned(), json!(value)));
        let wanted = Wanted {
            template: "node-http",
            values: &Map::from_iter(values),
            environment: &environment,
        };
        let tree = scaffold::files(&catalog, wanted, &registry.specs()).unwrap();
        String::from_utf8(tree.get("CODEOWNERS").unwrap().bytes.to_vec()).unwrap()
    };
    let crew = owners(json!({ "payments": "payments-crew" }));
    assert_eq!(crew.trim(), "* @acme/payments-crew");
    assert_eq!(owners(json!({})).trim(), "* @acme/payments");
}

#[test]
fn a_template_is_rendered_without_a_forge() {
    let registry = registry(&World::new());
    let catalog = catalog(&registry);
    let environment = Map::from_iter([("organisation".to_owned(), json!("acme"))]);
    let render = |template: &str, values: &[(&str, &str)]| {
        let values = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let wanted = Wanted {
            template,
            values: &values,
            environment: &environment,
        };
        scaffold::files(&catalog, wanted, &registry.specs())
    };
    for template in catalog.templates() {
        let tree = render(
            &template.name,
            &[("name", "payments-api"), ("owner", "payments")],
        )
        .unwrap();
        assert!(
            tree.get("README.md").is_some() && tree.get("catalog-info.yaml").is_some(),
            "{}",
            template.name
        );
        let Err(ScaffoldError::Values(errors)) =
            render(&template.name, &[("name", "Payments!"), ("colour", "red")])
        else {
            panic!("rendered with wrong values")
        };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert!(
            ["name", "owner", "colour"]
                .iter()
                .all(|field| fields.contains(field)),
            "{fields:?}"
        );
    }
    let unknown = ScaffoldError::Unknown {
        name: "node-htpt".to_owned(),
        nearest: Some("node-http".to_owned()),
    };
    assert_eq!(render("node-htpt", &[]), Err(unknown));
}

#[test]
fn a_template_is_rendered_where_no_command_takes_one() {
    let dir = tempfile::tempdir().unwrap();
    let skeleton = dir.path().join("templates/tiny/skeleton");
    std::fs::create_dir_all(&skeleton).unwrap();
    std::fs::create_dir(dir.path().join("commands")).unwrap();
    std::fs::write(
        skeleton.join("${{ values.name }}.txt"),
        "Hello ${{ values.name }} on ${{ values.port }}",
    )
    .unwrap();
    let template = "apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: { name: tiny, title: Tiny }
spec:
  type: service
  parameters:
    - title: Tiny
      required: [name]
      properties: { name: { type: string, title: Name }, port: { type: integer, title: Port, default: 8080 } }
  steps:
    - id: fetch
      action: fetch:template
      input: { url: ./skeleton, values: { name: \"${{ parameters.name }}\", port: \"${{ parameters.port }}\" } }
";
    std::fs::write(dir.path().join("templates/tiny/template.yaml"), template).unwrap();
    let registry = registry(&World::new());
    let sources = Sources {
        commands: Some(dir.path().join("commands")),
        templates: Some(dir.path().join("templates")),
    };
    let catalog = Catalog::load(&sources, &registry.specs(), &Known::default());
    assert!(catalog.problems().is_empty(), "{:?}", catalog.problems());
    let values = Map::from_iter([("name".to_owned(), json!("payments"))]);
    let wanted = Wanted {
        template: "tiny",
        values: &values,
        environment: &Map::new(),
    };
    let tree = scaffold::files(&catalog, wanted, &registry.specs()).unwrap();
    let files: Vec<_> = tree
        .iter()
        .map(|(path, entry)| (path.as_str(), entry.bytes.as_slice()))
        .collect();
    assert_eq!(
        files,
        [("payments.txt", b"Hello payments on 8080".as_slice())]
    );
}
