//! Where a request stands, who is told, and where it goes on when its place is lost.

use super::driver::Place::{Direct, Payments, Platform};
use super::driver::Who::{Alex, Priya, Sam};
use super::driver::{Loss, Trouble};
use super::office::{Office, service};

on_both! {
    a_request_stands_where_it_was_typed_if_all_can_follow_it,
    typed_in_direct_messages_it_stands_in_the_default_channel_and_its_asker_has_the_address,
    a_lost_channel_moves_the_request_to_direct_messages,
    a_channel_that_the_bot_may_not_write_in_moves_the_request_to_direct_messages,
    a_deleted_card_is_posted_anew,
}

async fn a_request_stands_where_it_was_typed_if_all_can_follow_it(office: &Office) {
    office.says_in(Priya, Payments, "new-service").await;
    let (_, words) = office.chat.form(Priya).expect("a form is open");
    assert!(
        words.contains("The request will stand in #payments."),
        "{words}"
    );
    office.fills_all(Priya, &service("payments-api")).await;
    office
        .told(Priya, "payments-api is asked for. It stands in #payments.")
        .await;
    office
        .card_in(Payments, "payments-api", "Waiting for approval")
        .await;
    assert!(office.chat.channel(Platform).is_empty());
    assert!(office.chat.direct(Priya).is_empty(), "she sees it there");
}

async fn typed_in_direct_messages_it_stands_in_the_default_channel_and_its_asker_has_the_address(
    office: &Office,
) {
    office.says_in(Priya, Direct, "new-service").await;
    let (_, words) = office.chat.form(Priya).expect("a form is open");
    assert!(
        words.contains("The request will stand in #platform."),
        "{words}"
    );
    office.fills_all(Priya, &service("payments-api")).await;
    let card = office.waits("payments-api").await;
    let told = office.direct(Priya, "payments-api stands in").await;
    assert!(told.says("#platform"), "{told:#?}");
    let id = card.id.replace('.', "");
    assert!(told.raw.to_string().contains(&id), "its address: {told:#?}");
}

async fn a_lost_channel_moves_the_request_to_direct_messages(office: &Office) {
    office.asks(Priya, "payments-api").await;
    office.chat.takes(Loss::Channel(Platform)).await;
    // Those who can decide are reminded where they read it.
    office.later("2 hours").await;
    office.reads_people().await;
    let copy = office.direct(Alex, "Waiting for approval").await;
    office.presses(Alex, &copy, "Approve").await;
    let moved = office.direct(Priya, "Done in").await;
    let why = office.reply(&moved, "payments-api goes on here").await;
    assert!(why.says("archived or deleted"), "{why:#?}");
    office.reply(&moved, "payments-api is ready").await;
}

async fn a_channel_that_the_bot_may_not_write_in_moves_the_request_to_direct_messages(
    office: &Office,
) {
    office.chat.breaks(Trouble::MayNotPost);
    office
        .asks_for(Priya, "new-service", &service("payments-api"))
        .await;
    let moved = office.direct(Priya, "Waiting for approval").await;
    assert!(office.chat.channel(Platform).is_empty());
    let why = office.reply(&moved, "I can't post in").await;
    assert!(why.says(office.chat.lets_in()), "{why:#?}");
    // Those who can decide don't read along there.
    let copy = office.direct(Sam, "Waiting for approval").await;
    office.presses(Priya, &moved, "Cancel").await;
    office.direct(Priya, "Cancelled by Priya Nair").await;
    office.direct(Sam, "Cancelled by Priya Nair").await;
    office.presses(Sam, &copy, "Approve").await;
    office.told(Sam, "Priya Nair cancelled this").await;
}

async fn a_deleted_card_is_posted_anew(office: &Office) {
    let card = office.asks(Priya, "payments-api").await;
    office.chat.deletes(&card).await;
    // Alex still has it before his eyes.
    office.presses(Alex, &card, "Approve").await;
    let anew = office.card("payments-api", "Done in").await;
    assert_ne!(anew.id, card.id);
    assert_eq!(office.chat.channel(Platform).len(), 1);
    assert_eq!(office.count("vote").await, 1);
}
