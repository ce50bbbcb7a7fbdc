//! Finds code in a text, and in the code the places that name parameters, steps and other roots.
//!
//! The engine evaluates; it doesn't tell where a name stands. Checks want to point at it and [`super::partial`] wants
//! to replace it, so this small scanner follows the engine's own rules for delimiters, strings, comments and raw
//! blocks. What it can't follow it leaves alone: the engine has the last word on syntax.

use std::ops::Range;

/// One part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::catalog) struct Piece {
    /// What it is.
    pub(in crate::catalog) kind: PieceKind,
    /// Where it stands, delimiters and all.
    pub(in crate::catalog) range: Range<usize>,
    /// Its code: the tokens between the delimiters.
    pub(in crate::catalog) tokens: Vec<Token>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::catalog) enum PieceKind {
    /// Copied as it is; comments and raw blocks too.
    Text,
    /// `${{ }}`
    Expression,
    /// `{% %}`
    Block,
}

/// One word or sign of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::catalog) struct Token {
    pub(in crate::catalog) kind: TokenKind,
    pub(in crate::catalog) range: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::catalog) enum TokenKind {
    Word,
    Number,
    Text,
    Sign,
}

/// A name with what is selected of it: `steps.publish.output.remoteUrl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::catalog) struct Mention {
    /// The first name.
    pub(in crate::catalog) root: String,
    /// What is selected, as far as the text says it in plain.
    pub(in crate::catalog) path: Vec<String>,
    /// Where the first name begins.
    pub(in crate::catalog) start: usize,
    /// Where the first name ends, then each selection.
    pub(in crate::catalog) ends: Vec<usize>,
    /// Whether it is only asked whether it exists (`is defined`, `| default`).
    pub(in crate::catalog) guarded: bool,
    /// Whether it is given a value here (`{% set x %}`, `{% for x in … %}`).
    pub(in crate::catalog) bound: bool,
}

/// Whether there is anything for the engine in a text.
pub(in crate::catalog) fn is_template(text: &str) -> bool {
    text.contains("${{") || text.contains("{%") || text.contains("{#")
}

/// The code of a text that is one expression and nothing else.
pub(in crate::catalog) fn sole(text: &str) -> Option<&str> {
    let pieces = pieces(text);
    let [one] = pieces.as_slice() else {
        return None;
    };
    let inner = text.strip_prefix("${{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner);
    let inner = inner.strip_suffix(['-', '+']).unwrap_or(inner);
    (one.kind == PieceKind::Expression).then(|| inner.trim())
}

/// The ids of the steps that a text names, each once, in the order of naming.
pub(in crate::catalog) fn step_ids(text: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for mention in mentions(text) {
        if let ("steps", Some(id)) = (mention.root.as_str(), mention.path.first())
            && !ids.contains(id)
        {
            ids.push(id.clone());
        }
    }
    ids
}

/// Everything that a text names, in order.
pub(in crate::catalog) fn mentions(text: &str) -> Vec<Mention> {
    pieces(text)
        .iter()
        .flat_map(|piece| piece_mentions(text, piece))
        .collect()
}

/// Cuts a text into what is copied and what is code.
pub(in crate::catalog) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut at, mut copied) = (0, 0);
    while let Some((start, kind)) = next_start(text, at) {
        let (end, tokens) = match kind {
            None => (comment_end(text, start), None),
            Some(PieceKind::Block) if raw_end(text, start).is_some() => {
                (raw_end(text, start).unwrap_or(text.len()), None)
            }
            Some(PieceKind::Expression) => code(text, start + 3, "}}"),
            Some(_) => code(text, start + 2, "%}"),
        };
        if let (Some(tokens), Some(kind)) = (tokens, kind) {
            push_text(&mut pieces, copied..start);
            pieces.push(Piece {
                kind,
                range: start..end,
                tokens,
            });
            copied = end;
        }
        at = end;
    }
    push_text(&mut pieces, copied..text.len());
    pieces
}

fn push_text(pieces: &mut Vec<Piece>, range: Range<usize>) {
    if !range.is_empty() {
        pieces.push(Piece {
            kind: PieceKind::Text,
            range,
            tokens: Vec::new(),
        });
    }
}

/// The next delimiter; no kind: a comment. One pass from brace to brace: a search for each sign would read the rest of
/// the text again and again for one that isn't in it.
fn next_start(text: &str, from: usize) -> Option<(usize, Option<PieceKind>)> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        let brace = at + text.get(at..)?.find('{')?;
        match bytes.get(brace + 1) {
            Some(b'{') if brace > from && bytes[brace - 1] == b'$' => {
                return Some((brace - 1, Some(PieceKind::Expression)));
            }
            Some(b'%') => return Some((brace, Some(PieceKind::Block))),
            Some(b'#') => return Some((brace, None)),
            _ => at = brace + 1,
        }
    }
}

fn comment_end(text: &str, start: usize) -> usize {
    text[start..]
        .find("#}")
        .map_or(text.len(), |end| start + end + 2)
}

