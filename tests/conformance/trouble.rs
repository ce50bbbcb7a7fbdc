//! What goes wrong on the way: forged, unknown, refused, lost. A clear answer, nothing lost, the card true in the end.

use super::driver::Place::Platform;
use super::driver::Who::{Alex, Priya};
use super::driver::{Loss, Trouble};
use super::office::Office;
use crate::support::http;
use crate::support::serve::until;

on_both! {
    what_is_not_the_platforms_is_refused_and_leaves_no_trace,
    refusals_lost_answers_and_a_server_that_is_down_only_make_it_late,
    the_platform_being_away_at_a_decision_loses_nothing,
    our_own_fault_is_told_with_a_reference_and_the_press_can_be_made_again,
    a_refused_token_pauses_sending_until_it_is_good,
    the_requests_of_somebody_who_left_go_before_they_run,
}

async fn what_is_not_the_platforms_is_refused_and_leaves_no_trace(office: &Office) {
    let answered = office.chat.forges().await;
    assert_eq!(answered, vec![401; answered.len()]);
    assert_eq!(office.count("inbox").await, 0);
    // What the platform will have one day is survived.
    office.chat.presses_unknown(Priya).await;
    office.says(Priya, "help").await;
    let cancel = office.chat.command("cancel ID");
    office.told(Priya, &cancel).await;
}

async fn refusals_lost_answers_and_a_server_that_is_down_only_make_it_late(office: &Office) {
    office.chat.breaks(Trouble::Limited);
    office.chat.breaks(Trouble::AnswerLost);
    let card = office.asks(Priya, "payments-api").await;
    assert_eq!(office.chat.channel(Platform).len(), 1, "no twin");
    office.chat.breaks(Trouble::Down(3));
    office.presses(Alex, &card, "Approve").await;
    let done = office.card("payments-api", "Done in").await;
    assert_eq!(done.id, card.id);
    office.reply(&card, "payments-api is ready").await;
    assert_eq!(office.chat.channel(Platform).len(), 1);
}

async fn the_platform_being_away_at_a_decision_loses_nothing(office: &Office) {
    let card = office.asks(Priya, "payments-api").await;
    office.chat.breaks(Trouble::Down(1_000_000));
    office.presses(Alex, &card, "Approve").await;
    office
        .becomes("it runs all the same", runs("succeeded"))
        .await;
    // The process doesn't live to see the end of it.
    office.stops();
    office.chat.breaks(Trouble::Down(0));
    office.starts().await;
    let done = office.card("payments-api", "Done in").await;
    assert_eq!(done.id, card.id);
}

async fn our_own_fault_is_told_with_a_reference_and_the_press_can_be_made_again(office: &Office) {
    let card = office.asks(Priya, "payments-api").await;
    office.execute("alter table vote rename to lent").await;
    office.presses(Alex, &card, "Approve").await;
    let told = office
        .told(
            Alex,
            "Something broke on our side; your click was not counted. Reference E-",
        )
        .await;
    let reference = told.words.rsplit(' ').next().unwrap();
    until("the log has the cause", async || {
        office.log().contains(reference).then_some(())
    })
    .await;
    office.execute("alter table lent rename to vote").await;
    office.presses(Alex, &card, "Approve").await;
    office.card("payments-api", "Done in").await;
    assert_eq!(office.count("vote").await, 1);
}

async fn a_refused_token_pauses_sending_until_it_is_good(office: &Office) {
    let card = office.asks(Priya, "payments-api").await;
    office.chat.breaks(Trouble::Revoked);
    office.presses(Alex, &card, "Approve").await;
    office
        .becomes("it runs all the same", runs("succeeded"))
        .await;
    let ready = format!("{}/readyz", office.url());
    let why = until("readiness doesn't tell", async || {
        let answer = http().get(&ready).send().await.unwrap();
        let failed = answer.status() == 503;
        let why = answer.text().await.unwrap();
        (failed && why.contains("token")).then_some(why)
    });
    assert!(
        why.await
            .contains("sending is paused until it is good again")
    );
    office.chat.breaks(Trouble::Restored);
    // Whoever renews a token restarts the bot; left alone, it looks every half minute.
    office.restarts().await;
    let done = office.card("payments-api", "Done in").await;
    assert_eq!(done.id, card.id);
}

async fn the_requests_of_somebody_who_left_go_before_they_run(office: &Office) {
    let card = office.asks(Priya, "payments-api").await;
    office.chat.takes(Loss::Person(Priya)).await;
    office.later("2 minutes").await;
    office.reads_people().await;
    // Where the platform didn't tell, it is found before the run.
    office.presses(Alex, &card, "Approve").await;
    let gone = office.card("payments-api", "Cancelled").await;
    for words in ["before the run", "Nothing was created."] {
        assert!(gone.says(words), "{words}: {}", gone.words);
    }
    assert!(!office.repository("payments-api").exists());
}

fn runs(state: &str) -> String {
    format!("exists (select from run where state = '{state}')")
}
