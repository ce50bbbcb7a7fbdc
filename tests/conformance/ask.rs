//! Who may ask, and what is said before anything is asked for.

use super::driver::Who::{Alex, Guest, Priya, Stranger};
use super::office::Office;
use crate::support::serve::until;

on_both! {
    who_may_not_ask_is_told_so_in_one_sentence,
    the_command_alone_tells_what_can_be_asked_what_waits_and_what_is_open,
    a_slip_and_a_sentence_lead_to_the_form_and_words_go_along,
    our_own_words_look_after_requests,
    a_decision_typed_as_text_is_told_to_use_the_button,
    asked_again_the_form_is_filled_in_as_it_was,
}

async fn who_may_not_ask_is_told_so_in_one_sentence(office: &Office) {
    office.says(Stranger, "new-service").await;
    office
        .told(Stranger, "Only engineers can ask for new-service.")
        .await;
    // Whom nobody knows yet is looked up first.
    until("a guest is told", async || {
        office.says(Guest, "note").await;
        let refused = "Guests can't ask for this; a full member can ask for you.";
        let told = office.chat.told(Guest);
        told.last()
            .is_some_and(|seen| seen.says(refused))
            .then_some(())
    })
    .await;
    assert_eq!(office.count("request").await, 0);
    let refused = office.count("audit where kind = 'ask.refused'").await;
    assert!(refused >= 2, "{refused}");
}

async fn the_command_alone_tells_what_can_be_asked_what_waits_and_what_is_open(office: &Office) {
    office.says(Priya, "").await;
    let home = office.told(Priya, "What you can ask for").await;
    assert!(home.says("new-service") && home.says("None."), "{home:#?}");
    assert!(
        home.buttons.contains(&"new-service".to_owned()),
        "{home:#?}"
    );
    office.asks(Priya, "payments-api").await;
    office.says(Priya, "").await;
    let home = office.told(Priya, "Your open requests").await;
    assert!(home.says("payments-api · new service"), "{home:#?}");
    assert!(!home.says("Waits for you"), "her own: {home:#?}");
    office.says(Alex, "").await;
    let home = office.told(Alex, "Waits for you").await;
    assert!(home.says("payments-api · new service"), "{home:#?}");
}

async fn a_slip_and_a_sentence_lead_to_the_form_and_words_go_along(office: &Office) {
    office.says(Priya, "new-servise").await;
    let told = office.told(Priya, "Did you mean").await;
    let right = office.chat.command("new-service");
    assert!(told.says(&right), "{told:#?}");
    office.presses(Priya, &told, "new-service").await;
    let (_, words) = office.chat.form(Priya).expect("a form is open");
    assert!(words.contains("#platform"), "{words}");

    let wish = "I need a page that tells of payments";
    office.says(Priya, wish).await;
    let asked = office.told(Priya, "Your words go along").await;
    office.presses(Priya, &asked, "new-service").await;
    office
        .fills_all(Priya, &super::office::service("payments-page"))
        .await;
    office.waits("payments-page").await;
    let kept: String = office.value("inputs->>'description' from request").await;
    assert_eq!(kept, wish);
}

async fn our_own_words_look_after_requests(office: &Office) {
    office.says(Priya, "help").await;
    let cancel = office.chat.command("cancel ID");
    let help = office.told(Priya, &cancel).await;
    for words in ["new-service", "", "status ID", "list"] {
        let typed = office.chat.command(words);
        assert!(help.says(typed.trim_end()), "{typed}: {help:#?}");
    }
    office.chat.delivers_again().await;
    assert_eq!(office.count("inbox").await, 1);
    office.asks(Priya, "payments-api").await;
    let number = office.number().await;
    office.says(Priya, &format!("status {number}")).await;
    let status = office.told(Priya, "Waiting for approval").await;
    assert!(status.says("Can decide: Alex Ruiz, Sam Ito"), "{status:#?}");
    office.says(Priya, "list").await;
    office.told(Priya, "payments-api").await;
    office.says(Alex, "list").await;
    office
        .told(Alex, "You haven't asked for anything yet.")
        .await;
    office.says(Priya, &format!("cancel {number}")).await;
    office
        .told(Priya, "is cancelled. Nothing was created.")
        .await;
    office
        .card("payments-api", "Cancelled by Priya Nair TIME")
        .await;
    office.says(Priya, "status 4711").await;
    office.told(Priya, "There is no request 4711").await;
}

async fn a_decision_typed_as_text_is_told_to_use_the_button(office: &Office) {
    office.asks(Priya, "payments-api").await;
    office.says(Alex, "approve").await;
    let told = office
        .told(Alex, "Decisions count by the buttons on the card only")
        .await;
    assert!(told.says("payments-api"), "{told:#?}");
    assert_eq!(office.count("vote").await, 0);
}

async fn asked_again_the_form_is_filled_in_as_it_was(office: &Office) {
    let card = office.asks(Priya, "payments-api").await;
    office.denies(Alex, &card, "Another name, please.").await;
    let denied = office.card("payments-api", "Denied by Alex Ruiz").await;
    office.presses(Priya, &denied, "Change and ask again").await;
    let (fields, _) = office.chat.form(Priya).expect("a form is open");
    assert!(fields.contains(&("name".to_owned(), "payments-api".to_owned())));
    assert!(fields.contains(&("template".to_owned(), "static-site".to_owned())));
    office.fills_all(Priya, &[("name", "payments-core")]).await;
    office.waits("payments-core").await;
}
