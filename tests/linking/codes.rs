//! The life of a code, and everybody who has no business with it.

use idp::domain::event::ButtonId;
use idp::domain::person::AccountKind;
use idp::domain::reply::Reply;

use super::two::{ALEX_THERE, PRIYA_THERE, Two, ZOE_THERE, buttons, code_in, says};
use crate::core::world::{ALEX, PRIYA, SAM, text};

const LINKED: &str = "select count(*) from tie where until is null";

#[tokio::test]
async fn a_code_typed_on_the_other_platform_and_confirmed_on_the_first_makes_one_person() {
    let two = Two::new().await;
    let answer = two.world.says(PRIYA, "link").await;
    let told = says(&answer);
    assert!(told.contains("Discord (Acme there)"), "{told}");
    let code = code_in(&answer);
    let kept: String =
        sqlx::query_scalar("select coalesce(string_agg(reply::text, ''), '') from inbox")
            .fetch_one(two.world.pool())
            .await
            .unwrap();
    assert!(!kept.contains(&code), "a code is kept nowhere");

    // However it is written.
    let typed = code.replace('-', " ").to_lowercase();
    let claimed = two.says_there(PRIYA_THERE, &format!("link {typed}")).await;
    let told = text(&claimed);
    assert!(told.contains("Priya Nair on Slack (Acme)"), "{told}");
    assert_eq!(
        two.world.count(LINKED).await,
        0,
        "not before it is confirmed"
    );

    let card = two.sent_to(PRIYA).await;
    assert!(
        card.fallback.contains("priya on Discord (Acme there)"),
        "{}",
        card.fallback
    );
    let press = buttons(&card);
    assert_eq!(
        press.iter().map(|b| b.id).collect::<Vec<_>>(),
        [ButtonId::LinkConfirm, ButtonId::LinkRefuse]
    );
    let done = two.world.presses(PRIYA, press[0].id, &press[0].value).await;
    assert!(text(&done).contains("priya on Discord"), "{done:?}");

    let sent = two.sends().await;
    let to = |whom: &str, words: &str| {
        let found = sent.iter().filter(|(place, _)| place == whom);
        found
            .filter(|(_, card)| card.fallback.contains(words))
            .count()
    };
    assert_eq!(
        to(
            PRIYA,
            "You and priya on Discord (Acme there) are one person"
        ),
        1
    );
    assert_eq!(
        to(
            PRIYA_THERE,
            "You and Priya Nair on Slack (Acme) are one person"
        ),
        1
    );
    assert_eq!(
        to(PRIYA, "You confirmed that priya"),
        1,
        "the question has its answer"
    );
    let persons =
        "select count(distinct person_id) from account where external_id in ('U_PRIYA', '8001')";
    assert_eq!(two.world.count(persons).await, 1);
    let rows = "select count(*) from audit where chain = 'system' and kind = 'accounts.linked'";
    assert_eq!(two.world.count(rows).await, 1);

    // Both can see it, and the code does nothing any more.
    let told = says(&two.world.says(PRIYA, "link").await);
    assert!(
        told.contains("You are one person with priya on Discord"),
        "{told}"
    );
    let told = says(&two.says_there(PRIYA_THERE, "link").await);
    assert!(
        told.contains("You are one person with Priya Nair on Slack"),
        "{told}"
    );
    let again = two
        .world
        .presses(PRIYA, ButtonId::LinkConfirm, &press[0].value)
        .await;
    assert!(text(&again).contains("confirmed that already"), "{again:?}");
    let again = two.says_there(ALEX_THERE, &format!("link {code}")).await;
    assert!(text(&again).contains("or it was used"), "{again:?}");
}

#[tokio::test]
async fn a_code_goes_the_other_way_round_too() {
    let two = Two::new().await;
    let code = code_in(&two.says_there(ALEX_THERE, "link").await);
    two.world.says(ALEX, &format!("link {code}")).await;
    let card = two.sent_to(ALEX_THERE).await;
    assert!(
        card.fallback.contains("Alex Ruiz on Slack (Acme)"),
        "{}",
        card.fallback
    );
    let done = two
        .presses_there(ALEX_THERE, ButtonId::LinkConfirm, two.asked().await)
        .await;
    assert!(text(&done).contains("one person from now on"), "{done:?}");
    assert_eq!(two.world.count(LINKED).await, 1);
}

