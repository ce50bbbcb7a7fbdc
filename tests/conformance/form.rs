//! The form: errors at their fields, nothing typed is lost, pages turn both ways.

use super::driver::Who::{Alex, Priya, Sam};
use super::driver::{Sent, Typed};
use super::office::{Office, service};

on_both! {
    a_wrong_field_is_named_and_nothing_typed_is_lost,
    a_page_can_be_turned_back_and_keeps_what_was_typed,
    a_form_that_was_left_goes_on_where_it_was,
    a_form_that_lay_for_a_day_says_so,
    a_held_name_fails_at_its_field_and_names_its_holder,
    a_page_that_comes_without_its_fields_is_asked_for_them,
    two_people_who_send_one_name_at_once_make_one_request,
}

async fn a_wrong_field_is_named_and_nothing_typed_is_lost(office: &Office) {
    office.says(Priya, "new-service").await;
    let mut typed = service("Payments API").to_vec();
    typed.push(("description", "Takes _payments_"));
    let Sent::Wrong(errors) = office.fills(Priya, &typed).await else {
        panic!("the name is taken");
    };
    let [(field, words)] = &errors[..] else {
        panic!("{errors:?}");
    };
    assert_eq!(field, "name");
    assert!(words.contains("lower-case letters"), "{words}");
    let (fields, _) = office.chat.form(Priya).expect("the page is open still");
    assert!(fields.contains(&("name".to_owned(), "Payments API".to_owned())));
    office.fills_all(Priya, &[("name", "payments-api")]).await;
    office.waits("payments-api").await;
    let kept: String = office.value("inputs->>'description' from request").await;
    assert_eq!(kept, "Takes _payments_");
}

async fn a_page_can_be_turned_back_and_keeps_what_was_typed(office: &Office) {
    office.says(Priya, "new-service").await;
    let sent = office.fills(Priya, &service("payments-api")).await;
    assert_eq!(sent, Sent::Page);
    office.chat.turns_back(Priya).await;
    let (fields, _) = office.chat.form(Priya).expect("the first page is open");
    assert!(fields.contains(&("name".to_owned(), "payments-api".to_owned())));
    office.fills_all(Priya, &[("name", "payments-core")]).await;
    office.chat.delivers_again().await;
    office.waits("payments-core").await;
    assert_eq!(office.count("request").await, 1);
}

async fn a_form_that_was_left_goes_on_where_it_was(office: &Office) {
    office.says(Priya, "new-service").await;
    let sent = office.fills(Priya, &service("payments-api")).await;
    assert_eq!(sent, Sent::Page);
    // The dialog is closed, and the command typed again.
    office.says(Priya, "new-service").await;
    let begun = office.told(Priya, "what you typed is kept").await;
    office.presses(Priya, &begun, "Continue").await;
    let (fields, _) = office.chat.form(Priya).expect("the form goes on");
    assert_eq!(fields[0].0, "headline", "{fields:?}");
    office.fills_all(Priya, &[("headline", "We pay")]).await;
    office.waits("payments-api").await;
    let kept: String = office.value("inputs->>'headline' from request").await;
    assert_eq!(kept, "We pay");
}

async fn a_form_that_lay_for_a_day_says_so(office: &Office) {
    office.says(Priya, "new-service").await;
    office.fills(Priya, &service("payments-api")).await;
    office.later("25 hours").await;
    office.reads_people().await;
    let sent = office.fills(Priya, &[("headline", "Late")]).await;
    assert_eq!(sent, Sent::Over);
    office
        .told(Priya, "is too old to go on with. Type the command again")
        .await;
    assert_eq!(office.count("request").await, 0);
}

async fn a_held_name_fails_at_its_field_and_names_its_holder(office: &Office) {
    office.asks(Priya, "payments-api").await;
    office.says(Alex, "new-service").await;
    let Sent::Wrong(errors) = office.fills(Alex, &service("payments-api")).await else {
        panic!("the name is free");
    };
    assert_eq!(errors[0].0, "name");
    let holder = format!("request {} (Priya Nair)", office.number().await);
    assert!(errors[0].1.contains(&holder), "{errors:?}");
    office.fills_all(Alex, &[("name", "payments-core")]).await;
    let other = office.waits("payments-core").await;
    // A service that is made keeps its name.
    office.presses(Sam, &other, "Approve").await;
    office.card("payments-core", "Done in").await;
    office.says(Priya, "new-service").await;
    let Sent::Wrong(errors) = office.fills(Priya, &service("payments-core")).await else {
        panic!("the name is free");
    };
    assert!(errors[0].1.contains("exists (team "), "{errors:?}");
}

async fn a_page_that_comes_without_its_fields_is_asked_for_them(office: &Office) {
    office.says(Priya, "note").await;
    let sent = office.chat.fills(Priya, Typed::Nothing).await;
    let Sent::Wrong(errors) = sent else {
        panic!("{sent:?}");
    };
    assert_eq!(errors[0].0, "name", "{errors:?}");
    assert_eq!(office.count("request").await, 0);
    office.fills_all(Priya, &[("name", "hello")]).await;
    office.card("hello", "Done").await;
}

async fn two_people_who_send_one_name_at_once_make_one_request(office: &Office) {
    for who in [Alex, Sam] {
        office.says(who, "new-service").await;
        let sent = office.fills(who, &service("payments-api")).await;
        assert_eq!(sent, Sent::Page);
    }
    let (one, other) = tokio::join!(
        office.fills(Alex, &[("headline", "One")]),
        office.fills(Sam, &[("headline", "Other")])
    );
    assert_ne!(one, other, "one name, one request");
    assert_eq!(office.count("request").await, 1);
}
