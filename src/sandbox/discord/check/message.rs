//! Messages: docs.discord.com/developers/resources/message, "Create Message".

use serde_json::Value;

use super::{Form, Part, components, counted, twilight, within};
use crate::sandbox::discord::{error::Refusal, state::flag};

/// What a message is for; it decides which flags it may have and whether it may stay as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum Wanted {
    /// Into a channel.
    Post,
    /// An answer to an interaction, or what follows it.
    Answer,
    /// A change: what isn't named stays.
    Edit,
}

/// Whether Discord takes it; `under` is the place in the body that it stands at.
pub(in crate::sandbox) fn message(
    body: &Value,
    wanted: Wanted,
    under: &str,
) -> Result<(), Refusal> {
    let mut form = Form::default();
    let part = Part {
        value: body,
        path: under.to_owned(),
    };
    part.text(&mut form, "content", (0..=2_000, false));
    nonce(&mut form, &part);
    flags(&mut form, &part, wanted);
    mentions(&mut form, &part);
    embeds(&mut form, &part);
    components::rows(&mut form, &part);
    form.done()?;
    let mut form = Form::default();
    twilight::message(&mut form, &part);
    form.done()?;
    let has = |name: &str| match body.get(name) {
        Some(Value::String(text)) => !text.trim().is_empty(),
        Some(Value::Array(all)) => !all.is_empty(),
        _ => false,
    };
    let says = ["content", "embeds", "components"].into_iter().any(has);
    if !says && wanted != Wanted::Edit {
        return Err(Refusal::of(50_006));
    }
    Ok(())
}

fn nonce(form: &mut Form, part: &Part<'_>) {
    match part.at("nonce") {
        Some(own) if own.value.is_string() => part.text(form, "nonce", (0..=25, false)),
        Some(own) if !own.value.is_i64() && !own.value.is_u64() => {
            let message = "A nonce is a number or a text";
            form.wrong(&own.path, "STRING_TYPE_CONVERT", message);
        }
        _ => {}
    }
}

/// "This value can only include …": other bits are refused, so that nobody relies on them.
fn flags(form: &mut Form, part: &Part<'_>, wanted: Wanted) {
    let Some(flags) = part.at("flags") else {
        return;
    };
    let loud = flag::SUPPRESS_EMBEDS | flag::SUPPRESS_NOTIFICATIONS;
    let may = match wanted {
        Wanted::Post => loud,
        Wanted::Answer => loud | flag::EPHEMERAL,
        // "Unsupported flag changes are currently ignored without error": clients send along what stands.
        Wanted::Edit => u64::MAX,
    };
    let fits = flags.value.as_u64().is_some_and(|bits| bits & !may == 0);
    if !fits {
        let message = format!("Only bits of {may} may be set here.");
        form.wrong(&flags.path, "BITFIELD_INVALID", &message);
    }
}

fn mentions(form: &mut Form, part: &Part<'_>) {
    let Some(allowed) = part.at("allowed_mentions") else {
        return;
    };
    let parse = allowed.list(form, "parse");
    for (kind, name) in [("users", "users"), ("roles", "roles")] {
        let ids = allowed.list(form, name);
        counted(form, &allowed.place(name), ids.len(), 0..=100);
        let all = parse.iter().any(|own| own.value == kind);
        if all && !ids.is_empty() {
            let message =
                format!("parse:[\"{kind}\"] and {name}: [ids...] are mutually exclusive.");
            form.wrong(
                &allowed.path,
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                &message,
            );
        }
    }
    for own in parse {
        let known = ["users", "roles", "everyone"];
        if !known.iter().any(|name| own.value == *name) {
            super::choice(form, &own.path, "'users', 'roles', 'everyone'");
        }
    }
}

fn embeds(form: &mut Form, part: &Part<'_>) {
    let embeds = part.list(form, "embeds");
    counted(form, &part.place("embeds"), embeds.len(), 0..=10);
    let mut total = 0;
    for embed in &embeds {
        embed.text(form, "title", (0..=256, false));
        embed.text(form, "description", (0..=4_096, false));
        total += embed.str("title").chars().count() + embed.str("description").chars().count();
        let fields = embed.list(form, "fields");
        counted(form, &embed.place("fields"), fields.len(), 0..=25);
        for field in fields {
            field.text(form, "name", (1..=256, true));
            field.text(form, "value", (1..=1_024, true));
            total += field.str("name").chars().count() + field.str("value").chars().count();
        }
        if let Some(footer) = embed.at("footer") {
            footer.text(form, "text", (1..=2_048, true));
            total += footer.str("text").chars().count();
        }
    }
    if total > 6_000 {
        let message = "Embed size exceeds maximum size of 6000";
        form.wrong(&part.place("embeds"), "MAX_EMBED_SIZE_EXCEEDED", message);
    }
}

/// A thread's name.
pub(in crate::sandbox) fn name(body: &Value) -> Result<String, Refusal> {
    let mut form = Form::default();
    let part = Part::new(body);
    part.text(&mut form, "name", (1..=100, true));
    let name = part.str("name").trim().to_owned();
    if part.at("name").is_some() {
        within(&mut form, "name", name.chars().count(), 1..=100);
    }
    if let Some(after) = part.at("auto_archive_duration") {
        let known = [60, 1_440, 4_320, 10_080];
        if !after.value.as_u64().is_some_and(|n| known.contains(&n)) {
            super::choice(&mut form, &after.path, "60, 1440, 4320, 10080");
        }
    }
    form.done()?;
    Ok(name)
}
