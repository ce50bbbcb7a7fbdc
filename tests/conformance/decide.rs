//! The decision: who may, what they read before, and that it counts once.

use super::driver::Place::Payments;
use super::driver::Who::{Alex, Priya, Sam, Stranger};
use super::office::{Office, service};

on_both! {
    the_main_job_is_asked_approved_and_done,
    nobody_decides_on_their_own_request_and_strangers_decide_nothing,
    a_denial_asks_for_its_reason_and_the_card_has_it,
    a_late_press_is_told_who_was_quicker,
    a_press_on_an_old_plan_counts_for_nothing,
    an_approver_who_lost_the_role_is_refused_at_the_press,
    two_approvers_at_once_make_one_decision,
    the_same_press_again_has_one_answer_and_one_effect,
    a_request_is_taken_back_before_its_approval,
    two_quorums_want_two_people,
    a_rule_that_asks_nobody_runs_at_once,
    the_plan_can_be_read_before_it_is_approved,
    an_approver_outside_the_channel_decides_on_a_copy,
    who_can_decide_is_reminded_once_and_then_it_expires,
    a_restart_between_card_and_press_changes_nothing,
}

async fn the_main_job_is_asked_approved_and_done(office: &Office) {
    let card = office.asks(Priya, "payments-api").await;
    let number = office.number().await;
    let title = format!("payments-api · new service · {number} · asked by Priya Nair");
    for line in [
        title.as_str(),
        "Waiting for approval: 1 from payments-leads, until TIME",
        "Creates",
        "repository acme/payments-api",
        "Changes nothing that exists",
        "Team Payments",
        "Why: rule \"team-lead\"",
        "Can decide: Alex Ruiz, Sam Ito · plan ",
    ] {
        assert!(card.says(line), "{line:?}: {}", card.words);
    }
    assert_eq!(card.buttons, ["Approve", "Deny…", "See plan", "Cancel"]);
    let asked = office.reply(&card, "needs one of you by TIME").await;
    assert!(
        asked.says("The buttons are on the card above"),
        "{asked:#?}"
    );
    assert!(asked.words.starts_with('@'), "somebody is called");

    let question = office.presses(Alex, &card, "Approve").await;
    let question = question.expect("the effect is named first");
    for words in [
        &format!("Approve {number}?"),
        "acme/payments-api",
        "Recorded",
    ] {
        assert!(question.contains(words), "{words}: {question}");
    }
    let done = office.card("payments-api", "Done in").await;
    assert_eq!(done.id, card.id, "edited in place");
    assert!(done.says("approved by Alex Ruiz"), "{}", done.words);
    assert!(done.says("git clone"), "{}", done.words);
    assert_eq!(done.buttons, ["Open repository"]);
    assert!(office.repository("payments-api").exists());
    let ended = office.reply(&card, "payments-api is ready").await;
    assert!(
        ended.says(&format!("@{}", office.chat.account(Priya))),
        "{ended:#?}"
    );
    office
        .reply(&card, "Approved by Alex Ruiz (rule team-lead")
        .await;
    assert_eq!(office.chat.thread(&card).len(), 3, "asked, decided, ended");
    let verified = office.site.runs(&["audit", "verify"]).await;
    assert!(verified.status.success(), "{verified:?}");
}

async fn nobody_decides_on_their_own_request_and_strangers_decide_nothing(office: &Office) {
    let card = office.asks(Sam, "payments-api").await;
    // Sam leads payments, and asked.
    office.presses(Sam, &card, "Approve").await;
    office
        .told(
            Sam,
            "You asked for this, so your vote can't count. Can decide: Alex Ruiz.",
        )
        .await;
    for label in ["Approve", "Deny…"] {
        office.presses(Priya, &card, label).await;
        let told = office.told(Priya, "Only payments-leads decide").await;
        assert!(told.says("Your groups: engineers."), "{told:#?}");
    }
    office.presses(Stranger, &card, "Approve").await;
    office.told(Stranger, "Your groups: none.").await;
    office.presses(Priya, &card, "Cancel").await;
    office
        .told(Priya, "Only Sam Ito or platform can cancel")
        .await;
    assert_eq!(office.count("vote").await, 0);
    assert!(office.count("audit where kind = 'vote.refused'").await >= 4);
    office.presses(Alex, &card, "Approve").await;
    office.card("payments-api", "Done in").await;
}

