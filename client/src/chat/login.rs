//! Becoming somebody: by the token of the last time, by a password, or by a new account.

use std::path::PathBuf;

use super::screen::Screen;
use super::token_file::{self, Kept};
use super::{ChatError, ChatOptions};
use crate::account::NewAccount;
use crate::client::Client;
use crate::error::Error;
use crate::session::NewSession;

/// How often a person may mistype a password.
const TRIES: u32 = 3;

/// A client with a session.
pub(super) async fn log_in(
    anonymous: &Client,
    options: &ChatOptions,
    screen: &mut Screen,
) -> Result<Client, ChatError> {
    if !options.register
        && options.password.is_none()
        && let Some(client) = resume(anonymous, options).await?
    {
        return Ok(client);
    }
    let login = match &options.login {
        Some(login) => login.clone(),
        None if options.register => ask(screen, "New handle", false).await?,
        None => ask(screen, "Handle or e-mail", false).await?,
    };
    let email = match &options.email {
        Some(email) => email.clone(),
        None if options.register => ask(screen, "E-mail", false).await?,
        None => String::new(),
    };
    let tries = if screen.person && options.password.is_none() { TRIES } else { 1 };
    let mut attempt = 0;
    loop {
        attempt += 1;
        let password = match &options.password {
            Some(password) => password.clone(),
            None => ask(screen, "Password", true).await?.into(),
        };
        let session = NewSession { login: login.clone(), password: password.clone(), device: Some(device()) };
        let outcome = if options.register {
            let account =
                NewAccount { handle: login.clone(), email: email.clone(), password, display_name: None };
            match anonymous.register(&account).await {
                Ok(_) => anonymous.log_in(&session).await,
                Err(error) => Err(error),
            }
        } else {
            anonymous.log_in(&session).await
        };
        match outcome {
            Ok(log_in) => {
                let token =
                    log_in.token.ok_or_else(|| ChatError::Client(Error::Decode("no token".to_owned())))?;
                if let Some(path) = path(anonymous, options) {
                    let kept = Kept { handle: log_in.account.handle, token: token.clone() };
                    token_file::write(&path, &kept).map_err(ChatError::TokenFile)?;
                }
                return Ok(anonymous.with_token(token));
            }
            Err(error) if attempt < tries && matches!(error, Error::Problem(_)) => {
                screen.line(explain(&error)).await;
            }
            Err(error) => return Err(ChatError::Client(error)),
        }
    }
}

/// Drops the kept token, which is of no use any more.
pub(super) fn forget(client: &Client, options: &ChatOptions) {
    if let Some(path) = path(client, options) {
        token_file::remove(&path);
    }
}

/// A refusal with its fields, for people.
pub(super) fn explain(error: &Error) -> String {
    let Error::Problem(problem) = error else { return error.explain() };
    let mut text = problem.detail.clone();
    for field in &problem.errors {
        text.push_str("\n  ");
        text.push_str(field.pointer.trim_start_matches('/'));
        text.push(' ');
        text.push_str(&field.detail);
    }
    super::harmless::harmless(&text)
}

async fn resume(anonymous: &Client, options: &ChatOptions) -> Result<Option<Client>, ChatError> {
    let Some(path) = path(anonymous, options) else { return Ok(None) };
    let Some(kept) = token_file::read(&path) else { return Ok(None) };
    if options.login.as_ref().is_some_and(|login| !login.eq_ignore_ascii_case(&kept.handle)) {
        return Ok(None);
    }
    let client = anonymous.with_token(kept.token);
    match client.me().await {
        Ok(_) => Ok(Some(client)),
        Err(error) if error.status() == Some(401) => {
            token_file::remove(&path);
            Ok(None)
        }
        Err(error) => Err(ChatError::Client(error)),
    }
}

fn path(client: &Client, options: &ChatOptions) -> Option<PathBuf> {
    let config = options.config.clone().or_else(token_file::config_dir)?;
    Some(token_file::path(&config, client.base()))
}

/// What the list of sessions shows.
fn device() -> String {
    format!("echoverse chat on {}", std::env::consts::OS)
}

async fn ask(screen: &mut Screen, question: &'static str, hidden: bool) -> Result<String, ChatError> {
    screen.ask(question, hidden).await.ok_or(ChatError::NotTyped(question))
}
