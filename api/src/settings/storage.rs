//! Where data and keys are kept.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Storage")]
pub struct Storage {
    /// Directory of the server's own files
    #[arg(long, env = "ECHOVERSE_DATA", default_value = "./data")]
    pub data: PathBuf,
    /// Postgres to use; without it a private one runs in the data directory
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// File of the master key, made on first start [default: <DATA>/keys/master.key]
    #[arg(long, env = "ECHOVERSE_MASTER_KEY_FILE")]
    pub master_key_file: Option<PathBuf>,
    /// Most connections to Postgres at once
    #[arg(long, env = "ECHOVERSE_DATABASE_CONNECTIONS", default_value_t = 16)]
    pub database_connections: usize,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            data: PathBuf::from("./data"),
            database_url: None,
            master_key_file: None,
            database_connections: 16,
        }
    }
}

impl Storage {
    /// The file of the master key.
    pub fn master_key_path(&self) -> PathBuf {
        self.master_key_file.clone().unwrap_or_else(|| self.data.join("keys").join("master.key"))
    }

    /// The Postgres that the operator has named. An empty variable names none.
    pub fn configured_url(&self) -> Option<&str> {
        self.database_url.as_deref().filter(|url| !url.trim().is_empty())
    }
}
