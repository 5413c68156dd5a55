//! Accounts: registering, one's own profile, others' profiles.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use commands::Register;
use domain::AccountId;
use domain::account::{About, AccountError, DisplayName, Email, Handle, ProfileChange};
use jiff::Timestamp;
use projections::AccountRow;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Authenticated;
use crate::cursor::Cursor;
use crate::error::{ApiError, codes};
use crate::extract::{
    CaughtUp, Command, Fault, Fields, FromFields, Ids, Opening, parse, wait_until_readable,
};
use crate::state::{App, AppState};

codes! {
    UNKNOWN = NOT_FOUND "account_not_found" "No such account";
    HANDLE_TAKEN = CONFLICT "handle_taken" "Handle taken";
    EMAIL_TAKEN = CONFLICT "email_taken" "E-mail address taken";
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        let code = match error {
            AccountError::Unknown => UNKNOWN,
            AccountError::HandleTaken => HANDLE_TAKEN,
            AccountError::EmailTaken => EMAIL_TAKEN,
        };
        Self::told(code, error)
    }
}

/// A person or a bot.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Account {
    #[schema(value_type = Uuid)]
    id: AccountId,
    /// Null when the account was erased.
    #[schema(example = "ada")]
    handle: Option<String>,
    /// Null when the account was erased.
    #[schema(example = "Ada Lovelace")]
    display_name: Option<String>,
    /// A few words about oneself; empty: none.
    about: String,
    /// Where its picture is. Null: it has none; nobody has one until the server keeps files.
    #[schema(value_type = Option<String>, format = "uri")]
    picture_url: Option<String>,
    /// Whether this account runs the server.
    administrator: bool,
    created_at: Timestamp,
}

/// One's own account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnAccount {
    #[serde(flatten)]
    account: Account,
    /// Null when the account was erased.
    #[schema(example = "ada@example.org")]
    email: Option<String>,
}

impl From<AccountRow> for Account {
    fn from(row: AccountRow) -> Self {
        let AccountRow { id, handle, display_name, about, administrator, created_at } = row;
        let picture_url = None;
        Self { id, handle, display_name, about, picture_url, administrator, created_at }
    }
}

impl From<projections::OwnAccount> for OwnAccount {
    fn from(own: projections::OwnAccount) -> Self {
        Self { account: own.account.into(), email: own.email }
    }
}

/// An account and the position from which on it is visible.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountAnswer {
    account: OwnAccount,
    position: Cursor,
}

/// Who wants an account.
#[derive(ToSchema)]
pub(crate) struct NewAccount {
    /// A unique name: letters a to z, digits, and single `.` `_` `-` between them.
    #[schema(value_type = String, min_length = 2, max_length = 32, example = "ada")]
    handle: Handle,
    #[schema(value_type = String, format = "email", max_length = 254, example = "ada@example.org")]
    email: Email,
    #[schema(min_length = 8, max_length = 256, format = "password", example = "correct horse battery")]
    password: String,
    /// The handle, if left out.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "Ada Lovelace")]
    display_name: Option<DisplayName>,
}

impl FromFields for NewAccount {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let handle = fields.required("handle", parse::text(Handle::parse));
        let email = fields.required("email", parse::text(Email::parse));
        let password = fields.required("password", password);
        let display_name = fields.optional("display_name", parse::text(DisplayName::parse));
        Some(Self { handle: handle?, email: email?, password: password?, display_name: display_name? })
    }
}

/// What changes about oneself; what is left out or null stays.
#[derive(ToSchema)]
pub(crate) struct ChangeProfile {
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "Ada")]
    display_name: Option<DisplayName>,
    #[schema(value_type = Option<String>, max_length = 500, example = "I count.")]
    about: Option<About>,
}

impl FromFields for ChangeProfile {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let display_name = fields.optional("display_name", parse::text(DisplayName::parse));
        let about = fields.optional("about", parse::text(About::parse));
        Some(Self { display_name: display_name?, about: about? })
    }
}