#[tokio::test]
async fn a_code_that_somebody_else_typed_links_nobody() {
    let two = Two::new().await;
    let code = two.code(PRIYA).await;
    two.says_there(ZOE_THERE, &format!("link {code}")).await;
    let asked = two.asked().await;
    // Whose code it is decides; nobody else, and not the one who typed it.
    for told in [
        two.presses_there(ZOE_THERE, ButtonId::LinkConfirm, &asked)
            .await,
        two.world.presses(ALEX, ButtonId::LinkConfirm, &asked).await,
        two.world.presses(ALEX, ButtonId::LinkRefuse, &asked).await,
    ] {
        assert!(text(&told).contains("isn't yours"), "{told:?}");
    }
    let refused = two.world.presses(PRIYA, ButtonId::LinkRefuse, &asked).await;
    assert!(text(&refused).contains("Nothing was linked"), "{refused:?}");
    assert!(
        two.sent_to(ZOE_THERE)
            .await
            .fallback
            .contains("isn't theirs")
    );
    let late = two
        .world
        .presses(PRIYA, ButtonId::LinkConfirm, &asked)
        .await;
    assert!(text(&late).contains("said already"), "{late:?}");
    let used = two.says_there(PRIYA_THERE, &format!("link {code}")).await;
    assert!(text(&used).contains("or it was used"), "{used:?}");
    assert_eq!(two.world.count(LINKED).await, 0);
    let rows = "select count(*) from audit where kind = 'link.refused' and position('not_me'::bytea in body) > 0";
    assert_eq!(two.world.count(rows).await, 1);
}

#[tokio::test]
async fn a_code_is_good_for_ten_minutes_and_so_is_the_question() {
    let two = Two::new().await;
    let code = two.code(PRIYA).await;
    two.world.later(10).await;
    let late = two.says_there(PRIYA_THERE, &format!("link {code}")).await;
    assert!(text(&late).contains("its time is over"), "{late:?}");

    let code = two.code(PRIYA).await;
    two.says_there(PRIYA_THERE, &format!("link {code}")).await;
    let asked = two.asked().await;
    two.sends().await;
    two.world.later(10).await;
    let late = two
        .world
        .presses(PRIYA, ButtonId::LinkConfirm, &asked)
        .await;
    assert!(text(&late).contains("time is over"), "{late:?}");
    assert!(
        two.sent_to(PRIYA_THERE)
            .await
            .fallback
            .contains("wasn't confirmed in time")
    );
    assert_eq!(two.world.count(LINKED).await, 0);

    // Nobody pressed anything: the clock tells both.
    let code = two.code(ALEX).await;
    two.says_there(ALEX_THERE, &format!("link {code}")).await;
    two.sends().await;
    two.world.later(10).await;
    idp::app::due::tick(&two.world.app, "test").await.unwrap();
    let sent = two.sends().await;
    let to = |whom: &str| {
        sent.iter()
            .find(|(place, _)| place == whom)
            .unwrap()
            .1
            .fallback
            .clone()
    };
    assert!(
        to(ALEX).contains("nobody confirmed in time"),
        "{}",
        to(ALEX)
    );
    assert!(to(ALEX_THERE).contains("wasn't confirmed in time"));
}

#[tokio::test]
async fn a_newer_code_ends_the_one_before() {
    let two = Two::new().await;
    let first = two.code(PRIYA).await;
    let second = two.code(PRIYA).await;
    let old = two.says_there(PRIYA_THERE, &format!("link {first}")).await;
    assert!(text(&old).contains("There is no such code"), "{old:?}");
    let new = two.says_there(PRIYA_THERE, &format!("link {second}")).await;
    assert!(text(&new).contains("Now confirm it"), "{new:?}");
}

#[tokio::test]
async fn a_code_typed_in_the_place_that_it_came_from_stays_good() {
    let two = Two::new().await;
    let code = two.code(PRIYA).await;
    for account in [PRIYA, SAM] {
        let here = two.world.says(account, &format!("link {code}")).await;
        assert!(text(&here).contains("this very place"), "{here:?}");
    }
    let there = two.says_there(PRIYA_THERE, &format!("link {code}")).await;
    assert!(text(&there).contains("Now confirm it"), "{there:?}");
}

