//! `echoverse chat`: a client in the terminal, which speaks to any server by its REST API.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use client::chat::ChatOptions;

#[derive(Args)]
pub(crate) struct Chat {
    /// The server to talk to
    #[arg(long, env = "ECHOVERSE_SERVER", default_value = "http://127.0.0.1:8080")]
    server: String,
    /// Handle or e-mail address; left out, the last session goes on
    #[arg(long)]
    login: Option<String>,
    /// Password; asked for where it is needed
    #[arg(long, env = "ECHOVERSE_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Make an account first
    #[arg(long)]
    register: bool,
    /// E-mail address of the new account
    #[arg(long, requires = "register")]
    email: Option<String>,
    /// An invite's code to redeem at the start
    #[arg(long)]
    join: Option<String>,
    /// The channel to begin in
    #[arg(long)]
    channel: Option<String>,
    /// Directory in which tokens are kept
    #[arg(long)]
    config: Option<PathBuf>,
}

impl Chat {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self { server, login, password, register, email, join, channel, config } = self;
        let password = password.map(client::Secret::from);
        let options = ChatOptions { server, login, password, register, email, join, channel, config };
        client::chat::run(options).await.context("the chat ended")
    }
}
