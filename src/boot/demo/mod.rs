//! `idp demo`: a chat workspace and a Discord server to try idp in, with the real bot behind both.
//!
//! This process is the chat simulator. The bot is a process of its own, `idp serve` with nothing but an environment,
//! just as an operator would start it; the two know each other over the wire only. It is started again whenever it dies,
//! so that people may kill it from the page. All state is in one folder, which `--reset` deletes.

mod bot;
mod levers;
mod opening;
mod place;
mod port;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use self::bot::{Bot, Credentials, Setting};
use self::place::Place;
use super::cli::print::Printer;
use super::config::{Config, Database};
use super::problem::{OrFail, Problem};
use super::{clock, postgres, shutdown};
use crate::sandbox::{self, Delivery, DiscordConfig, Paths, RequestsApi, Sandbox, SandboxConfig};

/// What can be asked of the demo.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Forget everything and begin anew.
    pub reset: bool,
    /// The chat workspace alone; the bot is started by someone else.
    pub chat_only: bool,
    /// Where that bot takes deliveries over HTTP; none: it connects by Socket Mode and by Discord's gateway.
    pub deliver_to: Vec<Url>,
}

/// Runs the demo until it is told to stop.
pub async fn run(config: &Config, wishes: &Wishes, printer: &Arc<Printer>) -> Result<(), Problem> {
    let place = Place::open(&config.data_dir)?;
    if wishes.reset {
        printer.progress("Deleting the last demo");
        place.clear().await?;
    }
    let stop = CancellationToken::new();
    shutdown::on_signals(&stop)?;
    let listener = port::bind(config.listen).await?;
    let page = listener
        .local_addr()
        .or_fail("can't tell the demo's address")?;
    if config.listen.port() != 0 && page.port() != config.listen.port() {
        printer.note(format_args!(
            "Port {} is busy; using {}.",
            config.listen.port(),
            page.port()
        ));
    }
    if wishes.chat_only {
        return chat_only(&place, wishes, listener, &stop, printer).await;
    }
    with_bot(config, &place, listener, &stop, printer).await
}

async fn with_bot(
    config: &Config,
    place: &Place,
    listener: TcpListener,
    stop: &CancellationToken,
    printer: &Arc<Printer>,
) -> Result<(), Problem> {
    let page = listener
        .local_addr()
        .or_fail("can't tell the demo's address")?;
    // Held by this process too, so that a killed bot finds its database up.
    let settings = postgres_of(config, place);
    let cluster = postgres::open(&settings, &|stage| printer.stage(stage)).await?;

    let address = port::free_after(page).await?;
    let credentials = Credentials::new();
    let setting = Setting {
        page,
        address,
        commands: config.commands_dir.as_deref(),
        templates: config.templates_dir.as_deref(),
    };
    let bot = Bot::start(place, &credentials, setting, printer)?;
    let delivery = Delivery::Http {
        targets: vec![base(address)?],
        paths: Paths::default(),
    };
    let simulator = simulator(place, &credentials, delivery);
    let evidence = RequestsApi {
        base: base(address)?,
        token: credentials.api_token.clone(),
    };
    let levers = levers::of(&bot, place, evidence);
    let chat = serve(simulator, listener, levers, stop)?;

    printer.progress("Starting the bot");
    let ready = tokio::select! {
        ready = bot.ready() => ready,
        () = stop.cancelled() => Ok(()),
    };
    if ready.is_ok() && !stop.is_cancelled() {
        printer.note(greeting(page, address, place));
        tokio::select! {
            () = open(&chat, printer) => stop.cancelled().await,
            () = stop.cancelled() => {}
        }
    }
    printer.progress("Stopping");
    stop.cancel();
    bot.stop().await;
    let kept = finish(chat).await;
    cluster.close().await?;
    ready.and(kept)
}

/// Shows in the channel what comes of a request, once the address is told.
async fn open(chat: &Sandbox, printer: &Printer) {
    if let Err(problem) = opening::make(&chat.world).await {
        printer.note(format_args!(
            "The first request in #platform could not be made: {problem}"
        ));
    }
}

