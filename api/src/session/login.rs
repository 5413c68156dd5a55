//! Logging in.

use std::time::Instant;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, http::HeaderValue};
use domain::AccountId;
use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vault::{CredentialError, NewSession};

use super::{LOGIN_FAILED, Session, TOO_MANY_ATTEMPTS, device};
use crate::account::{self, OwnAccount};
use crate::auth::{cookie, is_foreign};
use crate::edge::ClientAddress;
use crate::error::{ApiError, general};
use crate::extract::{Fault, Fields, FromFields, Opening, parse};
use crate::state::{App, AppState};

/// How long a session lives.
const LIFETIME: SignedDuration = SignedDuration::from_hours(90 * 24);
/// The namespace of command ids that are made of idempotency keys.
const COMMANDS: Uuid = Uuid::from_u128(0x2c0b_53f4_6f5e_5a0e_8d8e_1f64_09d1_5e55);

/// The longest login, and the longest name of a device.
const LOGIN_MAX: usize = 254;
const DEVICE_MAX: usize = 100;

/// Who logs in.
#[derive(ToSchema)]
pub(crate) struct NewLogin {
    /// A handle or an e-mail address.
    #[schema(min_length = 1, max_length = 254, example = "ada")]
    login: String,
    #[schema(max_length = 256, format = "password", example = "correct horse battery")]
    password: String,
    /// What you call this device. Left out: what the User-Agent says, in short.
    #[schema(nullable, min_length = 1, max_length = 100, example = "Ada's laptop")]
    device: Option<String>,
    /// Set the session cookie instead of answering a token; for browsers.
    #[schema(value_type = Option<bool>, default = false)]
    cookie: bool,
}

impl FromFields for NewLogin {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let login = fields.required("login", within(1, LOGIN_MAX));
        // A password that cannot be anybody's is wrong, not invalid; a limit keeps the hashing short.
        let password = fields.required("password", within(0, account::PASSWORD_MAX));
        let device = fields.optional("device", within(1, DEVICE_MAX));
        let cookie = fields.optional("cookie", parse::boolean);
        Some(Self { login: login?, password: password?, device: device?, cookie: cookie?.unwrap_or(false) })
    }
}

fn within(min: usize, max: usize) -> impl FnOnce(serde_json::Value) -> Result<String, Fault> {
    move |value| {
        let text = parse::string(value)?;
        match text.chars().count() {
            count if count < min => Err(Fault::new("empty", "must not be empty")),
            count if count > max => {
                Err(Fault::new("too_long", format!("must have at most {max} characters, has {count}")))
            }
            _ => Ok(text),
        }
    }
}

/// A session has begun.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoggedIn {
    /// Send it as `Authorization: Bearer TOKEN`, and keep it secret. Null when a cookie was asked for.
    #[schema(example = "ev_…")]
    token: Option<String>,
    account: OwnAccount,
    session: Session,
}

/// Log in.
///
/// A wrong login and a wrong password look alike; wrong ones slow down.
#[utoipa::path(
    post, path = "/sessions", operation_id = "logIn", tag = "session",
    request_body = NewLogin,
    responses(
        (status = 201, description = "Logged in", body = LoggedIn),
        (status = 401, description = "`login_failed`"),
        (status = 403, description = "`cross_site`: a cookie was asked for by another site"),
        (status = 429, description = "`too_many_attempts`"),
    ),
    security(()),
)]
pub(crate) async fn log_in(
    State(app): State<AppState>,
    address: ClientAddress,
    headers: HeaderMap,
    Opening { context, body }: Opening<NewLogin>,
) -> Result<Response, ApiError> {
    let NewLogin { login, password, device, cookie } = body;
    if cookie && is_foreign(&headers, &app.origin) {
        return Err(ApiError::new(general::CROSS_SITE, "Another site may not log you in."));
    }
    let account = check(&app, &login, &password, address).await?;
    let now = app.clock.now();
    let new = NewSession {
        id: app.ids.id(),
        account: account.0,
        device: device.or_else(|| device::from_user_agent(&headers)),
        command: context
            .key
            .as_deref()
            .map(|key| Uuid::new_v5(&COMMANDS, &[&context.request_hash[..], key.as_bytes()].concat())),
        lifetime: LIFETIME,
    };
    let (token, session) = app.vault.create_session(new, now).await?;
    let id = session.id;
    let lifetime = now.duration_until(session.expires_at);
    let answer = LoggedIn {
        token: (!cookie).then(|| token.as_str().to_owned()),
        account: account::own(&app, account).await?,
        session: Session::of(session, id),
    };
    let mut response = (StatusCode::CREATED, Json(answer)).into_response();
    if cookie {
        let value: HeaderValue = cookie::set(&app.origin, &token, lifetime);
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(response)
}

/// The account that `login` and `password` belong to.
async fn check(
    app: &App,
    login: &str,
    password: &str,
    address: ClientAddress,
) -> Result<AccountId, ApiError> {
    let digest = app.vault.digest("login throttle", &login.trim().to_lowercase());
    throttled(app, digest, address)?;
    let account = app.commands.account_by_login(login).await?;
    if app.vault.verify_password(account.map(|id| id.0), password).await?
        && let Some(account) = account
    {
        app.throttle.right(digest, address.0);
        return Ok(account);
    }
    app.throttle.wrong(digest, address.0, Instant::now());
    let challenge = "Bearer realm=\"EchoVerse\"";
    Err(ApiError::new(LOGIN_FAILED, "Wrong login or password.").challenge(challenge))
}

/// Refuses while earlier wrong passwords for `subject` make it wait.
pub(super) fn throttled(app: &App, subject: [u8; 32], address: ClientAddress) -> Result<(), ApiError> {
    match app.throttle.wait(subject, address.0, Instant::now()) {
        None => Ok(()),
        Some(wait) => {
            let detail = "There were too many wrong passwords. Wait as long as Retry-After says.";
            Err(ApiError::new(TOO_MANY_ATTEMPTS, detail).retry_after(wait))
        }
    }
}

impl From<CredentialError> for ApiError {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Busy => Self::busy(),
            CredentialError::Unavailable(source) => source.into(),
        }
    }
}
