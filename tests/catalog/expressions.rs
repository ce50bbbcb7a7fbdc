//! Expressions: what they print, and that rendering in two steps gives what one would.

use idp::catalog::expression::{after, holds};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::object;

/// Renders a text in which everything is an output of step `s`.
fn render(text: &str) -> Result<Value, String> {
    let outputs = object(json!({ "s": {
        "name": "payments-api", "on": true, "none": null, "list": ["a", 2, 2.5], "map": { "b": 1, "a": [2] },
        "two": 2.0, "url": "github.com?owner=acme&repo=x", "text": "a <b> & \"c\"", "n": 3,
    } }));
    after(text, &outputs).map_err(|error| error.to_string())
}

#[test]
fn a_sole_expression_keeps_its_type_and_text_prints_as_javascript_does() {
    for (text, value) in [
        ("${{ steps.s.output.on }}", json!(true)),
        ("${{steps.s.output.list}}", json!(["a", 2, 2.5])),
        ("${{ steps['s'].output.map }}", json!({ "b": 1, "a": [2] })),
        ("${{ steps.s.output.none }}", json!(null)),
        ("${{ steps.s.output.n + 1 }}", json!(4)),
        ("is ${{ steps.s.output.on }}", json!("is true")),
        ("<${{ steps.s.output.none }}>", json!("<>")),
        ("${{ steps.s.output.list }}!", json!("a,2,2.5!")),
        ("${{ steps.s.output.two }}.", json!("2.")),
        (
            "${{ steps.s.output.map | dump }} ",
            json!("{\"b\":1,\"a\":[2]} "),
        ),
        (
            "${{ (steps.s.output.url | parseRepoUrl).repo }}",
            json!("x"),
        ),
        ("${{ steps.s.output.url | projectSlug }}", json!("acme/x")),
        (
            "${{ 'group:default/payments' | parseEntityRef | pick('name') }}",
            json!("payments"),
        ),
        (
            "${{ ('payments' | parseEntityRef({ 'defaultKind': 'group' })).kind }}",
            json!("group"),
        ),
        (
            "${{ steps.s.output.name.toUpperCase() }}",
            json!("PAYMENTS-API"),
        ),
        (
            "${{ steps.s.output.name.split('-') | first }}",
            json!("payments"),
        ),
        (
            "${{ steps.s.output.name.replace('a', 'o') }}",
            json!("poyments-api"),
        ),
        (
            "${{ steps.s.output.text | escape }}",
            json!("a &lt;b&gt; &amp; &quot;c&quot;"),
        ),
        ("${{ steps.s.output.text | striptags }}", json!("a & \"c\"")),
        (
            "${{ steps.s.output.name | truncate(4, true) }}",
            json!("paym..."),
        ),
        ("${{ 'a b c' | wordcount }}", json!(3)),
        ("${{ 'x' | center(5) }}", json!("  x  ")),
        ("${{ steps.s.output.missing | default('y') }}", json!("y")),
        ("${{ steps.s.output.none | default('y') }}", json!("y")),
        (
            "${{ steps.gone.output.x | default('skipped') }}",
            json!("skipped"),
        ),
        ("{% if steps.s.output.on %}yes{% endif %}", json!("yes")),
        ("{% raw %}${{ x }}{% endraw %}", json!("${{ x }}")),
        ("nothing", json!("nothing")),
        ("", json!("")),
    ] {
        assert_eq!(render(text), Ok(value), "{text}");
    }
}

#[test]
fn what_has_no_value_is_an_error_with_its_name() {
    for (text, error) in [
        (
            "${{ steps.s.output.missing }}",
            "`steps.s.output.missing` has no value",
        ),
        (
            "a ${{ steps.s.output.missing }}",
            "`steps.s.output.missing` has no value",
        ),
        (
            "a ${{ steps.gone.output.x }}",
            "`steps.gone.output.x` has no value",
        ),
        ("a ${{ nothing }}", "`nothing` has no value"),
        (
            "a ${{ steps.s.output.map }}",
            "a map has no text of its own (`| dump` writes it as JSON) in `steps.s.output.map`",
        ),
        (
            "${{ 'github.com' | parseRepoUrl }}",
            "`github.com` is no repository: write `host?owner=OWNER&repo=NAME`",
        ),
    ] {
        assert_eq!(
            render(text).unwrap_err().lines().next().unwrap(),
            error,
            "{text}"
        );
    }
}

#[test]
fn a_template_that_never_ends_stops_soon() {
    let began = std::time::Instant::now();
    for text in [
        "{% macro m() %}${{ m() }}{% endmacro %}${{ m() }}",
        "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
        "${{ range(100000000) | list }}",
    ] {
        assert!(render(text).is_err(), "{text}");
    }
    // Milliseconds in a release build; a loop without a bound would take minutes in any.
    assert!(began.elapsed().as_secs() < 5);
}

#[test]
fn conditions_hold_as_in_backstage() {
    for value in [
        json!(false),
        json!(null),
        json!(""),
        json!(0),
        json!(0.0),
        json!([]),
    ] {
        assert!(!holds(&value), "{value}");
    }
    for value in [json!(true), json!("false"), json!(1), json!([0]), json!({})] {
        assert!(holds(&value), "{value}");
    }
}

proptest! {
    #[test]
    fn any_text_renders_or_is_an_error(text in "([a-z .|'\"\\[\\]()=!-]|\\$\\{\\{|\\}\\}|\\{%|%\\}|\\{#|#\\}|steps|\\n|[äß€\u{1f600}]){0,40}") {
        let _ = render(&text);
    }

    #[test]
    fn plain_text_stays_as_it_is(text in "[a-zA-Z0-9 äß€${}.\\n]{0,40}") {
        prop_assume!(!text.contains("${{"));
        prop_assert_eq!(render(&text), Ok(Value::String(text)));
    }
}