async fn chat_only(
    place: &Place,
    wishes: &Wishes,
    listener: TcpListener,
    stop: &CancellationToken,
    printer: &Arc<Printer>,
) -> Result<(), Problem> {
    let page = listener
        .local_addr()
        .or_fail("can't tell the demo's address")?;
    let credentials = Credentials::fixed();
    let delivery = match &wishes.deliver_to[..] {
        [] => Delivery::Socket,
        targets => Delivery::Http {
            targets: targets.to_vec(),
            paths: Paths::default(),
        },
    };
    let socket = delivery == Delivery::Socket;
    let listens = listens(&wishes.deliver_to);
    let chat = serve(
        simulator(place, &credentials, delivery),
        listener,
        sandbox::Levers::default(),
        stop,
    )?;
    let mut text = format!(
        "The chat workspace is at http://{page}/, the Discord server at http://{page}/discord\n\nStart a bot on them with\n"
    );
    for (name, value) in credentials.variables(page, socket) {
        let _ = write!(text, "\n  {name}={value} \\");
    }
    let _ = write!(
        text,
        "\n  IDP_LISTEN={listens} \\\n  IDP_CONFIG={} \\\n  idp serve",
        place.configuration()?.display()
    );
    printer.note(text);
    stop.cancelled().await;
    finish(chat).await
}

/// Where the bot is to listen: where it is delivered to, else anywhere but at the workspace's own address.
fn listens(deliver_to: &[Url]) -> String {
    let target = deliver_to.first().and_then(|url| {
        let (host, port) = (url.host_str()?, url.port_or_known_default()?);
        Some(format!("{host}:{port}"))
    });
    target.unwrap_or_else(|| "127.0.0.1:0".to_owned())
}

fn serve(
    simulator: SandboxConfig,
    listener: TcpListener,
    levers: sandbox::Levers,
    stop: &CancellationToken,
) -> Result<Sandbox, Problem> {
    let stopped = stop.clone().cancelled_owned();
    sandbox::serve(simulator, listener, levers, stopped).or_fail("can't start the chat workspace")
}

async fn finish(chat: Sandbox) -> Result<(), Problem> {
    chat.done
        .await
        .or_fail("the chat workspace broke")?
        .or_fail("the chat workspace broke")
}

/// The demo never touches a database of the operator's own: its people are made up.
fn postgres_of(config: &Config, place: &Place) -> postgres::Settings {
    match &config.database {
        Database::Managed(settings) => postgres::Settings {
            data_dir: place.data().to_owned(),
            ..settings.clone()
        },
        Database::External(_) => postgres::Settings::new(place.data(), place.data().join("cache")),
    }
}

fn simulator(place: &Place, credentials: &Credentials, delivery: Delivery) -> SandboxConfig {
    SandboxConfig {
        signing_secret: credentials.signing_secret.clone(),
        bot_token: credentials.bot_token.clone(),
        app_token: credentials.app_token.clone(),
        discord: DiscordConfig {
            deliver_to: match &delivery {
                Delivery::Http { targets, .. } => targets.clone(),
                Delivery::Socket => Vec::new(),
            },
            ..credentials.discord.clone()
        },
        delivery,
        state_file: Some(place.chat()),
        ..SandboxConfig::new(Arc::new(clock::now))
    }
}

fn base(address: SocketAddr) -> Result<Url, Problem> {
    Url::parse(&format!("http://{address}/")).or_fail("can't tell the bot's address")
}

fn greeting(page: SocketAddr, bot: SocketAddr, place: &Place) -> String {
    format!(
        "The demo is ready: http://{page}/

  You are Priya, a developer. Type /idp new-service
  Alex, her lead, approves: http://{page}/?as=alex
  The same company on Discord: http://{page}/discord

  The bot is a process of its own at http://{bot}/, with its log in {log}
  Everything is kept in {folder}; `idp demo --reset` begins anew. Ctrl-C stops it.",
        log = place.bot_log().display(),
        folder = place.data().display(),
    )
}
