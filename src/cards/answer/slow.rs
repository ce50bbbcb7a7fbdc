//! What somebody reads when an answer doesn't come in time.

use crate::domain::card::Card;

/// The work goes on; its answer follows in the same place.
pub fn still_working() -> Card {
    Card::lines(["Still working on it; the answer follows here."])
}

/// Something to read couldn't be opened in time.
pub fn press_again() -> Card {
    Card::lines(["That couldn't be opened in time. Please press the button again."])
}
