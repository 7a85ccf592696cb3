//! User administration, for administrators. A plain form is redirected back to its page.

use leptos::prelude::*;
use server_fn::codec::Json;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, PasswordReset, People, Person, PersonChange, SignInId, UserId};

endpoint!(LoadPeople, Administrator);

/// Returns the users whose name or address contains `search`, by name, from `cursor` on, and the rest of the page's
/// data.
#[server(prefix = "/api", endpoint = "load_people", input = Json)]
pub async fn load_people(
    #[server(default)] search: String,
    #[server(default)] cursor: Option<String>,
) -> Result<People, AppError> {
    let context = RequestContext::of::<LoadPeople>().await?;
    let new_link = context.take_one_time_link("/sign-up?");
    let actor = context.actor()?;
    let people = context.to_app_error(context.state.people.people(&actor, &search, cursor.as_deref()).await)?;
    Ok(People { new_link, ..people })
}

endpoint!(LoadPerson, Administrator);

/// Returns one user with their sessions.
#[server(prefix = "/api", endpoint = "load_person", input = Json)]
pub async fn load_person(user: UserId) -> Result<Person, AppError> {
    let context = RequestContext::of::<LoadPerson>().await?;
    let new_link = context.take_one_time_link("/reset-password?");
    let actor = context.actor()?;
    let person = context.to_app_error(context.state.people.find_person(&actor, user).await)?;
    Ok(Person { new_link, ..person })
}

endpoint!(ChangePerson, RecentlyAuthenticatedAdministrator);

/// Changes a user's account. Administrators who remove their own rights must set `confirmed`.
#[server(prefix = "/api", endpoint = "change_person")]
pub async fn change_person(
    user: UserId,
    change: PersonChange,
    #[server(default)] confirmed: Option<String>,
) -> Result<PersonChange, AppError> {
    let context = RequestContext::of::<ChangePerson>().await?;
    let actor = context.actor()?;
    context.to_app_error(context.state.people.change_person(&actor, user, change, confirmed.is_some()).await)?;
    context.redirect_plain_form(&format!("/people/{user}?done={}#{}", change.name(), change.section()));
    Ok(change)
}

endpoint!(EndSignInOf, RecentlyAuthenticatedAdministrator);

/// Ends one session of a user.
#[server(prefix = "/api", endpoint = "end_sign_in_of")]
pub async fn end_sign_in_of(user: UserId, sign_in: SignInId) -> Result<(), AppError> {
    let context = RequestContext::of::<EndSignInOf>().await?;
    let actor = context.actor()?;
    context.to_app_error(context.state.people.end_sign_in_of(&actor, user, sign_in).await)?;
    context.redirect_plain_form(&format!("/people/{user}?done=ended#sign-ins"));
    Ok(())
}

endpoint!(StartReset, RecentlyAuthenticatedAdministrator);

/// Starts a password reset for a user. Only the owner of the account can set the new password.
#[server(prefix = "/api", endpoint = "start_reset")]
pub async fn start_reset(user: UserId) -> Result<PasswordReset, AppError> {
    let context = RequestContext::of::<StartReset>().await?;
    let actor = context.actor()?;
    let reset = context.to_app_error(context.state.people.start_reset(&actor, user).await)?;
    if let PasswordReset::Link(link) = &reset {
        context.set_one_time_link(link);
    }
    context.redirect_plain_form(&format!(
        "/people/{user}?done={}#reset",
        if reset == PasswordReset::Mailed { "mailed" } else { "reset" }
    ));
    Ok(reset)
}

endpoint!(RefuseFactorRemoval, Person);

/// Cancels the removal of the caller's second factors: they were not lost.
#[server(prefix = "/api", endpoint = "refuse_factor_removal")]
pub async fn refuse_factor_removal() -> Result<(), AppError> {
    let context = RequestContext::of::<RefuseFactorRemoval>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.people.refuse_factor_removal(caller, context.meta()).await)
}
