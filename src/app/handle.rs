//! One delivery in, one reply out.

use super::{App, Broken};
use crate::domain::event::Delivery;
use crate::domain::reply::Reply;

/// Acts on one verified delivery. A repeated one gets the same reply and has no second effect.
pub async fn handle(app: &App, delivery: Delivery) -> Result<Reply, Broken> {
    let _ = app;
    let cause = anyhow::anyhow!("{:?} is not handled yet", delivery.event);
    Err(Broken::log("answering a delivery", cause))
}