#[tokio::test]
async fn whoever_types_wrong_codes_has_to_wait() {
    let two = Two::new().await;
    let code = two.code(PRIYA).await;
    let wrong = if code.starts_with('0') {
        "11111111"
    } else {
        "00000000"
    };
    for _ in 0..5 {
        let told = two.says_there(ZOE_THERE, &format!("link {wrong}")).await;
        assert!(text(&told).contains("There is no such code"), "{told:?}");
    }
    let told = two.says_there(ZOE_THERE, &format!("link {code}")).await;
    assert!(text(&told).contains("too many wrong codes"), "{told:?}");
    // A slip that can't be a code is no guess, and others aren't held up.
    let slip = two.says_there(PRIYA_THERE, "link githbu").await;
    assert!(text(&slip).contains("githbu is no code"), "{slip:?}");
    two.world.later(10).await;
    let code = two.code(PRIYA).await;
    let told = two.says_there(ZOE_THERE, &format!("link {code}")).await;
    assert!(text(&told).contains("Now confirm it"), "{told:?}");
    let rows = "select count(*) from audit where kind = 'link.refused'";
    assert_eq!(two.world.count(rows).await, 5);
}

#[tokio::test]
async fn only_members_who_were_looked_up_link_anything() {
    let two = Two::new().await;
    let code = two.code(PRIYA).await;
    for (kind, why) in [
        (AccountKind::Guest, "Guests"),
        (AccountKind::Bot, "Bots"),
        (AccountKind::Outsider, "Only members"),
    ] {
        two.is(ZOE_THERE, "zoe", kind).await;
        for words in ["link".to_owned(), format!("link {code}")] {
            let told = two.says_there(ZOE_THERE, &words).await;
            assert!(text(&told).contains(why), "{told:?}");
        }
    }
    let unknown = two.says_there("8999", &format!("link {code}")).await;
    assert!(
        matches!(&unknown, Reply::Card { .. }) && text(&unknown).contains("again"),
        "{unknown:?}"
    );
    // Who became a guest after the code was typed is none at the confirmation either.
    two.says_there(ALEX_THERE, &format!("link {code}")).await;
    two.is(ALEX_THERE, "alexr", AccountKind::Guest).await;
    let told = two
        .world
        .presses(PRIYA, ButtonId::LinkConfirm, two.asked().await)
        .await;
    assert!(text(&told).contains("Only active full members"), "{told:?}");
    assert_eq!(two.world.count(LINKED).await, 0);
}

#[tokio::test]
async fn nobody_gets_two_accounts_in_one_place_by_codes() {
    let two = Two::linked().await;
    // Sam holds Priya's unlocked phone.
    let code = code_in(&{
        two.is(ZOE_THERE, "zoe", AccountKind::Full).await;
        two.says_there(ZOE_THERE, "link").await
    });
    let told = two.world.says(PRIYA, &format!("link {code}")).await;
    assert!(
        text(&told).contains("two accounts on Discord (Acme there)"),
        "{told:?}"
    );
    assert_eq!(two.world.count(LINKED).await, 2);
}

#[tokio::test]
async fn where_there_is_one_chat_there_is_nothing_to_link() {
    let world = crate::core::world::World::new().await;
    let told = world.says(PRIYA, "link").await;
    assert!(text(&told).contains("serves no other chat"), "{told:?}");
}

#[tokio::test]
async fn what_codes_left_behind_goes_once_it_was_said() {
    let two = Two::new().await;
    two.link(PRIYA, PRIYA_THERE).await;
    two.says_there(ALEX_THERE, "link 0000-0000").await;
    two.sends().await;
    let code = two.code(ALEX).await;
    two.says_there(ALEX_THERE, &format!("link {code}")).await;
    let left = async || {
        let mut rows = Vec::new();
        for table in [
            "select count(*) from chat_link",
            "select count(*) from link_guess",
            "select count(*) from thread",
            "select count(*) from message",
        ] {
            rows.push(two.world.count(table).await);
        }
        rows
    };
    let a_month_later = async || {
        two.world.later(31 * 24 * 60).await;
        idp::app::due::tick(&two.world.app, "test").await.unwrap();
    };
    // Neither that Alex was asked nor that it came to nothing was sent.
    a_month_later().await;
    assert_eq!(left().await, [1, 0, 2, 2]);
    two.sends().await;
    a_month_later().await;
    assert_eq!(left().await, [0, 0, 0, 0]);
    assert_eq!(two.world.count(LINKED).await, 1, "who is who stays");
}
