//! JavaScript's way of printing, Backstage's filters, and those of nunjucks that minijinja lacks.
//!
//! `random` is missing on purpose: the same template and values always give the same bytes.

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, Value};

pub(super) fn register(env: &mut Environment<'static>) {
    env.add_filter("parseRepoUrl", parse_repo_url);
    env.add_filter("parseEntityRef", parse_entity_ref);
    env.add_filter("pick", pick);
    env.add_filter("projectSlug", project_slug);
    env.add_filter("dump", dump);
    env.add_filter("default", default);
    env.add_filter("d", default);
    env.add_filter("truncate", truncate);
    env.add_filter("wordcount", |text: &str| text.split_whitespace().count());
    env.add_filter("center", center);
    env.add_filter("striptags", striptags);
    env.add_filter("nl2br", |text: &str| {
        text.replace("\r\n", "\n").replace('\n', "<br />\n")
    });
    env.add_filter("escape", escape);
    env.add_filter("e", escape);
    env.add_filter("forceescape", escape);
    env.set_unknown_method_callback(|_state, value, method, args| call_method(value, method, args));
}

fn bad(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, what.into())
}

/// A value as JavaScript prints it; a map has no text worth printing.
pub(super) fn plain(value: &Value) -> Result<String, Error> {
    Ok(match value.kind() {
        ValueKind::Undefined | ValueKind::None => String::new(),
        ValueKind::Number if !value.is_integer() => float(f64::try_from(value.clone())?),
        ValueKind::Bool => if value.is_true() { "true" } else { "false" }.to_owned(),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value
                .try_iter()?
                .map(|item| plain(&item))
                .collect::<Result<Vec<_>, _>>()?;
            items.join(",")
        }
        ValueKind::Map => {
            return Err(bad(
                "a map has no text of its own (`| dump` writes it as JSON)",
            ));
        }
        _ => value.to_string(),
    })
}

fn float(number: f64) -> String {
    if number == 0.0 {
        "0".to_owned()
    } else {
        format!("{number}")
    }
}

/// `github.com?owner=O&repo=R`, Backstage's way to name a repository.
fn parse_repo_url(url: &str) -> Result<Value, Error> {
    let refuse = || {
        bad(format!(
            "`{url}` is no repository: write `host?owner=OWNER&repo=NAME`"
        ))
    };
    let (host, query) = url.split_once('?').ok_or_else(refuse)?;
    let mut parts = vec![(
        "host".to_owned(),
        host.trim_start_matches("https://").to_owned(),
    )];
    parts.extend(url::form_urlencoded::parse(query.as_bytes()).into_owned());
    let known = |name: &str| {
        [
            "host",
            "owner",
            "repo",
            "organization",
            "workspace",
            "project",
        ]
        .contains(&name)
    };
    let has = |name: &str| {
        parts
            .iter()
            .any(|(key, value)| key == name && !value.is_empty())
    };
    if !has("repo") || !has("host") {
        return Err(refuse());
    }
    Ok(Value::from_pairs(
        parts.into_iter().filter(|(key, _)| known(key)),
    ))
}

fn project_slug(url: &str) -> Result<String, Error> {
    let parts = parse_repo_url(url)?;
    Ok(format!(
        "{}/{}",
        plain(&parts.get_attr("owner")?)?,
        plain(&parts.get_attr("repo")?)?
    ))
}

/// `kind:namespace/name`, with what is missing taken from the defaults given.
fn parse_entity_ref(reference: &str, defaults: Option<&Value>) -> Result<Value, Error> {
    let fallback = |name: &str| -> Option<String> {
        let value = defaults?.get_attr(name).ok()?;
        value.as_str().map(str::to_owned)
    };
    let (kind, rest) = match reference.split_once(':') {
        Some((kind, rest)) => (Some(kind.to_owned()), rest),
        None => (fallback("defaultKind"), reference),
    };
    let (namespace, name) = match rest.split_once('/') {
        Some((namespace, name)) => (namespace.to_owned(), name),
        None => (
            fallback("defaultNamespace").unwrap_or_else(|| "default".to_owned()),
            rest,
        ),
    };
    match kind {
        Some(kind) if !kind.is_empty() && !namespace.is_empty() && !name.is_empty() => {
            Ok(Value::from_pairs([
                ("kind", kind),
                ("namespace", namespace),
                ("name", name.to_owned()),
            ]))
        }
        _ => Err(bad(format!(
            "`{reference}` is no entity reference: write `kind:namespace/name`"
        ))),
    }
}