/// The fewest and most characters of a password.
pub(crate) const PASSWORD_MIN: usize = 8;
pub(crate) const PASSWORD_MAX: usize = 256;

/// A password of a fitting length; nothing else is asked of it.
pub(crate) fn password(value: serde_json::Value) -> Result<String, Fault> {
    let text = parse::string(value)?;
    match text.chars().count() {
        count if count < PASSWORD_MIN => {
            Err(Fault::new("too_short", format!("must have at least {PASSWORD_MIN} characters, has {count}")))
        }
        count if count > PASSWORD_MAX => {
            Err(Fault::new("too_long", format!("must have at most {PASSWORD_MAX} characters, has {count}")))
        }
        _ => Ok(text),
    }
}

/// Register an account.
///
/// The first account of a server becomes its administrator. A new account lands in the default community, if the server
/// has one.
#[utoipa::path(
    post, path = "/accounts", operation_id = "registerAccount", tag = "account",
    request_body = NewAccount,
    responses(
        (status = 201, description = "Registered", body = AccountAnswer),
        (status = 409, description = "`handle_taken`, `email_taken`"),
    ),
    security(()),
)]
pub(crate) async fn register_account(
    State(app): State<AppState>,
    Opening { context, body }: Opening<NewAccount>,
) -> Result<(StatusCode, Json<AccountAnswer>), ApiError> {
    let NewAccount { handle, email, password, display_name } = body;
    let named_by_handle = DisplayName::parse(handle.as_str());
    let display_name = match display_name {
        Some(name) => name,
        None => named_by_handle.map_err(ApiError::internal)?,
    };
    let done = app.commands.register(&context, Register { handle, display_name, email, password }).await?;
    wait_until_readable(&app, done.position).await?;
    let answer =
        AccountAnswer { account: own(&app, done.made).await?, position: app.cursors.seal(done.position) };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Show your own account.
#[utoipa::path(
    get, path = "/me", operation_id = "showMe", tag = "account",
    responses((status = 200, description = "Your account", body = OwnAccount)),
)]
pub(crate) async fn show_me(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
) -> Result<Json<OwnAccount>, ApiError> {
    own(&app, caller.account).await.map(Json)
}

/// Change your profile.
#[utoipa::path(
    patch, path = "/me", operation_id = "changeProfile", tag = "account",
    request_body = ChangeProfile,
    responses((status = 200, description = "Changed", body = AccountAnswer)),
)]
pub(crate) async fn change_profile(
    State(app): State<AppState>,
    Command { context, caller, body }: Command<ChangeProfile>,
) -> Result<Json<AccountAnswer>, ApiError> {
    let ChangeProfile { display_name, about } = body;
    let done = app.commands.change_profile(&context, ProfileChange { display_name, about }).await?;
    wait_until_readable(&app, done.position).await?;
    let account = own(&app, caller.account).await?;
    Ok(Json(AccountAnswer { account, position: app.cursors.seal(done.position) }))
}

/// Show an account that shares a community with you.
#[utoipa::path(
    get, path = "/accounts/{id}", operation_id = "showAccount", tag = "account",
    params(("id" = Uuid, Path, description = "The account")),
    responses(
        (status = 200, description = "The account", body = Account),
        (status = 404, description = "`account_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn show_account(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<AccountId>,
) -> Result<Json<Account>, ApiError> {
    let account = app.read.visible_account(caller.account, id).await?;
    let account = account.ok_or_else(|| ApiError::from(AccountError::Unknown))?;
    Ok(Json(account.into()))
}

/// An account that exists: when it cannot be read, the read model is behind.
pub(crate) async fn own(app: &App, id: AccountId) -> Result<OwnAccount, ApiError> {
    app.read.account(id).await?.map(OwnAccount::from).ok_or_else(ApiError::not_caught_up)
}
