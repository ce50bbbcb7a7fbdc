//! `/metrics`, in the text format of Prometheus.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::health::{Health, PATIENCE};
use crate::app::count::{self, Counted};

/// From a millisecond to Slack's three seconds.
const BUCKETS: [f64; 11] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0,
];

/// What is counted, by this module and by whoever filled the registry before.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    deliveries: Family<Delivery, Counter>,
    answers: Histogram,
}

/// What is counted in the database at each scrape, by state; a state that nothing is in has no line.
const OPEN: [(&str, &str); 4] = [
    ("requests", "Requests that are planned or wait for approval"),
    ("runs", "Runs that are not over"),
    ("steps", "Steps of runs that are not over"),
    ("messages", "Messages that wait to be sent"),
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Standing {
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Delivery {
    platform: &'static str,
    outcome: &'static str,
}

impl Metrics {
    /// Adds what `web` counts to a registry.
    pub fn new(mut registry: Registry) -> Self {
        let deliveries = Family::<Delivery, Counter>::default();
        let answers = Histogram::new(BUCKETS);
        registry.register(
            "idp_deliveries",
            "Deliveries of chat platforms, by outcome",
            deliveries.clone(),
        );
        registry.register(
            "idp_answer_seconds",
            "From a delivery's arrival to its answer",
            answers.clone(),
        );
        Self {
            registry,
            deliveries,
            answers,
        }
    }

    /// Counts a delivery. `outcome` is one of a few words.
    pub(super) fn delivered(&self, platform: &'static str, outcome: &'static str) {
        self.deliveries
            .get_or_create(&Delivery { platform, outcome })
            .inc();
    }

    /// Notes how long an answer took.
    pub(super) fn answered(&self, took: Duration) {
        self.answers.observe(took.as_secs_f64());
    }
}

pub(super) fn router(metrics: Arc<Metrics>, health: Arc<Health>) -> Router {
    Router::new()
        .route("/metrics", get(show))
        .with_state((metrics, health))
}

async fn show(State((metrics, health)): State<(Arc<Metrics>, Arc<Health>)>) -> Response {
    // A database that doesn't answer costs its counts only; `/readyz` says why.
    let counted = tokio::time::timeout(PATIENCE, count::open(health.app())).await;
    let counted = counted.ok().and_then(Result::ok).unwrap_or_default();
    let mut text = String::new();
    let encoded = encode_registry(&mut text, &metrics.registry)
        .and_then(|()| encode_registry(&mut text, &gauges(&counted)))
        .and_then(|()| encode_eof(&mut text));
    if encoded.is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, format)], text).into_response()
}

/// What stands in the database at this moment.
fn gauges(counted: &[Counted]) -> Registry {
    let mut registry = Registry::default();
    for (noun, help) in OPEN {
        let family = Family::<Standing, Gauge>::default();
        for one in counted.iter().filter(|one| one.noun == noun) {
            let state = one.state.clone();
            family.get_or_create(&Standing { state }).set(one.count);
        }
        registry.register(format!("idp_{noun}"), help, family);
    }
    registry
}
