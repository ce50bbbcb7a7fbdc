//! The workspace of the other stories, and a Discord server with some of the same people in it.

use std::sync::atomic::{AtomicU32, Ordering};

use idp::app::people::{self, AccountFacts, ChannelFacts, InstallationFacts, PlatformGroup};
use idp::app::sending::{self, Lease, Stands};
use idp::app::{Settings, handle, view};
use idp::catalog::Sources;
use idp::domain::canonical::Digest;
use idp::domain::card::{Block, Button, Card};
use idp::domain::event::{ButtonId, Delivery, Event, PlaceKind, Sender};
use idp::domain::id::{InstallationId, RequestId};
use idp::domain::person::{AccountKind, Platform};
use idp::domain::reply::Reply;
use idp::domain::view::RequestView;

use crate::core::world::{ALEX, PRIYA, World, at, pressed, text};

pub const GUILD: &str = "7001";

/// Priya's, Alex's and somebody else's accounts on Discord.
pub const PRIYA_THERE: &str = "8001";
pub const ALEX_THERE: &str = "8002";
pub const ZOE_THERE: &str = "8003";

pub struct Two {
    pub world: World,
    pub guild: InstallationId,
    next: AtomicU32,
}

impl Two {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::on(World::with(change).await).await
    }

    /// With so many connections to the database.
    pub async fn wide(size: u32) -> Self {
        Self::on(World::of(|_| (), Sources::default(), size).await).await
    }

    /// With a workspace as it stands.
    pub async fn on(world: World) -> Self {
        let facts = InstallationFacts {
            platform: Platform::Discord,
            external: GUILD.to_owned(),
            name: "Acme there".to_owned(),
            app: None,
            bot_account: Some("7000".to_owned()),
        };
        let guild = people::record_installation(&world.app, &facts)
            .await
            .unwrap();
        let two = Self {
            world,
            guild,
            next: AtomicU32::new(0),
        };
        for (external, name) in [
            (PRIYA_THERE, "priya"),
            (ALEX_THERE, "alexr"),
            (ZOE_THERE, "zoe"),
        ] {
            two.is(external, name, AccountKind::Full).await;
        }
        two.has_roles(&[("9001", "engineers", &[PRIYA_THERE, ALEX_THERE])])
            .await;
        let channel = ChannelFacts {
            external: "7100".to_owned(),
            name: Some("platform".to_owned()),
            kind: PlaceKind::Public,
            usable: Some(true),
            members: None,
        };
        people::record_channel(&two.world.app, guild, &channel)
            .await
            .unwrap();
        two
    }

    /// Discord tells of an account.
    pub async fn is(&self, external: &str, name: &str, kind: AccountKind) {
        let facts = AccountFacts {
            external: external.to_owned(),
            name: name.to_owned(),
            kind,
            active: true,
        };
        people::record_account(&self.world.app, self.guild, &facts)
            .await
            .unwrap();
    }

    /// Discord tells its roles.
    pub async fn has_roles(&self, roles: &[(&str, &str, &[&str])]) {
        let roles: Vec<PlatformGroup> = roles
            .iter()
            .map(|(external, handle, members)| PlatformGroup {
                external: (*external).to_owned(),
                handle: (*handle).to_owned(),
                name: (*handle).to_owned(),
                members: Some(members.iter().map(|m| (*m).to_owned()).collect()),
            })
            .collect();
        people::record_groups(&self.world.app, self.guild, &roles)
            .await
            .unwrap();
    }

    pub fn delivery_there(&self, account: &str, event: Event) -> Delivery {
        let key = format!("there-{}", self.next.fetch_add(1, Ordering::Relaxed));
        Delivery {
            key,
            sender: Sender {
                platform: Platform::Discord,
                installation: GUILD.to_owned(),
                app: None,
                account: account.to_owned(),
                name: None,
                home: None,
                groups: None,
            },
            event,
        }
    }

    /// Something done on Discord.
    pub async fn does_there(&self, account: &str, event: Event) -> Reply {
        handle(&self.world.app, self.delivery_there(account, event))
            .await
            .unwrap()
    }

    /// `/idp WORDS` on Discord.
    pub async fn says_there(&self, account: &str, words: &str) -> Reply {
        let event = Event::Asked {
            command: "/idp".to_owned(),
            words: words.to_owned(),
            place: at(("7100", PlaceKind::Public)),
        };
        self.does_there(account, event).await
    }

    pub async fn presses_there(
        &self,
        account: &str,
        button: ButtonId,
        value: impl ToString,
    ) -> Reply {
        self.does_there(account, pressed(button, value)).await
    }

    /// A code for somebody on Slack.
    pub async fn code(&self, account: &str) -> String {
        code_in(&self.world.says(account, "link").await)
    }

    /// Somebody on Slack and somebody on Discord say that they are one human.
    pub async fn link(&self, here: &str, there: &str) {
        let code = self.code(here).await;
        let typed = self.says_there(there, &format!("link {code}")).await;
        assert!(text(&typed).contains("Now confirm it"), "{typed:?}");
        let told = self
            .world
            .presses(here, ButtonId::LinkConfirm, self.asked().await)
            .await;
        assert!(
            text(&told).contains("are one person from now on"),
            "{told:?}"
        );
    }

    /// Priya and Alex each have both accounts linked.
    pub async fn linked() -> Self {
        let two = Self::new().await;
        two.link(PRIYA, PRIYA_THERE).await;
        two.link(ALEX, ALEX_THERE).await;
        two
    }

    /// The code that was typed last, as its buttons name it.
    pub async fn asked(&self) -> String {
        let asked = "select id::text from chat_link where state = 'claimed' order by expires_at desc, id desc limit 1";
        sqlx::query_scalar(asked)
            .fetch_one(self.world.pool())
            .await
            .unwrap()
    }

    /// The same for a press of one's own `Unlink`.
    pub async fn account(&self, external: &str) -> String {
        sqlx::query_scalar("select id::text from account where external_id = $1")
            .bind(external)
            .fetch_one(self.world.pool())
            .await
            .unwrap()
    }

    /// What the senders of both chats would post or edit now: to whom or where, and the card.
    pub async fn sends(&self) -> Vec<(String, Card)> {
        let mut all = Vec::new();
        for installation in [self.world.installation, self.guild] {
            let lease = Lease {
                installation,
                holder: "test".to_owned(),
            };
            assert!(lease.hold(&self.world.app).await.unwrap());
            loop {
                let due = sending::waiting(&self.world.app, &lease).await.unwrap().due;
                if due.is_empty() {
                    break;
                }
                for message in due {
                    let taken = sending::take(&self.world.app, &lease, message.id)
                        .await
                        .unwrap();
                    let Some(sending) = taken else {
                        continue;
                    };
                    let place = sending.account.clone().or(sending.channel.clone()).unwrap();
                    let external = sending.external.clone();
                    let external = external.unwrap_or_else(|| sending.id.to_string());
                    let stands = Stands {
                        channel: sending.channel.as_deref().unwrap_or(&place),
                        external: &external,
                        digest: Digest::of(sending.card.fallback.as_bytes()),
                        parts: 1,
                    };
                    assert!(
                        sending::shown(&self.world.app, &sending, stands)
                            .await
                            .unwrap()
                    );
                    all.push((place, sending.card));
                }
            }
            lease.free(&self.world.app).await.unwrap();
        }
        all
    }

    /// What was sent to an account or channel last.
    pub async fn sent_to(&self, whom: &str) -> Card {
        let sent = self.sends().await;
        let found = sent.iter().rev().find(|(place, _)| place == whom);
        found
            .unwrap_or_else(|| panic!("nothing to {whom}: {sent:#?}"))
            .1
            .clone()
    }

    /// A request as Discord's cards show it.
    pub async fn view_there(&self, request: RequestId) -> RequestView {
        let mut conn = self.world.pool().acquire().await.unwrap();
        view::load(&self.world.app, &mut conn, request, self.guild)
            .await
            .unwrap()
    }
}

/// The code of an answer.
pub fn code_in(reply: &Reply) -> String {
    let Reply::Once { card } = reply else {
        panic!("no code: {reply:?}")
    };
    // Where the other platform has options, it stands behind one: `code:K7QM-2RXV`.
    let between = |c: char| c.is_whitespace() || c == ':';
    let mut words = card.fallback.split(between);
    let code = words.find(|word| word.len() == 9 && word.as_bytes()[4] == b'-');
    code.unwrap_or_else(|| panic!("{}", card.fallback))
        .to_owned()
}

/// The buttons of a card.
pub fn buttons(card: &Card) -> Vec<&Button> {
    let rows = card.blocks.iter().filter_map(|block| match block {
        Block::Buttons { buttons, menu } => Some(buttons.iter().chain(menu)),
        _ => None,
    });
    rows.flatten().collect()
}

/// What a private answer says, once or for longer.
pub fn says(reply: &Reply) -> String {
    match reply {
        Reply::Once { card } => card.fallback.clone(),
        other => text(other),
    }
}
