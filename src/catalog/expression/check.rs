//! Checks expressions while definitions are read: syntax, filters, names, and what only nunjucks understands.

use super::scan::{self, Mention, Piece, PieceKind, TokenKind};
use super::{Syntax, environment, fault};
use crate::catalog::problem::nearest;

/// Something wrong in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::catalog) struct Fault {
    /// The line inside the text, from 1.
    pub(in crate::catalog) line: usize,
    /// The column in that line, in characters from 1.
    pub(in crate::catalog) column: usize,
    /// What is wrong: a sentence without its full stop.
    pub(in crate::catalog) what: String,
    /// What to do about it.
    pub(in crate::catalog) hint: Option<String>,
    /// The nearest right word.
    pub(in crate::catalog) nearest: Option<String>,
}

impl Fault {
    fn new(text: &str, at: usize, what: impl Into<String>) -> Self {
        Self {
            line: scan::line_of(text, at),
            column: scan::column_of(text, at),
            what: what.into(),
            hint: None,
            nearest: None,
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What a text may name.
pub(in crate::catalog) trait Names: Sync {
    /// The roots that have a value: `parameters`, `steps`, `values`.
    fn roots(&self) -> &[&str];
    /// The roots that are worth naming to somebody who looks for one.
    fn offered(&self) -> &[&str] {
        self.roots()
    }
    /// What is wrong with a mention of one of the roots.
    fn check(&self, mention: &Mention) -> Result<(), (String, Option<String>)>;
}

/// Functions that are there without being given.
const FUNCTIONS: [&str; 5] = ["range", "dict", "namespace", "joiner", "debug"];

/// Words of the language that the scanner takes for names: those of conditions, which is all that most files have.
const CONDITIONS: [&str; 10] = [
    "if", "elif", "else", "endif", "and", "or", "not", "is", "true", "false",
];

/// Everything that is wrong with a text.
pub(in crate::catalog) fn faults(text: &str, syntax: Syntax, names: &dyn Names) -> Vec<Fault> {
    if !scan::is_template(text) {
        return Vec::new();
    }
    let pieces = scan::pieces(text);
    let mut found: Vec<Fault> = pieces
        .iter()
        .flat_map(|piece| foreign(text, piece))
        .collect();
    if !found.is_empty() {
        return found;
    }
    let compiled = match environment(syntax).template_from_named_str("text", text) {
        Ok(template) => template,
        Err(error) => {
            let error = fault(&error, text);
            return vec![Fault {
                line: error.line,
                column: 1,
                what: error.what,
                hint: None,
                nearest: None,
            }];
        }
    };
    let mut others = false;
    for piece in &pieces {
        found.extend(unknown_filters(text, piece));
        for mention in scan::piece_mentions(text, piece) {
            others |= !names.roots().contains(&mention.root.as_str())
                && !CONDITIONS.contains(&mention.root.as_str());
            found.extend(wrong_name(text, &mention, names));
        }
    }
    // The engine parses the whole text once more to tell its names, which most files don't need.
    if others && found.is_empty() {
        found.extend(unknown_roots(
            text,
            &compiled.undeclared_variables(false),
            names,
        ));
    }
    found
}

fn wrong_name(text: &str, mention: &Mention, names: &dyn Names) -> Option<Fault> {
    if !names.roots().contains(&mention.root.as_str()) {
        return None;
    }
    if mention.bound {
        let what = format!(
            "`{}` has a meaning of its own and can't be given another",
            mention.root
        );
        return Some(Fault::new(text, mention.start, what));
    }
    let (what, nearest) = names.check(mention).err()?;
    Some(Fault {
        nearest,
        ..Fault::new(text, mention.start, what)
    })
}

fn unknown_roots(
    text: &str,
    undeclared: &std::collections::HashSet<String>,
    names: &dyn Names,
) -> Vec<Fault> {
    let mut unknown: Vec<&String> = undeclared
        .iter()
        .filter(|name| {
            !names.roots().contains(&name.as_str()) && !FUNCTIONS.contains(&name.as_str())
        })
        .collect();
    unknown.sort();
    unknown
        .into_iter()
        .map(|name| {
            let at = scan::mentions(text)
                .iter()
                .find(|m| m.root == *name)
                .map_or(0, |m| m.start);
            let fault = Fault {
                nearest: nearest(name, names.offered().iter().copied()).map(str::to_owned),
                ..Fault::new(text, at, format!("nothing is called `{name}` here"))
            };
            let roots = names
                .offered()
                .iter()
                .map(|root| format!("`{root}`"))
                .collect::<Vec<_>>()
                .join(", ");
            fault.hint(format!("What is known here: {roots}."))
        })
        .collect()
}

fn unknown_filters(text: &str, piece: &Piece) -> Vec<Fault> {
    let word = |token: &scan::Token| &text[token.range.clone()];
    piece
        .tokens
        .windows(2)
        .filter(|pair| word(&pair[0]) == "|" && pair[1].kind == TokenKind::Word)
        .filter(|pair| !is_filter(word(&pair[1])))
        .map(|pair| {
            let name = word(&pair[1]);
            let fault = Fault::new(
                text,
                pair[1].range.start,
                format!("there is no filter `{name}`"),
            );
            match name {
                "random" => fault.hint("The same template and values have to give the same files."),
                _ => fault,
            }
        })
        .collect()
}

/// Whether the engine has a filter of this name. The engine itself is asked, since it tells its list to nobody.
fn is_filter(name: &str) -> bool {
    environment(Syntax::PLAIN)
        .compile_expression("name is filter")
        .and_then(|asked| asked.eval(minijinja::context! { name }))
        .is_ok_and(|known| known.is_true())
}

/// What nunjucks understands and this engine doesn't, or understands otherwise.
fn foreign(text: &str, piece: &Piece) -> Vec<Fault> {
    let shown = |at: usize| {
        piece
            .tokens
            .get(at)
            .map_or("", |token| &text[token.range.clone()])
    };
    let joined = |at: usize| match (piece.tokens.get(at), piece.tokens.get(at + 1)) {
        (Some(a), Some(b)) => a.range.end == b.range.start,
        _ => false,
    };
    let mut found = Vec::new();
    for (at, token) in piece.tokens.iter().enumerate() {
        let start = token.range.start;
        let fault = match (shown(at), shown(at + 1), shown(at + 2)) {
            (".", "length", next) if next != "(" => Some(
                Fault::new(text, start, "`.length` is understood by nunjucks only")
                    .hint("Write `| length`."),
            ),
            (sign @ ("=" | "!"), "=", "=") if joined(at) && joined(at + 1) => {
                let plain = if sign == "=" { "==" } else { "!=" };
                let what = format!("`{sign}==` is understood by nunjucks only");
                Some(Fault::new(text, start, what).hint(format!("Write `{plain}`.")))
            }
            ("r", "/", _) if joined(at) => Some(Fault::new(
                text,
                start,
                "regular expressions are understood by nunjucks only",
            )),
            ("cycler", "(", _) => Some(
                Fault::new(text, start, "`cycler` is understood by nunjucks only")
                    .hint("Write `loop.cycle(…)`."),
            ),
            _ => None,
        };
        found.extend(fault);
    }
    if piece.kind == PieceKind::Block {
        found.extend(foreign_block(text, piece));
    }
    found
}

fn foreign_block(text: &str, piece: &Piece) -> Option<Fault> {
    let words: Vec<&str> = piece
        .tokens
        .iter()
        .map(|token| &text[token.range.clone()])
        .collect();
    let at = piece.range.start;
    match words.as_slice() {
        [
            tag @ ("switch" | "asyncEach" | "asyncAll" | "ifAsync" | "verbatim"),
            ..,
        ] => {
            let fault = Fault::new(
                text,
                at,
                format!("`{{% {tag} %}}` is understood by nunjucks only"),
            );
            Some(match *tag {
                "switch" => fault.hint("Write `{% if %}` and `{% elif %}`."),
                "verbatim" => fault.hint("Write `{% raw %}`."),
                _ => fault.hint("Write `{% for %}` or `{% if %}`."),
            })
        }
        ["elseif", ..] => Some(
            Fault::new(text, at, "`{% elseif %}` is understood by nunjucks only")
                .hint("Write `{% elif %}`."),
        ),
        ["for", _, ",", _, "in", rest @ ..] if !rest.contains(&"|") && !rest.contains(&"(") => {
            Some(
                Fault::new(
                    text,
                    at,
                    "a loop over names and values needs `| items` here",
                )
                .hint("Write `for name, value in map | items`."),
            )
        }
        _ => None,
    }
}