/// Where a raw block that begins here ends.
fn raw_end(text: &str, start: usize) -> Option<usize> {
    let inner = text[start + 2..]
        .trim_start_matches(['-', '+'])
        .trim_start();
    let behind = inner.strip_prefix("raw")?;
    let first = behind.trim_start().trim_start_matches(['-', '+']);
    if !first.starts_with("%}") {
        return None;
    }
    let mut at = start + 2;
    while let Some(found) = text[at..].find("{%") {
        at += found + 2;
        let tag = text[at..].trim_start_matches(['-', '+']).trim_start();
        if let Some(rest) = tag.strip_prefix("endraw") {
            let rest = rest.trim_start().trim_start_matches(['-', '+']);
            if let Some(rest) = rest.strip_prefix("%}") {
                return Some(text.len() - rest.len());
            }
        }
    }
    Some(text.len())
}

/// The tokens up to the closing sign that stands outside of all brackets, and where it ends.
fn code(text: &str, start: usize, close: &str) -> (usize, Option<Vec<Token>>) {
    let mut tokens = Vec::new();
    let (mut at, mut open) = (start, 0_i32);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if open <= 0
            && rest
                .strip_prefix(['-', '+'])
                .unwrap_or(rest)
                .starts_with(close)
        {
            let signed = usize::from(!rest.starts_with(close));
            return (at + signed + close.len(), Some(tokens));
        }
        let (kind, length) = match c {
            c if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '"' | '\'' => (TokenKind::Text, string_length(rest)),
            c if c.is_ascii_alphabetic() || c == '_' => (
                TokenKind::Word,
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(rest.len()),
            ),
            c if c.is_ascii_digit() => (
                TokenKind::Number,
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(rest.len()),
            ),
            c => {
                open += i32::from("([{".contains(c)) - i32::from(")]}".contains(c));
                (TokenKind::Sign, c.len_utf8())
            }
        };
        tokens.push(Token {
            kind,
            range: at..at + length,
        });
        at += length;
    }
    (text.len(), Some(tokens))
}

fn string_length(rest: &str) -> usize {
    let mut chars = rest.char_indices();
    let Some((_, quote)) = chars.next() else {
        return 0;
    };
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    rest.len()
}

/// What one piece of code names.
pub(in crate::catalog) fn piece_mentions(text: &str, piece: &Piece) -> Vec<Mention> {
    let tokens = &piece.tokens;
    let shown = |at: usize| {
        tokens
            .get(at)
            .map_or("", |token| &text[token.range.clone()])
    };
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let before = if at == 0 { "" } else { shown(at - 1) };
        let named = shown(at + 1) == "=" && shown(at + 2) != "=";
        let filter =
            before == "|" || before == "is" || (before == "not" && at > 1 && shown(at - 2) == "is");
        let binds = piece.kind == PieceKind::Block && is_bound(text, tokens, at);
        if token.kind != TokenKind::Word || before == "." || filter || (named && !binds) {
            at += 1;
            continue;
        }
        let (mention, next) = follow(text, tokens, at, binds);
        found.push(mention);
        at = next;
    }
    found
}

/// Whether the word at `at` is given a value by the block: `set x`, `for a, b in`.
fn is_bound(text: &str, tokens: &[Token], at: usize) -> bool {
    let word = |token: &Token| &text[token.range.clone()];
    match tokens.first().map(word) {
        Some("set") => !tokens[..at].iter().any(|token| word(token) == "=") && at > 0,
        Some("for") => !tokens[..at].iter().any(|token| word(token) == "in") && at > 0,
        Some("macro") => at > 0,
        _ => false,
    }
}

fn follow(text: &str, tokens: &[Token], start: usize, bound: bool) -> (Mention, usize) {
    let shown = |at: usize| {
        tokens
            .get(at)
            .map_or("", |token| &text[token.range.clone()])
    };
    let kind = |at: usize| tokens.get(at).map(|token| token.kind);
    let mut mention = Mention {
        root: shown(start).to_owned(),
        path: Vec::new(),
        start: tokens[start].range.start,
        ends: vec![tokens[start].range.end],
        guarded: false,
        bound,
    };
    let mut at = start + 1;
    loop {
        let (name, next) = match (shown(at), kind(at + 1)) {
            (".", Some(TokenKind::Word | TokenKind::Number)) => (shown(at + 1), at + 2),
            ("[", Some(TokenKind::Text))
                if shown(at + 2) == "]" && !shown(at + 1).contains('\\') =>
            {
                (shown(at + 1).trim_matches(['"', '\'']), at + 3)
            }
            _ => break,
        };
        mention.path.push(name.to_owned());
        mention.ends.push(tokens[next - 1].range.end);
        at = next;
    }
    mention.guarded =
        shown(at) == "is" || (shown(at) == "|" && matches!(shown(at + 1), "default" | "d"));
    (mention, at)
}

/// The line of a place in a text, from 1.
pub(in crate::catalog) fn line_of(text: &str, at: usize) -> usize {
    1 + text
        .get(..at)
        .unwrap_or(text)
        .bytes()
        .filter(|b| *b == b'\n')
        .count()
}

/// The column of a place in its line, in characters from 1.
pub(in crate::catalog) fn column_of(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    1 + line.chars().count()
}
