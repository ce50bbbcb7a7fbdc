//! YAML with places: every value and every name knows its line and column, so that checks can point at it.
//!
//! Only what JSON can say is taken: no tags, one document a file, names that are text. Nesting is bounded before the
//! parser sees the text, because trees this deep are dropped by recursion.

use saphyr::{LoadableYamlNode, MarkedYaml, Marker, Scalar, YamlData};
use serde_json::{Map, Number, Value};

use super::problem::{Mark, Problem};

/// Longest definition, in bytes. Our own limit: a hundred times the longest that we ship.
const MAX_BYTES: usize = 1024 * 1024;

/// Most columns of indentation, which bounds the nesting of blocks (brackets are bounded by the parser, at 255).
const MAX_INDENT: usize = 200;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) at: Mark,
    pub(super) data: Data,
}

/// What JSON can say, with places inside.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A member's name and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub(super) at: Mark,
    pub(super) text: String,
}

impl Node {
    /// Reads one document.
    pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<Self, Problem> {
        let text = checked_text(file, bytes)?;
        let documents = MarkedYaml::load_from_str(text).map_err(|error| {
            Problem::at(
                file,
                mark(*error.marker()),
                format!("this is not YAML: {}", error.info()),
            )
        })?;
        match documents.as_slice() {
            [one] => convert(file, one),
            [] => Err(Problem::whole(file, "the file is empty")),
            [_, second, ..] => Err(Problem::at(
                file,
                mark(second.span.start),
                "a second document begins here",
            )
            .hint("Write one definition a file.")),
        }
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items, if it is a list.
    pub(super) fn list(&self) -> Option<&[Node]> {
        match &self.data {
            Data::List(items) => Some(items),
            _ => None,
        }
    }

    /// The members, if it is a map.
    pub(super) fn map(&self) -> Option<&[(Key, Node)]> {
        match &self.data {
            Data::Map(members) => Some(members),
            _ => None,
        }
    }

    /// A member of a map.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.map()?
            .iter()
            .find(|(key, _)| key.text == name)
            .map(|(_, value)| value)
    }

