//! Ties: two persons are one human, because they confirmed it or because the operator says so.
//!
//! Requests, votes and evidence name persons and never change. A human is all persons that open ties hold together; the
//! oldest of them stands for all.

use super::id::PersonId;

words! {
    /// Who says that two persons are one human.
    pub enum Source {
        /// They do: a code went from one account to the other, and was confirmed.
        Code = "code",
        /// The operator, in the configuration.
        File = "file",
    }
}

/// Two persons that are one human.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tie {
    /// The older one.
    pub one: PersonId,
    /// The other.
    pub other: PersonId,
    /// Who says so.
    pub source: Source,
}

impl Tie {
    /// A tie between two, in whichever order they are told; `None`: it is one and the same person.
    pub fn between(a: PersonId, b: PersonId, source: Source) -> Option<Self> {
        (a != b).then(|| Self {
            one: a.min(b),
            other: a.max(b),
            source,
        })
    }
}

/// Of these persons each with the one who stands for it, as the ties say.
pub fn stand_for(persons: &[PersonId], ties: &[Tie]) -> Vec<(PersonId, PersonId)> {
    let mut standing: Vec<(PersonId, PersonId)> = persons.iter().map(|p| (*p, *p)).collect();
    let of = |standing: &[(PersonId, PersonId)], person: PersonId| {
        let found = standing.iter().find(|(p, _)| *p == person);
        found.map(|(_, by)| *by)
    };
    for tie in ties {
        let (Some(a), Some(b)) = (of(&standing, tie.one), of(&standing, tie.other)) else {
            continue;
        };
        for (_, by) in &mut standing {
            if *by == a || *by == b {
                *by = a.min(b);
            }
        }
    }
    standing
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn person(n: u128) -> PersonId {
        PersonId::from_uuid(Uuid::from_u128(n))
    }

    fn tie(a: u128, b: u128) -> Tie {
        Tie::between(person(a), person(b), Source::Code).unwrap()
    }

    #[test]
    fn the_oldest_stands_for_all_that_ties_hold_together() {
        let persons = [1, 2, 3, 4, 5].map(person);
        let ties = [tie(4, 3), tie(2, 4), tie(5, 1)];
        let by: Vec<PersonId> = stand_for(&persons, &ties)
            .into_iter()
            .map(|s| s.1)
            .collect();
        assert_eq!(by, [1, 2, 2, 2, 1].map(person));
    }

    #[test]
    fn without_the_tie_in_the_middle_both_ends_are_on_their_own() {
        let persons = [1, 2, 3].map(person);
        let by = stand_for(&persons, &[tie(1, 2)]);
        assert_eq!(
            by.iter().map(|s| s.1).collect::<Vec<_>>(),
            [1, 1, 3].map(person)
        );
        assert_eq!(Tie::between(person(1), person(1), Source::File), None);
    }
}
