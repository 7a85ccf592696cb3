//! People, for administrators. A plain form is led back to the page that it was on.

use leptos::prelude::*;
use server_fn::codec::Json;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, People, Person, PersonChange, Reset, SignInId, UserId};

endpoint!(LoadPeople, Administrator);

/// The people whose name or address contains `search`, by name, from `cursor` on, and what else their page shows.
#[server(prefix = "/api", endpoint = "load_people", input = Json)]
pub async fn load_people(
    #[server(default)] search: String,
    #[server(default)] cursor: Option<String>,
) -> Result<People, AppError> {
    let context = RequestContext::of::<LoadPeople>().await?;
    let new_link = context.shown_once("/sign-up?");
    let by = context.actor()?;
    let people = context.to_app_error(context.state.people.people(&by, &search, cursor.as_deref()).await)?;
    Ok(People { new_link, ..people })
}

endpoint!(LoadPerson, Administrator);

/// One person, with their sign-ins.
#[server(prefix = "/api", endpoint = "load_person", input = Json)]
pub async fn load_person(user: UserId) -> Result<Person, AppError> {
    let context = RequestContext::of::<LoadPerson>().await?;
    let new_link = context.shown_once("/reset-password?");
    let by = context.actor()?;
    let person = context.to_app_error(context.state.people.find_person(&by, user).await)?;
    Ok(Person { new_link, ..person })
}

endpoint!(ChangePerson, RecentlyAuthenticatedAdministrator);

/// Does one thing with somebody's account. Whoever takes their own rights away says `confirmed`.
#[server(prefix = "/api", endpoint = "change_person")]
pub async fn change_person(
    user: UserId,
    change: PersonChange,
    #[server(default)] confirmed: Option<String>,
) -> Result<PersonChange, AppError> {
    let context = RequestContext::of::<ChangePerson>().await?;
    let by = context.actor()?;
    context.to_app_error(context.state.people.change_person(&by, user, change, confirmed.is_some()).await)?;
    context.lead_to(&format!("/people/{user}?done={}#{}", change.name(), change.part()));
    Ok(change)
}

endpoint!(EndSignInOf, RecentlyAuthenticatedAdministrator);

/// Ends one sign-in of somebody.
#[server(prefix = "/api", endpoint = "end_sign_in_of")]
pub async fn end_sign_in_of(user: UserId, sign_in: SignInId) -> Result<(), AppError> {
    let context = RequestContext::of::<EndSignInOf>().await?;
    let by = context.actor()?;
    context.to_app_error(context.state.people.end_sign_in_of(&by, user, sign_in).await)?;
    context.lead_to(&format!("/people/{user}?done=ended#sign-ins"));
    Ok(())
}

endpoint!(StartReset, RecentlyAuthenticatedAdministrator);

/// Begins a reset of somebody's password. Nobody but its owner chooses the new one.
#[server(prefix = "/api", endpoint = "start_reset")]
pub async fn start_reset(user: UserId) -> Result<Reset, AppError> {
    let context = RequestContext::of::<StartReset>().await?;
    let by = context.actor()?;
    let reset = context.to_app_error(context.state.people.start_reset(&by, user).await)?;
    if let Reset::Link(link) = &reset {
        context.show_once(link);
    }
    context.lead_to(&format!("/people/{user}?done={}#reset", if reset == Reset::Mailed { "mailed" } else { "reset" }));
    Ok(reset)
}

endpoint!(RefuseFactorRemoval, Person);

/// The caller has not lost their second factors: they stay.
#[server(prefix = "/api", endpoint = "refuse_factor_removal")]
pub async fn refuse_factor_removal() -> Result<(), AppError> {
    let context = RequestContext::of::<RefuseFactorRemoval>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.people.refuse_factor_removal(caller, context.meta()).await)
}