    /// The value without its places.
    pub(super) fn json(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(yes) => Value::Bool(*yes),
            Data::Number(number) => Value::Number(number.clone()),
            Data::Text(text) => Value::String(text.clone()),
            Data::List(items) => Value::Array(items.iter().map(Node::json).collect()),
            Data::Map(members) => Value::Object(
                members
                    .iter()
                    .map(|(key, value)| (key.text.clone(), value.json()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    /// What it is, as people say it.
    pub(super) const fn kind(&self) -> &'static str {
        match self.data {
            Data::Null => "nothing",
            Data::Bool(_) => "true or false",
            Data::Number(_) => "a number",
            Data::Text(_) => "text",
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }
}

fn checked_text<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Problem> {
    if bytes.len() > MAX_BYTES {
        return Err(Problem::whole(file, "the file is longer than 1 MB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = 1 + good.matches('\n').count();
        Problem::at(file, Mark { line, column: 1 }, "this is not UTF-8")
    })?;
    let indent = |line: &str| line.bytes().take_while(|b| b" -?\t".contains(b)).count();
    match text.lines().position(|line| indent(line) > MAX_INDENT) {
        Some(at) => Err(Problem::at(
            file,
            Mark {
                line: at + 1,
                column: MAX_INDENT,
            },
            format!("this is indented by more than {MAX_INDENT} columns"),
        )),
        None => Ok(text),
    }
}

/// The parser counts columns from 0.
fn mark(marker: Marker) -> Mark {
    Mark {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

fn convert(file: &str, yaml: &MarkedYaml<'_>) -> Result<Node, Problem> {
    let at = mark(yaml.span.start);
    let refuse = |what: &str| Err(Problem::at(file, at, what));
    let data = match &yaml.data {
        YamlData::Value(scalar) => match scalar {
            Scalar::Null => Data::Null,
            Scalar::Boolean(yes) => Data::Bool(*yes),
            Scalar::Integer(n) => Data::Number((*n).into()),
            Scalar::FloatingPoint(n) => match Number::from_f64(n.into_inner()) {
                Some(number) => Data::Number(number),
                None => return refuse("this is no finite number"),
            },
            Scalar::String(text) => Data::Text(text.clone().into_owned()),
        },
        YamlData::Sequence(items) => Data::List(
            items
                .iter()
                .map(|item| convert(file, item))
                .collect::<Result<_, _>>()?,
        ),
        YamlData::Mapping(members) => Data::Map(
            members
                .iter()
                .map(|(key, value)| Ok((convert_key(file, key)?, convert(file, value)?)))
                .collect::<Result<_, Problem>>()?,
        ),
        YamlData::Tagged(..) => return refuse("tags are not supported"),
        YamlData::Representation(..) | YamlData::Alias(_) | YamlData::BadValue => {
            return refuse("this value can't be read");
        }
    };
    Ok(Node { at, data })
}

fn convert_key(file: &str, yaml: &MarkedYaml<'_>) -> Result<Key, Problem> {
    let at = mark(yaml.span.start);
    match &yaml.data {
        YamlData::Value(Scalar::String(text)) => Ok(Key {
            at,
            text: text.clone().into_owned(),
        }),
        YamlData::Value(Scalar::Integer(n)) => Ok(Key {
            at,
            text: n.to_string(),
        }),
        _ => Err(Problem::at(file, at, "a name has to be text").hint("Put it in quotes.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Node, Problem> {
        Node::parse("a.yaml", text.as_bytes())
    }

    #[test]
    fn values_and_names_know_their_places() {
        let node = parse("a: 1\nb:\n  - x\n  - { c: [true] }\n").unwrap();
        assert_eq!(
            node.json(),
            serde_json::json!({"a": 1, "b": ["x", {"c": [true]}]})
        );
        let list = node.get("b").unwrap().list().unwrap();
        assert_eq!(list[0].at, Mark { line: 3, column: 5 });
        let (key, value) = &list[1].map().unwrap()[0];
        assert_eq!(
            (key.at, value.at),
            (
                Mark { line: 4, column: 7 },
                Mark {
                    line: 4,
                    column: 10
                }
            )
        );
    }

    #[test]
    fn what_json_cannot_say_is_refused_with_its_place() {
        for (text, problem) in [
            ("", "error: the file is empty\n  --> a.yaml"),
            (
                "a: 1\n---\nb: 2\n",
                "error: a second document begins here\n  --> a.yaml:3:1\n  help: Write one definition a file.",
            ),
            (
                "a: !x 1\n",
                "error: tags are not supported\n  --> a.yaml:1:4",
            ),
            (
                "true: 1\n",
                "error: a name has to be text\n  --> a.yaml:1:1\n  help: Put it in quotes.",
            ),
            (
                "a: .nan\n",
                "error: this is no finite number\n  --> a.yaml:1:4",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), problem, "{text:?}");
        }
        insta::assert_snapshot!(parse("a: 1\nb: [\n").unwrap_err(), @r"
        error: this is not YAML: while parsing a node, did not find expected node content
          --> a.yaml:3:1
        ");
        insta::assert_snapshot!(parse("a: 1\na: 2\n").unwrap_err(), @r"
        error: this is not YAML: duplicated key in mapping
          --> a.yaml:2:1
        ");
    }

    #[test]
    fn deep_nesting_is_refused_not_a_crash() {
        assert!(parse(&"- ".repeat(20_000)).is_err());
        assert!(parse(&"[".repeat(20_000)).is_err());
        assert!(parse(&"{a: ".repeat(20_000)).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_value_or_a_problem(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Node::parse("a.yaml", &bytes);
        }

        #[test]
        fn any_yaml_like_text_is_a_value_or_a_problem(text in "[a-c:\\-\\[\\]{}?!&*|>'\"#\n ,]{0,60}") {
            let _ = parse(&text);
        }
    }
}
