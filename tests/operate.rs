//! What an operator does and sees: `idp serve`, `idp doctor` and the rest as processes of their own.

mod backup;
mod doctor;
mod github;
mod live;
