//! Postgres: its version, what idp may do there, and whether the tables are this release's.

use super::Check;
use crate::boot::config::{self, Config};
use crate::boot::database::Database;
use crate::boot::postgres::{self, Report};
use crate::boot::problem::Problem;
use crate::boot::schema::{self, Rights, State};

const POSTGRES: &str = "postgres";
const SCHEMA: &str = "tables";

pub(super) async fn checks(config: &Config, report: Report<'_>) -> Vec<Check> {
    if let config::Database::Managed(settings) = &config.database
        && !postgres::is_made(&settings.data_dir)
    {
        let says = "idp runs its own, made at the first start";
        return vec![Check::ok(POSTGRES, says)];
    }
    match facts(config, report).await {
        Ok(facts) => judge(&facts),
        Err(problem) => vec![Check::problem(POSTGRES, &problem)],
    }
}

/// What is known of the database.
struct Facts {
    managed: bool,
    rights: Rights,
    state: State,
}

async fn facts(config: &Config, report: Report<'_>) -> Result<Facts, Problem> {
    let database = Database::open(config, report).await?;
    let asked = async {
        let pool = database.pool(1).await?;
        let facts = Facts {
            managed: database.is_managed(),
            rights: schema::rights(&pool).await?,
            state: schema::state(&pool).await?,
        };
        pool.close().await;
        Ok(facts)
    };
    let facts = asked.await;
    database.close().await?;
    facts
}

fn judge(facts: &Facts) -> Vec<Check> {
    let version = &facts.rights.version;
    let whose = if facts.managed { "idp's own" } else { "yours" };
    let mut checks = vec![Check::ok(POSTGRES, format!("version {version}, {whose}"))];
    let wanted = !matches!(facts.state, State::Current);
    if wanted && !facts.rights.may_create {
        checks.push(
            Check::fail(
                POSTGRES,
                format!("{} may not make tables here", facts.rights.user),
            )
            .fix(format!(
                "grant create on database {0} to {1}; grant create on schema public to {1};",
                facts.rights.database, facts.rights.user
            )),
        );
    }
    checks.push(match facts.state {
        State::Current => Check::ok(
            SCHEMA,
            format!("of release {}, this one's", schema::RELEASE),
        ),
        State::Empty | State::Older { .. } if facts.managed => {
            Check::ok(SCHEMA, "brought to this release at the next start")
        }
        State::Empty => Check::fail(SCHEMA, "the database is empty").fix("run `idp migrate`"),
        State::Older { missing } => Check::fail(
            SCHEMA,
            format!("older than this release: {missing} of its migrations missing"),
        )
        .fix("run `idp migrate`; replicas of the release before this one may go on meanwhile"),
        State::Newer { oldest } => Check::fail(
            SCHEMA,
            format!("moved on: they need release {oldest} of idp or newer"),
        )
        .fix("upgrade this replica"),
    });
    checks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::doctor;

    fn fails(managed: bool, may_create: bool, state: State) -> Vec<&'static str> {
        let rights = Rights {
            version: "17.2".to_owned(),
            user: "idp".to_owned(),
            database: "idp".to_owned(),
            may_create,
        };
        let checks = judge(&Facts {
            managed,
            rights,
            state,
        });
        let failed = checks.iter().filter(|c| c.state == doctor::State::Fail);
        failed.map(|c| c.topic).collect()
    }

    #[test]
    fn rights_matter_while_there_is_something_to_make() {
        assert_eq!(fails(false, false, State::Current), [""; 0]);
        assert_eq!(fails(false, false, State::Empty), [POSTGRES, SCHEMA]);
        assert_eq!(fails(false, true, State::Older { missing: 1 }), [SCHEMA]);
        assert_eq!(fails(true, true, State::Older { missing: 1 }), [""; 0]);
        assert_eq!(fails(false, true, State::Newer { oldest: 2 }), [SCHEMA]);
    }
}