async fn a_denial_asks_for_its_reason_and_the_card_has_it(office: &Office) {
    let card = office.asks(Priya, "payments-api").await;
    let reason = "Use payments_core, *please* <@everyone>.";
    office.denies(Alex, &card, reason).await;
    let denied = office.card("payments-api", "Denied by Alex Ruiz").await;
    assert!(denied.says("Nothing was created."), "{}", denied.words);
    // The words stand as they were typed, and call nobody.
    let plain = |text: &str| text.replace(['*', '_'], "");
    assert!(
        plain(&denied.words).contains(&plain(reason)),
        "{}",
        denied.words
    );
    assert_eq!(denied.buttons, ["Change and ask again"]);
    office.reply(&card, "denied by Alex Ruiz").await;
    // Its name is free again.
    office.asks(Sam, "payments-api").await;
}

async fn a_late_press_is_told_who_was_quicker(office: &Office) {
    let card = office.asks(Priya, "payments-api").await;
    office.presses(Alex, &card, "Approve").await;
    office.card("payments-api", "Done in").await;
    // Sam still has the old card before his eyes.
    for label in ["Approve", "Deny…"] {
        office.presses(Sam, &card, label).await;
        let told = office.told(Sam, "Alex Ruiz approved this at TIME").await;
        assert!(told.says("the card is up to date now"), "{told:#?}");
    }
    office.presses(Priya, &card, "Cancel").await;
    office.told(Priya, "can't be cancelled now").await;
    assert_eq!(office.count("vote").await, 1);
}

async fn a_press_on_an_old_plan_counts_for_nothing(office: &Office) {
    let card = office.asks(Priya, "payments-api").await;
    // The company has another name by the time of the approval, so the repository would be another one.
    office.renames_organisation("globex").await;
    office.presses(Alex, &card, "Approve").await;
    let anew = office.card("payments-api", "globex/payments-api").await;
    let anew = if anew.says("Waiting for approval") {
        anew
    } else {
        office.waits("payments-api").await
    };
    assert!(anew.says("New plan since TIME"), "{}", anew.words);
    office.presses(Sam, &card, "Approve").await;
    office
        .told(
            Sam,
            "The plan changed at TIME. Please read the new one and decide again.",
        )
        .await;
    office.presses(Sam, &card, "See plan").await;
    office.told(Sam, "The plan changed at TIME").await;
    assert!(!office.repository("payments-api").exists());
    office.presses(Sam, &anew, "Approve").await;
    let done = office.card("payments-api", "Done in").await;
    assert!(done.says("approved by Sam Ito"), "{}", done.words);
}

async fn an_approver_who_lost_the_role_is_refused_at_the_press(office: &Office) {
    let card = office.asks(Priya, "payments-api").await;
    office.loses_role(Alex).await;
    office.presses(Alex, &card, "Approve").await;
    office.told(Alex, "Only payments-leads decide").await;
    assert_eq!(office.count("vote").await, 0);
    office.presses(Sam, &card, "Approve").await;
    office.card("payments-api", "approved by Sam Ito").await;
}

async fn two_approvers_at_once_make_one_decision(office: &Office) {
    let card = office.asks(Priya, "payments-api").await;
    tokio::join!(
        office.presses(Alex, &card, "Approve"),
        office.presses(Sam, &card, "Approve")
    );
    let done = office.card("payments-api", "Done in").await;
    let (first, second) = if done.says("approved by Alex Ruiz") {
        ("Alex Ruiz", Sam)
    } else {
        ("Sam Ito", Alex)
    };
    office
        .told(second, &format!("{first} approved this at TIME"))
        .await;
    assert_eq!(office.count("vote").await, 1);
    assert_eq!(office.count("run").await, 1);
}

async fn the_same_press_again_has_one_answer_and_one_effect(office: &Office) {
    let card = office.asks(Priya, "payments-api").await;
    office.presses(Alex, &card, "Approve").await;
    office.chat.delivers_again().await;
    office.card("payments-api", "Done in").await;
    office.chat.delivers_again().await;
    assert_eq!(office.count("vote").await, 1);
    assert_eq!(office.count("run").await, 1);
}

async fn a_request_is_taken_back_before_its_approval(office: &Office) {
    let card = office.asks(Priya, "payments-api").await;
    office.presses(Priya, &card, "Cancel").await;
    office
        .told(Priya, "is cancelled. Nothing was created.")
        .await;
    let ended = office
        .card(
            "payments-api",
            "Cancelled by Priya Nair TIME, before approval. Nothing was created.",
        )
        .await;
    assert_eq!(ended.buttons, ["Ask again"]);
    office.presses(Alex, &card, "Approve").await;
    office.told(Alex, "Priya Nair cancelled this at TIME").await;
    assert_eq!(office.count("run").await, 0);
}

