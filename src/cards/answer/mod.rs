//! Answers to the one who just acted, for their eyes only. Nothing in them is needed later.

mod asked;
mod home;
mod login;
mod pressed;
mod slow;

pub use asked::{
    MayNotAsk, broken, draft_found, draft_gone, form_by_button, looking_up, may_not_ask, not_built,
    not_looked_up, open_form, refused, sentence, submitted, unknown_command, use_the_button,
};
pub use home::{Home, Links, Offer, help, home, list, status, status_of};
pub use login::{NoLogin, login, no_login};
pub use pressed::{
    Late, cancelled, late, may_not, nothing_to_do, old_plan, old_run, too_old, undo_begun,
    unknown_request, vote_refused,
};
pub use slow::{press_again, still_working};
