//! How the words and ids of `domain` stand in columns, told once for each kind of type.
//!
//! `domain` may not know the driver, so its types get their columns here. In checked queries they are named by an
//! override: `state as "state: RequestState"` on the way out, `state as _` on the way in.

use std::error::Error as StdError;

use sqlx::encode::IsNull;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};
use uuid::Uuid;

use crate::domain::canonical::Digest;
use crate::domain::event::PlaceKind;
use crate::domain::id::{
    AccountId, ApprovalId, DraftId, GroupId, InstallationId, LinkId, MessageId, PersonId, PlanId,
    RequestId, RequestNumber, RunId, ServiceId, ThreadId, TieId, VoteId,
};
use crate::domain::link::chat::CodeState;
use crate::domain::link::github::LinkState;
use crate::domain::message::{MessageKind, ThreadRole};
use crate::domain::person::{AccountKind, Platform};
use crate::domain::request::{Origin, RequestState};
use crate::domain::run::{Direction, RunState, StepState};
use crate::domain::step::TakenBack;
use crate::domain::tie::Source;
use crate::domain::vote::Verdict;

type BoxError = Box<dyn StdError + Send + Sync>;

/// A domain type that stands in a column as a plainer type: how it is written, how it is read back.
macro_rules! column {
    ($($ty:ty as $plain:ty: $to:expr, $from:expr;)+) => { $(
        impl Type<Postgres> for $ty {
            fn type_info() -> PgTypeInfo {
                <$plain as Type<Postgres>>::type_info()
            }
            fn compatible(ty: &PgTypeInfo) -> bool {
                <$plain as Type<Postgres>>::compatible(ty)
            }
        }

        impl<'q> Encode<'q, Postgres> for $ty {
            fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxError> {
                let to: fn(&$ty) -> $plain = $to;
                <$plain as Encode<'_, Postgres>>::encode(to(self), buffer)
            }
        }

        impl<'r> Decode<'r, Postgres> for $ty {
            fn decode(value: PgValueRef<'r>) -> Result<Self, BoxError> {
                let from: fn($plain) -> Result<$ty, BoxError> = $from;
                from(<$plain as Decode<'r, Postgres>>::decode(value)?)
            }
        }

        impl sqlx::postgres::PgHasArrayType for $ty {
            fn array_type_info() -> PgTypeInfo {
                <$plain as sqlx::postgres::PgHasArrayType>::array_type_info()
            }
        }
    )+ };
}

/// Closed sets of words stand as text; an unknown word is an error that names it.
macro_rules! word_columns {
    ($($ty:ty)+) => { column! { $($ty as String: |word| word.as_str().to_owned(), |text| Ok(text.parse()?);)+ } };
}

/// Ids stand as UUIDs.
macro_rules! id_columns {
    ($($ty:ty)+) => { column! { $($ty as Uuid: |id| id.uuid(), |uuid| Ok(<$ty>::from_uuid(uuid));)+ } };
}

word_columns! {
    AccountKind CodeState Direction LinkState MessageKind Origin PlaceKind Platform RequestState RunState Source StepState
    TakenBack ThreadRole Verdict
}

id_columns! {
    AccountId ApprovalId DraftId GroupId InstallationId LinkId MessageId PersonId PlanId RequestId RunId ServiceId ThreadId
    TieId VoteId
}

column! {
    RequestNumber as i64: |number| number.0, |number| Ok(RequestNumber(number));
    Digest as Vec<u8>: |digest| digest.0.to_vec(), |bytes| Ok(Digest::try_from(bytes.as_slice())?);
}
