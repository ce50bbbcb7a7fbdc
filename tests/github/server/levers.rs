//! What a test can break: answers, connections, for so many calls.

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing happens, and this status comes back.
    Status(u16),
    /// Nothing happens, and the connection breaks.
    BreakBefore,
    /// Somebody deletes the repository that the call names, just before it.
    Deleted,
    /// The call has its effect, and the connection breaks before the answer.
    BreakAfter,
}

/// One lever that was pulled.
#[derive(Debug, Clone)]
pub struct Lever {
    /// An operation by GitHub's name, `git` for pushes (git-receive-pack), `*` for every call.
    pub operation: String,
    /// How many of its calls go well before.
    pub skip: usize,
    /// How many go wrong then.
    pub times: usize,
    pub trouble: Trouble,
}

#[derive(Debug, Default)]
pub struct Levers(Vec<Lever>);

impl Levers {
    pub fn pull(&mut self, lever: Lever) {
        self.0.push(lever);
    }

    /// What is to go wrong with this call, which counts.
    pub fn take(&mut self, operation: &str) -> Option<Trouble> {
        let mut trouble = None;
        for lever in &mut self.0 {
            if lever.operation != "*" && lever.operation != operation {
                continue;
            }
            if lever.skip > 0 {
                lever.skip -= 1;
            } else if lever.times > 0 && trouble.is_none() {
                lever.times -= 1;
                trouble = Some(lever.trouble);
            }
        }
        self.0.retain(|lever| lever.skip > 0 || lever.times > 0);
        trouble
    }

    /// Everything goes well again.
    pub fn mend(&mut self) {
        self.0.clear();
    }

    /// Those that were never reached.
    pub fn left(&self) -> usize {
        self.0.len()
    }
}
