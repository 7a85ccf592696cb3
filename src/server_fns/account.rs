//! Coming in and going out.

use leptos::prelude::*;
use server_fn::codec::Json;

use crate::domain::{AppError, CurrentUser, PasswordRating, SignUpPolicy};

/// Who is signed in; `None` for a stranger.
#[server(prefix = "/api", endpoint = "find_current_user")]
pub async fn find_current_user() -> Result<Option<CurrentUser>, AppError> {
    todo!()
}

/// Whether a stranger can make an account now.
#[server(prefix = "/api", endpoint = "find_sign_up_policy")]
pub async fn find_sign_up_policy() -> Result<SignUpPolicy, AppError> {
    todo!()
}

/// Makes an account, signs it in and goes to the new chat.
#[server(prefix = "/api", endpoint = "sign_up")]
pub async fn sign_up(email: String, name: String, password: String, #[server(default)] remember: Option<String>) -> Result<(), AppError> {
    todo!()
}

/// Signs in and goes to `next`, which must be a path of this site, or to the new chat.
#[server(prefix = "/api", endpoint = "sign_in")]
pub async fn sign_in(email: String, password: String, #[server(default)] remember: Option<String>, #[server(default)] next: Option<String>) -> Result<(), AppError> {
    todo!()
}

/// Ends this sign-in and goes to the sign-in page.
#[server(prefix = "/api", endpoint = "sign_out")]
pub async fn sign_out() -> Result<(), AppError> {
    todo!()
}

/// Rates a password while it is typed.
#[server(prefix = "/api", endpoint = "rate_password", input = Json)]
pub async fn rate_password(email: String, name: String, password: String) -> Result<PasswordRating, AppError> {
    todo!()
}
