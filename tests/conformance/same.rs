//! The same request told on both platforms: word for word the same cards, questions and answers.

use super::driver::Who::{Alex, Priya, Sam};
use super::office::{Office, On, service};

/// All that people read of one request, from the first word to the end.
async fn transcript(on: On) -> Vec<(String, Vec<String>)> {
    let office = Office::open(on).await;
    let mut read = Vec::new();
    let mut keep = |words: String, buttons: Vec<String>| read.push((words, buttons));

    office.says(Priya, "new-service").await;
    office.fills_all(Priya, &service("payments-api")).await;
    let sent = office.told(Priya, "is asked for").await;
    keep(sent.words, Vec::new());
    let waits = office.waits("payments-api").await;
    keep(waits.words.clone(), waits.buttons.clone());
    let asked = office.reply(&waits, "needs one of you").await;
    keep(asked.words, asked.buttons);
    let number = office.number().await;
    office.says(Priya, &format!("status {number}")).await;
    let status = office.told(Priya, "Waiting for approval").await;
    keep(status.words, status.buttons);
    office.presses(Priya, &waits, "Approve").await;
    let own = office.told(Priya, "You asked for this").await;
    keep(own.words, Vec::new());
    let question = office.presses(Alex, &waits, "Approve").await;
    keep(question.unwrap(), Vec::new());
    let done = office.card("payments-api", "Done in").await;
    keep(done.words.clone(), done.buttons.clone());
    for says in ["Approved by", "is ready"] {
        let reply = office.reply(&done, says).await;
        keep(reply.words, reply.buttons);
    }
    office.presses(Sam, &waits, "Approve").await;
    let late = office.told(Sam, "approved this at").await;
    keep(late.words, Vec::new());

    let ours = |words: String| neutral(&office, &words);
    read.into_iter()
        .map(|(words, buttons)| (ours(words), buttons))
        .collect()
}

/// Without ids, digests and durations, which are each platform's and each run's own.
fn neutral(office: &Office, words: &str) -> String {
    let mut words = words.replace(office.chat.account(Priya), "PRIYA");
    for before in ["· plan ", ", plan ", "for plan "] {
        words = cut(&words, before);
    }
    let lines = words.lines().map(|line| {
        if let Some(called) = line.strip_prefix('@') {
            // Whoever is called goes by an id.
            return called.split_once([':', ' ']).unwrap_or((called, "")).1;
        }
        match line.strip_prefix("Done in ") {
            Some(done) => done.split_once(" · ").unwrap_or(("", done)).1,
            None => line,
        }
    });
    // A dialog on Slack has a title.
    let lines = lines.filter(|line| *line != "idp" && !line.starts_with("git clone"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Leaves out the word behind these ones.
fn cut(words: &str, before: &str) -> String {
    let Some((head, tail)) = words.split_once(before) else {
        return words.to_owned();
    };
    let end = tail.find([' ', '.', ')', '\n']).unwrap_or(tail.len());
    format!("{head}{before}{}", cut(&tail[end..], before))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_read_the_same_words_on_both_platforms() {
    let (slack, discord) = tokio::join!(transcript(On::Slack), transcript(On::Discord));
    for (slack, discord) in slack.iter().zip(&discord) {
        assert_eq!(slack, discord);
    }
    assert_eq!(slack.len(), discord.len());
}
