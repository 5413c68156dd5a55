//! Who asks: a bearer token, or the browser's cookie with a check that the request came from our own pages.

pub(crate) mod cookie;
mod origin;
mod throttle;

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use domain::AccountId;
use vault::{Session, SessionToken};

use crate::error::{ApiError, general};
use crate::state::App;

pub(crate) use origin::{is_foreign, is_ours};
pub(crate) use throttle::Throttle;

const CHALLENGE: &str = "Bearer realm=\"EchoVerse\"";
const CHALLENGE_INVALID: &str = "Bearer realm=\"EchoVerse\", error=\"invalid_token\"";

/// The caller has a live session. As an extractor it refuses everybody else.
#[derive(Debug, Clone)]
pub(crate) struct Authenticated(Arc<Caller>);

#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) account: AccountId,
    pub(crate) session: Session,
    token: SessionToken,
}

impl Deref for Authenticated {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl Authenticated {
    /// Whether the session still stands: asked again where a revocation between two looks would go unnoticed.
    pub(crate) async fn still_valid(&self, app: &App) -> Result<(), ApiError> {
        match app.vault.authenticate(&self.token, app.clock.now()).await? {
            Some(_) => Ok(()),
            None => Err(ended()),
        }
    }
}

/// What a request's credentials amount to. Routes that need nobody ignore what is wrong with them.
#[derive(Debug, Clone)]
pub(crate) enum Identity {
    Nobody,
    Account(Authenticated),
    Refused(ApiError),
}

impl<S: Send + Sync> FromRequestParts<S> for Authenticated {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match parts.extensions.get::<Identity>() {
            Some(Identity::Account(caller)) => Ok(caller.clone()),
            Some(Identity::Refused(refusal)) => Err(refusal.clone()),
            Some(Identity::Nobody) | None => {
                let detail = "Log in first: this call needs a session.";
                Err(ApiError::new(general::UNAUTHENTICATED, detail).challenge(CHALLENGE))
            }
        }
    }
}

/// Who sends a request, or the token that has to be looked up for it.
pub(crate) enum Sender {
    Known(Identity),
    Token(SessionToken),
}

/// Finds out who sends a request, as far as that can be known without asking the vault's database.
pub(crate) fn recognise(app: &App, method: &Method, headers: &HeaderMap) -> Sender {
    let (token, by_cookie) = match credentials(app, headers) {
        Ok(Some(found)) => found,
        Ok(None) => return Sender::Known(Identity::Nobody),
        Err(refusal) => return Sender::Known(Identity::Refused(refusal)),
    };
    if by_cookie && !method.is_safe() && !is_ours(headers, &app.origin) {
        let detail = "A request with the session cookie must come from the server's own pages.";
        return Sender::Known(Identity::Refused(ApiError::new(general::CROSS_SITE, detail)));
    }
    match app.vault.authenticate_from_memory(&token, app.clock.now()) {
        Some(session) => Sender::Known(account(session, token)),
        None => Sender::Token(token),
    }
}

/// Looks up whose token it is.
pub(crate) async fn identify(app: &App, token: SessionToken) -> Identity {
    match app.vault.authenticate(&token, app.clock.now()).await {
        Ok(Some(session)) => account(session, token),
        Ok(None) => Identity::Refused(ended()),
        Err(error) => Identity::Refused(error.into()),
    }
}

fn account(session: Session, token: SessionToken) -> Identity {
    let account = AccountId(session.account);
    Identity::Account(Authenticated(Arc::new(Caller { account, session, token })))
}

/// The token of a request, and whether it came as a cookie. The header wins.
fn credentials(app: &App, headers: &HeaderMap) -> Result<Option<(SessionToken, bool)>, ApiError> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| SessionToken::parse(token.trim()))?
        });
        return token.map(|token| Some((token, false))).ok_or_else(ended);
    }
    match cookie::token(headers, &app.origin) {
        Some(text) => SessionToken::parse(&text).map(|token| Some((token, true))).ok_or_else(ended),
        None => Ok(None),
    }
}

/// The session was there, and is no more.
pub(crate) fn ended() -> ApiError {
    let detail = "This session is unknown or has ended. Log in again.";
    ApiError::new(general::SESSION_INVALID, detail).challenge(CHALLENGE_INVALID)
}