fn pick(value: &Value, path: &str) -> Result<Value, Error> {
    path.split('.')
        .try_fold(value.clone(), |value, name| match name.parse::<usize>() {
            Ok(at) => value.get_item_by_index(at),
            Err(_) => value.get_attr(name),
        })
}

fn dump(value: &Value, indent: Option<usize>) -> Result<String, Error> {
    let json = super::engine::to_json(value)?;
    let written = match indent {
        None | Some(0) => serde_json::to_string(&json),
        Some(_) => serde_json::to_string_pretty(&json),
    };
    written.map_err(|error| bad(error.to_string()))
}

/// A parameter that nobody filled in is as good as none at all.
fn default(value: &Value, other: Option<Value>, also_falsy: Option<bool>) -> Value {
    let missing =
        value.is_undefined() || value.is_none() || (also_falsy == Some(true) && !value.is_true());
    if missing {
        other.unwrap_or_else(|| Value::from(""))
    } else {
        value.clone()
    }
}

fn truncate(
    text: &str,
    length: Option<usize>,
    kill_words: Option<bool>,
    end: Option<&str>,
) -> String {
    let (length, end) = (length.unwrap_or(255), end.unwrap_or("..."));
    let Some((cut, _)) = text.char_indices().nth(length) else {
        return text.to_owned();
    };
    let head = &text[..cut];
    let head = match head.rfind(' ') {
        Some(space) if kill_words != Some(true) => &head[..space],
        _ => head,
    };
    format!("{head}{end}")
}

/// Widest line that `center` makes: a number from a form must not fill the memory.
const MAX_WIDTH: usize = 1000;

fn center(text: &str, width: Option<usize>) -> String {
    let space = width
        .unwrap_or(80)
        .min(MAX_WIDTH)
        .saturating_sub(text.chars().count());
    let left = space / 2;
    format!("{}{text}{}", " ".repeat(left), " ".repeat(space - left))
}

fn striptags(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        out.push_str(before);
        rest = if let Some((_, behind)) = tag.split_once('>') {
            behind
        } else {
            out.push('<');
            tag
        };
    }
    out.push_str(rest);
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn escape(value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    for c in plain(value)?.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    Ok(out)
}

/// The methods of JavaScript's strings and arrays that templates are seen to use.
fn call_method(value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let text_arg = |at: usize| args.get(at).and_then(Value::as_str);
    let Some(text) = value.as_str() else {
        return match (method, value.kind()) {
            ("join", ValueKind::Seq | ValueKind::Iterable) => {
                let items = value
                    .try_iter()?
                    .map(|item| plain(&item))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(items.join(text_arg(0).unwrap_or(",")).into())
            }
            ("includes", ValueKind::Seq | ValueKind::Iterable) => {
                let wanted = args.first().cloned().unwrap_or_default();
                Ok(value.try_iter()?.any(|item| item == wanted).into())
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        };
    };
    Ok(match (method, text_arg(0), text_arg(1)) {
        ("toUpperCase", ..) => text.to_uppercase().into(),
        ("toLowerCase", ..) => text.to_lowercase().into(),
        ("toString", ..) => text.into(),
        ("trim", ..) => text.trim().into(),
        ("split", Some(""), _) => text.chars().map(|c| Value::from(c.to_string())).collect(),
        ("split", Some(at), _) => text.split(at).map(Value::from).collect(),
        ("replace", Some(from), Some(to)) => text.replacen(from, to, 1).into(),
        ("replaceAll", Some(from), Some(to)) => text.replace(from, to).into(),
        ("startsWith", Some(part), _) => text.starts_with(part).into(),
        ("endsWith", Some(part), _) => text.ends_with(part).into(),
        ("includes", Some(part), _) => text.contains(part).into(),
        _ => return Err(Error::from(ErrorKind::UnknownMethod)),
    })
}