async fn two_quorums_want_two_people(office: &Office) {
    let mut typed = service("open-api");
    typed[3] = ("visibility", "public");
    office.asks_for(Priya, "new-service", &typed).await;
    let card = office.waits("open-api").await;
    for line in [
        "1 from security and 1 from platform",
        "rule \"public-repositories\"",
    ] {
        assert!(card.says(line), "{line}: {}", card.words);
    }
    office.presses(Alex, &card, "Approve").await;
    let half = office.card("open-api", "Approved so far: Alex Ruiz").await;
    // A second yes of one person fills no second place.
    office.presses(Alex, &half, "Approve").await;
    office
        .told(Alex, "You have voted on this plan; a person counts once.")
        .await;
    office.presses(Sam, &half, "Approve").await;
    let done = office.card("open-api", "Done in").await;
    assert!(
        done.says("Alex Ruiz") && done.says("Sam Ito"),
        "{}",
        done.words
    );
}

async fn a_rule_that_asks_nobody_runs_at_once(office: &Office) {
    office.asks_for(Priya, "note", &[("name", "hello")]).await;
    let done = office.card("hello", "Done in").await;
    assert!(done.says("approved by rule \"nobody\""), "{}", done.words);
    assert_eq!(office.count("vote").await, 0);
}

async fn the_plan_can_be_read_before_it_is_approved(office: &Office) {
    let card = office.asks(Priya, "payments-api").await;
    // Whoever sees the card may read it.
    office.presses(Stranger, &card, "See plan").await;
    office.told(Stranger, "Plan of").await;
    for words in [
        "Approving covers exactly the plan with digest",
        "Create repository",
        "index.html",
    ] {
        office.told(Stranger, words).await;
    }
}

async fn an_approver_outside_the_channel_decides_on_a_copy(office: &Office) {
    office.says_in(Priya, Payments, "new-service").await;
    office.fills_all(Priya, &service("payments-api")).await;
    let card = office
        .card_in(Payments, "payments-api", "Waiting for approval")
        .await;
    // Sam doesn't see #payments; Alex does.
    let copy = office.direct(Sam, "Waiting for approval").await;
    assert_eq!(copy.words, card.words);
    assert!(office.chat.direct(Alex).is_empty());
    office.presses(Sam, &copy, "Approve").await;
    office.card_in(Payments, "payments-api", "Done in").await;
    // Nobody keeps the copy up from here on, so it tells what stays true.
    let told = office.direct(Sam, "Approved by Sam Ito").await;
    let number = office.number().await;
    let typed = office.chat.command(&format!("status {number}"));
    let goes_on = format!("{typed} tells how it goes on.");
    assert!(told.says(&goes_on), "{}", told.words);
    assert_eq!(told.buttons, ["See plan"]);
}

async fn who_can_decide_is_reminded_once_and_then_it_expires(office: &Office) {
    let card = office.asks(Priya, "payments-api").await;
    office.later("2 hours").await;
    office.reads_people().await;
    for who in [Alex, Sam] {
        let copy = office.direct(who, "Waiting for approval").await;
        assert!(copy.buttons.contains(&"Approve".to_owned()), "{copy:#?}");
    }
    assert!(office.chat.direct(Priya).is_empty());
    office.later("22 hours").await;
    let expired = office.card("payments-api", "Expired TIME").await;
    for words in [
        "nobody from payments-leads decided (reminded TIME)",
        "Nothing was created.",
    ] {
        assert!(expired.says(words), "{words}: {}", expired.words);
    }
    assert_eq!(expired.buttons, ["Ask again"]);
    office.direct(Sam, "Expired").await;
    office.reply(&card, "expired").await;
    office.reads_people().await;
    office.presses(Alex, &card, "Approve").await;
    office.told(Alex, "This expired at TIME").await;
    assert_eq!(office.count("run").await, 0);
}

async fn a_restart_between_card_and_press_changes_nothing(office: &Office) {
    let card = office.asks(Priya, "payments-api").await;
    office.says(Sam, "note").await;
    office.restarts().await;
    office.presses(Alex, &card, "Approve").await;
    let done = office.card("payments-api", "Done in").await;
    assert_eq!(done.id, card.id);
    // A form that was open goes on as well.
    office.fills_all(Sam, &[("name", "hello")]).await;
    office.card("hello", "Done in").await;
}
