//! Evidence: whatever is done to the rows of a chain is found.

use idp::domain::audit::{Entry, Head, append, mac, mac_holds, verify};
use idp::domain::canonical::Digest;
use proptest::prelude::*;
use serde_json::json;

fn chain(len: usize) -> Vec<Entry> {
    let mut head = Head::EMPTY;
    (0..len)
        .map(|n| {
            let entry = append("request:1", head, &json!({ "kind": "vote.cast", "n": n }));
            head = Head {
                seq: entry.seq,
                hash: entry.hash,
            };
            entry
        })
        .collect()
}

#[derive(Debug, Clone)]
enum Harm {
    Remove(usize),
    Swap(usize, usize),
    Double(usize),
    Edit(usize, usize),
    Rehash(usize),
    MoveChain(usize),
}

fn harm() -> impl Strategy<Value = Harm> {
    let at = 0..12_usize;
    prop_oneof![
        at.clone().prop_map(Harm::Remove),
        (at.clone(), at.clone()).prop_map(|(a, b)| Harm::Swap(a, b)),
        at.clone().prop_map(Harm::Double),
        (at.clone(), 0..64_usize).prop_map(|(a, b)| Harm::Edit(a, b)),
        at.clone().prop_map(Harm::Rehash),
        at.prop_map(Harm::MoveChain),
    ]
}

proptest! {
    #[test]
    fn a_chain_left_alone_holds(len in 0..20_usize) {
        let rows = chain(len);
        let head = verify(Head::EMPTY, &rows).unwrap();
        prop_assert_eq!(head.seq, i64::try_from(len).unwrap());
    }

    #[test]
    fn any_harm_is_found(harm in harm()) {
        let rows = chain(12);
        let mut harmed = rows.clone();
        match harm {
            Harm::Remove(at) => { harmed.remove(at); }
            Harm::Swap(a, b) => harmed.swap(a, b),
            Harm::Double(at) => harmed.insert(at, rows[at].clone()),
            Harm::Edit(at, byte) => {
                let byte = byte % harmed[at].body.len();
                harmed[at].body[byte] ^= 1;
            }
            Harm::Rehash(at) => harmed[at].hash = Digest::of(b"another"),
            Harm::MoveChain(at) => harmed[at].chain = "request:2".to_owned(),
        }
        prop_assume!(harmed != rows);
        let told = verify(Head::EMPTY, &rows).unwrap();
        // A cut tail leaves a good chain: it is its head that no longer fits.
        let found = verify(Head::EMPTY, &harmed);
        prop_assert!(found.is_err() || found.unwrap() != told);
    }

    #[test]
    fn a_mac_holds_for_its_key_and_bytes_alone(key: Vec<u8>, bytes: Vec<u8>, other: Vec<u8>) {
        let made = mac(&key, &bytes);
        prop_assert!(mac_holds(&key, &bytes, &made));
        prop_assert_eq!(mac_holds(&key, &other, &made), other == bytes);
    }
}
