//! People, for administrators. A plain form is led back to the page that it was on.

use leptos::prelude::*;
use server_fn::codec::Json;

use crate::domain::{AppError, People, Person, PersonChange, Reset, SignInId, UserId};

/// The people whose name or address contains `search`, by name, from `cursor` on, and what else their page shows.
#[server(prefix = "/api", endpoint = "load_people", input = Json)]
pub async fn load_people(
    #[server(default)] search: String,
    #[server(default)] cursor: Option<String>,
) -> Result<People, AppError> {
    let door = super::door::Door::open()?;
    let (caller, meta) = (door.administrator().await?, door.meta());
    let new_link = door.shown_once("/sign-up?");
    let by = crate::server::people::Actor::administrator(&caller, &meta);
    let people = door.answer(door.state.people.people(&by, &search, cursor.as_deref()).await)?;
    Ok(People { new_link, ..people })
}

/// One person, with their sign-ins.
#[server(prefix = "/api", endpoint = "load_person", input = Json)]
pub async fn load_person(user: UserId) -> Result<Person, AppError> {
    let door = super::door::Door::open()?;
    let (caller, meta) = (door.administrator().await?, door.meta());
    let new_link = door.shown_once("/reset-password?");
    let by = crate::server::people::Actor::administrator(&caller, &meta);
    let person = door.answer(door.state.people.find_person(&by, user).await)?;
    Ok(Person { new_link, ..person })
}

/// Does one thing with somebody's account. Whoever takes their own rights away says `confirmed`.
#[server(prefix = "/api", endpoint = "change_person")]
pub async fn change_person(
    user: UserId,
    change: PersonChange,
    #[server(default)] confirmed: Option<String>,
) -> Result<PersonChange, AppError> {
    let door = super::door::Door::open()?;
    let (caller, meta) = (door.fresh_administrator().await?, door.meta());
    let by = crate::server::people::Actor::administrator(&caller, &meta);
    door.answer(door.state.people.change_person(&by, user, change, confirmed.is_some()).await)?;
    door.lead_to(&format!("/people/{user}?done={}#{}", change.name(), change.part()));
    Ok(change)
}

/// Ends one sign-in of somebody.
#[server(prefix = "/api", endpoint = "end_sign_in_of")]
pub async fn end_sign_in_of(user: UserId, sign_in: SignInId) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let (caller, meta) = (door.fresh_administrator().await?, door.meta());
    let by = crate::server::people::Actor::administrator(&caller, &meta);
    door.answer(door.state.people.end_sign_in_of(&by, user, sign_in).await)?;
    door.lead_to(&format!("/people/{user}?done=ended#sign-ins"));
    Ok(())
}

/// Begins a reset of somebody's password. Nobody but its owner chooses the new one.
#[server(prefix = "/api", endpoint = "start_reset")]
pub async fn start_reset(user: UserId) -> Result<Reset, AppError> {
    let door = super::door::Door::open()?;
    let (caller, meta) = (door.fresh_administrator().await?, door.meta());
    let by = crate::server::people::Actor::administrator(&caller, &meta);
    let reset = door.answer(door.state.people.start_reset(&by, user).await)?;
    if let Reset::Link(link) = &reset {
        door.show_once(link);
    }
    door.lead_to(&format!("/people/{user}?done={}#reset", if reset == Reset::Mailed { "mailed" } else { "reset" }));
    Ok(reset)
}

/// The caller has not lost their second factors: they stay.
#[server(prefix = "/api", endpoint = "refuse_factor_removal")]
pub async fn refuse_factor_removal() -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    door.answer(door.state.people.refuse_factor_removal(&caller, &door.meta()).await)
}
