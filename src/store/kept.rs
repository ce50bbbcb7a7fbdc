//! Connections kept at hand, for single statements that people wait for.
//!
//! A pool asks each connection that comes back whether it is well: a round trip, and a task that makes it. Here a
//! connection comes back only by the hand of whoever saw its statements end, so there is nothing to ask; one that
//! doesn't come back that way is closed.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, Postgres};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Conn, Pool, Result};

/// Connections besides those of the pool: a statement takes a millisecond, so these serve thousands a second.
const MOST: usize = 6;

/// How long ago a connection may have been at work to be taken at its word.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// How old a connection may get, as in the pool: whatever the server keeps for one is freed at last.
const LIFE: Duration = Duration::from_mins(30);

/// A few connections at hand. Where all are lent, the pool gives one of its own.
pub struct Kept {
    pool: Pool,
    at_hand: Mutex<Vec<Idle>>,
    free: Semaphore,
}

/// A connection at hand.
struct Idle {
    conn: Conn,
    born: Instant,
    /// Since when it has nothing to do.
    since: Instant,
}

/// A connection, until it is given back.
pub struct Lent<'a> {
    kept: &'a Kept,
    conn: Source<'a>,
}

enum Source<'a> {
    Kept(Conn, Instant, SemaphorePermit<'a>),
    Pooled(PoolConnection<Postgres>),
}

impl Kept {
    /// Connections like those of the pool.
    pub fn of(pool: Pool) -> Self {
        Self {
            pool,
            at_hand: Mutex::default(),
            free: Semaphore::new(MOST),
        }
    }

    /// Lends a connection.
    pub async fn lend(&self) -> Result<Lent<'_>> {
        let Ok(permit) = self.free.try_acquire() else {
            let conn = Source::Pooled(self.pool.acquire().await?);
            return Ok(Lent { kept: self, conn });
        };
        while let Some(Idle {
            mut conn,
            born,
            since,
        }) = self.last()
        {
            if since.elapsed() < TRUSTED_FOR || conn.ping().await.is_ok() {
                let conn = Source::Kept(conn, born, permit);
                return Ok(Lent { kept: self, conn });
            }
        }
        let conn = Source::Kept(self.made().await?, Instant::now(), permit);
        Ok(Lent { kept: self, conn })
    }

    /// Another connection. The few statements that run here look rows up by their keys: whatever they are given, the plan is
    /// the same, and making it anew each time would cost more than to run it.
    async fn made(&self) -> Result<Conn> {
        let mut in_the_pool = self.pool.size();
        loop {
            let mut conn = self.pool.acquire().await?.detach();
            let set = sqlx::query("set plan_cache_mode = force_generic_plan");
            match set.execute(&mut conn).await {
                Ok(_) => return Ok(conn),
                // It was lost while it lay in the pool; so may the others that lie there.
                Err(error) if super::lost(&error) && in_the_pool > 0 => in_the_pool -= 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Lends another connection in place of one that turned out to be lost, and one that is well: those at hand, and those
    /// that the pool trusts, may be lost with it.
    pub async fn instead(&self, lost: Lent<'_>) -> Result<Lent<'_>> {
        drop(lost);
        self.at_hand().clear();
        let mut lent = self.lend().await?;
        while lent.ping().await.is_err() {
            lent = self.lend().await?;
        }
        Ok(lent)
    }

    /// The one that was at work last: it is the most likely to be well, and those beyond need never be made.
    fn last(&self) -> Option<Idle> {
        let mut at_hand = self.at_hand();
        at_hand.retain(|idle| idle.born.elapsed() < LIFE);
        at_hand.pop()
    }

    fn at_hand(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.at_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lent<'_> {
    /// Gives it back. Only for one whose statements all ended, well or not, outside any transaction.
    pub fn give_back(self) {
        if let Source::Kept(conn, born, permit) = self.conn {
            let since = Instant::now();
            self.kept.at_hand().push(Idle { conn, born, since });
            drop(permit);
        }
    }
}

impl Deref for Lent<'_> {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        match &self.conn {
            Source::Kept(conn, ..) => conn,
            Source::Pooled(conn) => conn,
        }
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut Conn {
        match &mut self.conn {
            Source::Kept(conn, ..) => conn,
            Source::Pooled(conn) => conn,
        }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}
