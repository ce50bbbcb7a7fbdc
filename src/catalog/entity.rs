//! Backstage's catalog entities as a `catalog-info.yaml` tells them: as much as registering a service needs.

use saphyr::{LoadableYamlNode as _, Yaml};

/// Longest file, in bytes. Our own limit, a thousand times an ordinary one.
const MAX_BYTES: usize = 256 * 1024;

/// Most columns of indentation, which bounds the nesting of blocks (brackets are bounded by the parser, at 255).
const MAX_INDENT: usize = 200;

/// Longest name: Backstage's limit for `metadata.name` and `metadata.namespace`.
const MAX_NAME: usize = 63;

/// One thing in the software catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// `Component`, as written.
    pub kind: String,
    /// `default` unless told otherwise.
    pub namespace: String,
    /// `payments-api`.
    pub name: String,
    /// `spec.owner` as written: `group:default/payments`, or `payments`.
    pub owner: Option<String>,
}

/// Why a file tells no entities: a sentence without its full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EntityError(String);

impl Entity {
    /// Its reference, as other entities name it: `component:default/payments-api`.
    pub fn reference(&self) -> String {
        format!("{}:{}/{}", self.kind, self.namespace, self.name).to_lowercase()
    }

    /// The owning team without kind and namespace.
    pub fn team(&self) -> Option<&str> {
        let owner = self.owner.as_deref()?;
        let name = owner.rsplit(['/', ':']).next().unwrap_or(owner);
        (!name.is_empty()).then_some(name)
    }
}

/// All entities in a file, in their order; at least one.
pub fn read(bytes: &[u8]) -> Result<Vec<Entity>, EntityError> {
    let broken = |what: &str| EntityError(what.to_owned());
    if bytes.len() > MAX_BYTES {
        return Err(broken("it is too long"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| broken("it is not UTF-8"))?;
    if text
        .lines()
        .any(|line| line.len() - line.trim_start_matches([' ', '-']).len() > MAX_INDENT)
    {
        return Err(broken("it is nested too deeply"));
    }
    let documents = Yaml::load_from_str(text)
        .map_err(|error| EntityError(format!("it is not YAML: {error}")))?;
    let entities: Vec<Entity> = documents
        .iter()
        .filter(|document| !document.is_null())
        .map(entity)
        .collect::<Result<_, _>>()?;
    if entities.is_empty() {
        Err(broken("there is no entity in it"))
    } else {
        Ok(entities)
    }
}

/// The one that a service is registered as: the first component that no program made up, else the first entity
/// (Backstage's rule in `catalog:register`).
pub fn main_entity(entities: &[Entity]) -> Option<&Entity> {
    let named = |entity: &&Entity| {
        entity.kind.eq_ignore_ascii_case("component") && !entity.name.starts_with("generated-")
    };
    entities.iter().find(named).or_else(|| entities.first())
}

fn entity(document: &Yaml<'_>) -> Result<Entity, EntityError> {
    let text = |of: Option<&Yaml<'_>>| of.and_then(Yaml::as_str).map(str::to_owned);
    let metadata = document.as_mapping_get("metadata");
    let spec = document.as_mapping_get("spec");
    let kind = text(document.as_mapping_get("kind")).filter(|kind| is_name(kind));
    let name = text(metadata.and_then(|m| m.as_mapping_get("name"))).filter(|name| is_name(name));
    let namespace = metadata.and_then(|m| m.as_mapping_get("namespace"));
    let namespace = namespace.map_or(Some("default".to_owned()), |n| {
        text(Some(n)).filter(|n| is_name(n))
    });
    let owner = text(spec.and_then(|s| s.as_mapping_get("owner")));
    let missing = |what: &str| EntityError(format!("an entity in it has no valid `{what}`"));
    Ok(Entity {
        kind: kind.ok_or_else(|| missing("kind"))?,
        name: name.ok_or_else(|| missing("metadata.name"))?,
        namespace: namespace.ok_or_else(|| missing("metadata.namespace"))?,
        owner,
    })
}

/// Backstage's format of names: letters and digits, with `-`, `_` and `.` between them.
fn is_name(text: &str) -> bool {
    let solid = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    text.len() <= MAX_NAME
        && solid(bytes.first())
        && solid(bytes.last())
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_named_component_is_the_service() {
        let text = "kind: API\nmetadata: { name: pay }\n---\nkind: Component\nmetadata: { name: generated-1 }\n---\n\
                    kind: Component\nmetadata: { name: Payments-API, namespace: shop }\nspec: { owner: group:default/payments }\n---\n";
        let entities = read(text.as_bytes()).unwrap();
        let main = main_entity(&entities).unwrap();
        assert_eq!(
            (main.reference().as_str(), main.team()),
            ("component:shop/payments-api", Some("payments"))
        );
        assert_eq!(entities.len(), 3);
    }

    #[test]
    fn what_is_missing_is_named() {
        let deep = format!("a:\n{}b: 1", " ".repeat(300));
        for (text, said) in [
            ("", "there is no entity in it"),
            (
                "kind: Component",
                "an entity in it has no valid `metadata.name`",
            ),
            (
                "metadata: { name: a }",
                "an entity in it has no valid `kind`",
            ),
            (
                "kind: Component\nmetadata: { name: \"a b\" }",
                "an entity in it has no valid `metadata.name`",
            ),
            (
                "kind: Component\nmetadata: { name: a, namespace: 1 }",
                "an entity in it has no valid `metadata.namespace`",
            ),
            (deep.as_str(), "it is nested too deeply"),
        ] {
            assert_eq!(
                read(text.as_bytes()).unwrap_err().to_string(),
                said,
                "{text}"
            );
        }
        assert!(
            read(b"a: [")
                .unwrap_err()
                .to_string()
                .starts_with("it is not YAML")
        );
        assert!(read(b"\xff").is_err());
    }
}
