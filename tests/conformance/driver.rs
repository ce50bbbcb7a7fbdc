//! What a chat platform is to a story: people say, fill and press, and see what stands and what they are told.
//!
//! A platform is one implementation of [`Chat`], over its own wire protocol and its own strict fake. Another one would
//! be another file beside `slack.rs` and `discord.rs`.

use std::process::Command;

use async_trait::async_trait;
use serde_json::Value;

/// The people of the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Of the engineers: asks.
    Priya,
    /// Leads payments, and is of the platform and the security team.
    Alex,
    /// Leads payments, and is of the security team; not in `#payments`.
    Sam,
    /// A full member of no group.
    Stranger,
    /// May not write everywhere.
    Guest,
}

/// Where something is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `#platform`, open to everybody: where requests stand by default.
    Platform,
    /// `#payments`, for Priya, Alex and the bot.
    Payments,
    /// The bot's direct messages.
    Direct,
}

/// A message as somebody sees it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its id on the platform.
    pub id: String,
    /// Its channel; the view of a dialog.
    pub channel: String,
    /// Its words without any markup; moments are `TIME`.
    pub words: String,
    /// The labels of its buttons and of the menu behind them.
    pub buttons: Vec<String>,
    /// As the platform has it.
    pub raw: Value,
}

impl Seen {
    /// Whether it says so.
    pub fn says(&self, words: &str) -> bool {
        self.words.contains(words)
    }
}

/// What somebody types into a page.
#[derive(Debug, Clone, Copy)]
pub enum Typed<'a> {
    /// Values by field; what isn't named stays as it stands. Fields that the page doesn't have are passed over.
    Fields(&'a [(&'a str, &'a str)]),
    /// The page comes without any field, as no client of the platform's sends it.
    Nothing,
}

/// What came of a page that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// Another page follows, and is open.
    Page,
    /// Errors by field; the page is open still, with all that was typed.
    Wrong(Vec<(String, String)>),
    /// It is over; whatever there is to say was told.
    Over,
}

/// What the platform does wrong next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The next post is done, but its answer is lost.
    AnswerLost,
    /// The next post comes too early: everything has to wait.
    Limited,
    /// The bot may not post in the channel.
    MayNotPost,
    /// So many calls meet a server that is down.
    Down(u32),
    /// The token is refused from now on.
    Revoked,
    /// The token is good again.
    Restored,
}

/// What the platform tells of, or the people do to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Somebody is out of the leads of payments.
    Role(Who),
    /// Somebody is out of the company.
    Person(Who),
    /// The channel can't be posted to any more.
    Channel(Place),
}

/// A chat platform with the company on it.
#[async_trait]
pub trait Chat: Send + Sync {
    /// Lets the bot reach the platform.
    fn introduces(&self, bot: &mut Command);
    /// The bot answers here from now on.
    fn finds(&self, bot: &str);
    /// Somebody's account.
    fn account(&self, who: Who) -> &'static str;

    /// How people read there what is typed with these words.
    fn command(&self, words: &str) -> String;
    /// Somebody types the bot's command with these words.
    async fn types(&self, who: Who, place: Place, words: &str);
    /// Somebody fills in the page that is open before them, and sends it.
    async fn fills(&self, who: Who, typed: Typed<'_>) -> Sent;
    /// Somebody turns back from the page that is open before them.
    async fn turns_back(&self, who: Who);
    /// Somebody presses a button, and says yes where they are asked once more; gives the question.
    async fn presses(&self, who: Who, on: &Seen, label: &str) -> Option<String>;
    /// Somebody presses what no version of the bot has drawn.
    async fn presses_unknown(&self, who: Who);
    /// The last delivery comes once more, and gets the same answer.
    async fn delivers_again(&self);
    /// Deliveries that aren't the platform's: forged, unsigned, too old. Gives what they are answered.
    async fn forges(&self) -> Vec<u16>;

    /// Fields and values of the page that is open before somebody, and its words.
    fn form(&self, who: Who) -> Option<(Vec<(String, String)>, String)>;
    /// What somebody was told alone, in order.
    fn told(&self, who: Who) -> Vec<Seen>;
    /// The cards in a channel; in the direct messages of Priya.
    fn channel(&self, place: Place) -> Vec<Seen>;
    /// The messages of somebody's direct messages with the bot that answer no other.
    fn direct(&self, who: Who) -> Vec<Seen>;
    /// The replies to a card.
    fn thread(&self, card: &Seen) -> Vec<Seen>;

    /// Makes something go wrong.
    fn breaks(&self, trouble: Trouble);
    /// Takes something away, and tells the bot as the platform does.
    async fn takes(&self, loss: Loss);
    /// What lets the bot post in a channel, as people are told there.
    fn lets_in(&self) -> &'static str;
    /// Whether each act tells the roles of whoever acts; else the bot reads who is in which group.
    fn tells_roles(&self) -> bool;
    /// Somebody deletes a card.
    async fn deletes(&self, card: &Seen);
    /// What the bot sent that the platform would never take.
    fn refused(&self) -> Vec<String>;
}
