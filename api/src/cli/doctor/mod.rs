//! `echoverse doctor`: what is wrong, and how to mend it.

mod database;
mod machine;

use std::process::ExitCode;

use api::settings::ServerConfig;
use clap::Args;

#[derive(Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    config: ServerConfig,
}

/// What one check has found.
pub(super) enum Finding {
    Fine(String),
    /// Works, but will not for ever, or not as well as it could.
    Doubtful {
        what: String,
        mend: String,
    },
    Wrong {
        what: String,
        mend: String,
    },
}

impl Finding {
    fn wrong(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Wrong { what: what.into(), mend: mend.into() }
    }

    fn doubtful(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Doubtful { what: what.into(), mend: mend.into() }
    }
}

impl Doctor {
    #[expect(clippy::print_stdout, reason = "the findings are this program's result")]
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let mut findings = vec![
            ("settings", machine::settings(&self.config)),
            ("listening", machine::port(&self.config.network)),
            ("open files", machine::open_files(&self.config.network)),
            ("data", machine::data(&self.config.storage)),
            ("master key", machine::master_key(&self.config.storage)),
        ];
        findings.extend(database::check(&self.config.storage).await);
        let mut wrong = 0;
        for (name, finding) in &findings {
            match finding {
                Finding::Fine(what) => println!("ok     {name}: {what}"),
                Finding::Doubtful { what, mend } => println!("doubt  {name}: {what}\n       {mend}"),
                Finding::Wrong { what, mend } => {
                    wrong += 1;
                    println!("WRONG  {name}: {what}\n       {mend}");
                }
            }
        }
        Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
