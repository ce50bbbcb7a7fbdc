//! The run: stopped, gone on with, taken back.

use super::driver::Seen;
use super::driver::Who::{Alex, Priya, Sam};
use super::office::Office;

on_both! {
    a_run_is_cancelled_while_it_waits_and_all_is_taken_back,
    a_failed_step_is_retried_by_whom_it_concerns,
    a_failed_run_is_undone_in_reverse_and_asked_again,
    a_failed_run_that_nobody_looks_after_is_undone_by_the_clock,
    a_run_outlives_the_process,
    a_name_taken_on_the_forge_is_found_by_the_plan,
}

/// A run that has made its first repository, and waits before the second one.
async fn under_way(office: &Office) -> Seen {
    office.asks_for(Priya, "ship", &[("name", "ferry")]).await;
    let card = office.waits("ferry").await;
    office.presses(Alex, &card, "Approve").await;
    let card = office.card("ferry", "Waiting: Wait for the night").await;
    for words in [
        "Running, step 3 of 5",
        "Done: Create the first repository",
        "Next: Create the second repository, then 1 more",
    ] {
        assert!(card.says(words), "{words}: {}", card.words);
    }
    assert!(office.repository("ferry").exists());
    card
}

/// A run that stopped, since somebody else took the third name.
async fn stopped(office: &Office) -> Seen {
    under_way(office).await;
    office.takes_name("ferry-site");
    office.later("61 minutes").await;
    office
        .card(
            "ferry",
            "Stopped at step 5 of 5, Create the third repository",
        )
        .await
}

async fn a_run_is_cancelled_while_it_waits_and_all_is_taken_back(office: &Office) {
    let card = under_way(office).await;
    office.presses(Sam, &card, "Cancel…").await;
    office
        .told(Sam, "Only Priya Nair, Alex Ruiz or platform can cancel")
        .await;
    let question = office.presses(Priya, &card, "Cancel…").await;
    let question = question.expect("what is taken back is named first");
    assert!(
        question.contains("delete private repository acme/ferry."),
        "{question}"
    );
    office.told(Priya, "is being cancelled").await;
    let ended = office
        .card("ferry", "Cancelled by Priya Nair TIME, during step 3")
        .await;
    for words in ["Private repository acme/ferry deleted.", "Nothing remains."] {
        assert!(ended.says(words), "{words}: {}", ended.words);
    }
    assert_eq!(ended.buttons, ["Ask again"]);
    assert!(!office.repository("ferry").exists());
}

async fn a_failed_step_is_retried_by_whom_it_concerns(office: &Office) {
    let card = stopped(office).await;
    for words in [
        "acme/ferry-site exists already",
        "Exists now: private repository acme/ferry and private repository acme/ferry-docs",
        "Retry goes on at step 5 of 5 with the same plan",
        "then delete private repository acme/ferry-docs, then delete private repository acme/ferry",
        "Waits for Priya Nair, Alex Ruiz or platform until TIME, then undone",
    ] {
        assert!(card.says(words), "{words}: {}", card.words);
    }
    office
        .reply(&card, "stopped at Create the third repository")
        .await;
    office.reads_people().await;
    for label in ["Retry", "Undo…"] {
        office.presses(Sam, &card, label).await;
        office
            .told(Sam, "Only Priya Nair, Alex Ruiz or platform can")
            .await;
    }
    office.frees_name("ferry-site");
    office.presses(Alex, &card, "Retry").await;
    office.card("ferry", "Done in").await;
    for made in ["ferry", "ferry-docs", "ferry-site"] {
        assert!(office.repository(made).exists(), "{made}");
    }
    // The button of before does nothing more.
    office.presses(Alex, &card, "Undo…").await;
    office.told(Alex, "can't be undone now").await;
    assert!(office.repository("ferry").exists());
}

async fn a_failed_run_is_undone_in_reverse_and_asked_again(office: &Office) {
    let card = stopped(office).await;
    office.reads_people().await;
    let question = office.presses(Priya, &card, "Undo…").await;
    let question = question.expect("the effect is named first");
    let reverse = "then delete private repository acme/ferry-docs, then delete private repository acme/ferry.";
    assert!(question.contains(reverse), "{question}");
    office.told(Priya, "is being undone").await;
    let undone = office.card("ferry", "Undone by Priya Nair TIME").await;
    let taken_back = "Private repository acme/ferry-docs deleted. Private repository acme/ferry deleted. Nothing remains.";
    assert!(undone.says(taken_back), "{}", undone.words);
    for gone in ["ferry", "ferry-docs"] {
        assert!(!office.repository(gone).exists(), "{gone}");
    }
    assert!(
        office.repository("ferry-site").exists(),
        "somebody else's stays"
    );
    office.presses(Priya, &undone, "Change and ask again").await;
    office.fills_all(Priya, &[("name", "tanker")]).await;
    office.waits("tanker").await;
}

async fn a_failed_run_that_nobody_looks_after_is_undone_by_the_clock(office: &Office) {
    let card = stopped(office).await;
    office.later("25 hours").await;
    let undone = office.card("ferry", "Undone by itself TIME").await;
    assert_eq!(undone.id, card.id);
    assert!(!office.repository("ferry").exists());
}

async fn a_run_outlives_the_process(office: &Office) {
    let card = under_way(office).await;
    office.restarts().await;
    office.later("61 minutes").await;
    let done = office.card("ferry", "Done in").await;
    assert_eq!(done.id, card.id);
    assert!(office.repository("ferry-docs").exists());
    let verified = office.site.runs(&["audit", "verify"]).await;
    assert!(verified.status.success(), "{verified:?}");
}

async fn a_name_taken_on_the_forge_is_found_by_the_plan(office: &Office) {
    office.takes_name("taken-api");
    office
        .asks_for(Priya, "new-service", &super::office::service("taken-api"))
        .await;
    let refused = office.card("taken-api", "Can't be done").await;
    assert!(refused.says("Nothing was created."), "{}", refused.words);
    assert_eq!(refused.buttons, ["Change and ask again"]);
}
