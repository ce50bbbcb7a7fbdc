//! idp: an Internal Developer Platform in chat.
//!
//! A developer asks with `/idp new-service`, fills in a form and sees in one thread the whole plan, the approvals
//! that policy asks for, and the durable steps that carry it out. The modules stand in reading order; each may import
//! only from those above it, as the table in `ARCHITECTURE.md` says and the test `architecture` checks.

pub mod domain;

pub mod cards;
pub mod catalog;

pub mod chat;
pub mod clients;
pub mod store;

pub mod app;
pub mod steps;

pub mod web;
pub mod worker;

pub mod sandbox;

pub mod boot;
