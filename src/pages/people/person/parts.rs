use leptos::{form::ActionForm, prelude::*};

use super::{
    super::sections::{Part, Told},
    PersonState,
};
use crate::{
    components::{CopyLink, TimeAgo},
    domain::{Device, Person, PersonChange, Role, Standing, UserId},
    pages::frame::FrameState,
};

/// A form with one button, which does one thing.
#[component]
fn Change(
    person: UserId,
    change: PersonChange,
    words: &'static str,
    /// Asks an administrator to confirm that it is about themself.
    #[prop(default = false)]
    confirm: bool,
    state: PersonState,
) -> impl IntoView {
    let class = if matches!(change, PersonChange::Disable | PersonChange::DeleteAccount) {
        "btn btn-line btn-danger"
    } else {
        "btn btn-line"
    };
    let box_id = format!("confirm-{}", change.name());
    view! {
        <ActionForm action=state.change>
            <input type="hidden" name="user" value=person.to_string() />
            <input type="hidden" name="change" value=change.name() />
            {confirm
                .then(|| {
                    view! {
                        <label class="mb-3 flex min-h-11 items-center gap-2.5 text-ink-soft" for=box_id.clone()>
                            <input class="checkbox" id=box_id.clone() type="checkbox" name="confirmed" value="on" required />
                            "This is my own account, and I cannot undo it myself."
                        </label>
                    }
                })}
            <button class=class type="submit">
                {words}
            </button>
        </ActionForm>
    }
    .into_any()
}

/// What is said in a part when one of its changes was done.
fn told(state: PersonState, changes: &'static [PersonChange]) -> Signal<Option<&'static str>> {
    Signal::derive(move || {
        let named = state.done.get()?;
        changes.iter().find(|change| change.name() == named).map(|change| change.result())
    })
}

/// What they may do.
#[component]
pub fn RolePart(
    /// The person.
    person: Person,
    /// What is done with them.
    state: PersonState,
) -> impl IntoView {
    const CHANGES: &[PersonChange] = &[PersonChange::MakeAdministrator, PersonChange::MakeMember];
    let (id, is_self) = (person.summary.id, person.is_self);
    let (sentence, change, words) = match person.summary.role {
        Role::Member => ("A member uses this installation.", PersonChange::MakeAdministrator, "Make an administrator"),
        Role::Administrator => ("An administrator also looks after people.", PersonChange::MakeMember, "Make a member"),
    };
    view! {
        <Part id="role" title="Role" sentence=format!("{sentence} A change ends all their sign-ins.")>
            <div class="flex flex-wrap items-end gap-3">
                <Change person=id change words confirm=is_self && change.needs_confirmation() state />
                <Told words=told(state, CHANGES) />
            </div>
        </Part>
    }
    .into_any()
}

/// Whether they can come in.
#[component]
pub fn AccessPart(
    /// The person.
    person: Person,
    /// What is done with them.
    state: PersonState,
) -> impl IntoView {
    const CHANGES: &[PersonChange] = &[PersonChange::Disable, PersonChange::Enable];
    let (id, is_self) = (person.summary.id, person.is_self);
    let (sentence, change, words) = match person.summary.standing {
        Standing::Disabled => {
            ("This account is disabled. Nothing of it is lost.", PersonChange::Enable, "Enable the account")
        }
        _ => (
            "Whoever is disabled is signed out at once and cannot sign in. Nothing of the account is lost.",
            PersonChange::Disable,
            "Disable the account",
        ),
    };
    view! {
        <Part id="access" title="Access" sentence>
            <div class="flex flex-wrap items-end gap-3">
                <Change person=id change words confirm=is_self && change.needs_confirmation() state />
                <Told words=told(state, CHANGES) />
            </div>
        </Part>
    }
    .into_any()
}

/// A reset of the password.
#[component]
pub fn PasswordPart(
    /// The person.
    person: Person,
    /// What is done with them.
    state: PersonState,
) -> impl IntoView {
    let Person { summary, new_link, mails, .. } = person;
    let sentence = match mails {
        true => "They are sent a link by which they choose another one. You never see it.",
        false => "You get a link to hand over, by which they choose another one. It holds for 15 minutes.",
    };
    let told = Signal::derive(move || match state.done.get().as_deref() {
        Some("mailed") => Some("A link is on its way."),
        Some("reset") => Some("The link is ready."),
        _ => None,
    });
    let link = move || state.link.get().or_else(|| new_link.clone());
    let disabled = summary.standing == Standing::Disabled;
    view! {
        <Part id="reset" title="Password" sentence>
            {if disabled {
                view! { <p class="text-label text-ink-soft">"Enable the account first."</p> }.into_any()
            } else {
                view! {
                    <div class="flex flex-wrap items-center gap-3">
                        <ActionForm action=state.reset>
                            <input type="hidden" name="user" value=summary.id.to_string() />
                            <button class="btn btn-line" type="submit">
                                "Start a reset"
                            </button>
                        </ActionForm>
                        <Told words=told />
                    </div>
                }
                    .into_any()
            }}
            {move || {
                link()
                    .map(|link| {
                        view! {
                            <div class="mt-5">
                                <p class="mb-2">"The link is shown only now. Copy it before you leave this page."</p>
                                <CopyLink label="Link for a new password" link />
                            </div>
                        }
                    })
            }}
        </Part>
    }
    .into_any()
}

/// Second factors that were lost.
#[component]
pub fn FactorsPart(
    /// The person.
    person: Person,
    /// What is done with them.
    state: PersonState,
) -> impl IntoView {
    const CHANGES: &[PersonChange] = &[PersonChange::RemoveFactors, PersonChange::KeepFactors];
    let clock = FrameState::expect().clock;
    let Person { summary, factors, factor_removal, removal_hours, is_self, .. } = person;
    let sentence = match (factors, is_self) {
        (0, _) => "They have none.".to_owned(),
        (_, true) => "You remove your own in your settings.".to_owned(),
        (count, false) => {
            let have = if count == 1 { "They have one.".to_owned() } else { format!("They have {count}.") };
            let wait = if removal_hours == 1 { "1 hour".to_owned() } else { format!("{removal_hours} hours") };
            format!("{have} Lost ones are removed {wait} after you asked; until then the person can refuse.")
        }
    };
    let due = factor_removal.map(|due| {
        view! {
            <p class="mb-3">"They will be removed on " {move || clock.get().exact(due)} "."</p>
        }
    });
    let change = match (factors, is_self, factor_removal) {
        (_, _, Some(_)) => Some((PersonChange::KeepFactors, "Keep them after all")),
        (1.., false, None) => Some((PersonChange::RemoveFactors, "Remove the lost factors")),
        _ => None,
    };
    view! {
        <Part id="factors" title="Second factors" sentence>
            {due}
            <div class="flex flex-wrap items-end gap-3">
                {change.map(|(change, words)| view! { <Change person=summary.id change words state /> })}
                <Told words=told(state, CHANGES) />
            </div>
        </Part>
    }
    .into_any()
}

/// Where they are signed in.
#[component]
pub fn SignInsPart(
    /// The person.
    person: Person,
    /// What is done with them.
    state: PersonState,
) -> impl IntoView {
    const CHANGES: &[PersonChange] = &[PersonChange::EndSignIns];
    let id = person.summary.id;
    let all = told(state, CHANGES);
    let told = Signal::derive(move || match state.done.get().as_deref() {
        Some("ended") => Some("Ended."),
        _ => all.get(),
    });
    let sentence = if person.devices.is_empty() { "Nowhere." } else { "Where they are signed in, last used first." };
    let some = !person.devices.is_empty();
    let rows = person.devices.into_iter().map(|device| view! { <SignIn id device state /> }).collect_view();
    view! {
        <Part id="sign-ins" title="Sign-ins" sentence>
            <ul class="divide-y divide-line border-line not-empty:border-y">{rows}</ul>
            <div class="mt-4 flex flex-wrap items-end gap-3">
                {some.then(|| view! { <Change person=id change=PersonChange::EndSignIns words="End all sign-ins" state /> })}
                <Told words=told />
            </div>
        </Part>
    }
    .into_any()
}

/// The end of the account.
#[component]
pub fn DeletionPart(
    /// The person.
    person: Person,
    /// What is done with them.
    state: PersonState,
) -> impl IntoView {
    const CHANGES: &[PersonChange] = &[PersonChange::DeleteAccount, PersonChange::KeepAccount];
    let clock = FrameState::expect().clock;
    let Person { summary, deletion_at, is_self, .. } = person;
    let sentence = match is_self {
        true => "You delete your own in your settings.",
        false => {
            "The account is disabled at once, and everything in it is deleted a day later. Until then it can be kept."
        }
    };
    let due = deletion_at.map(|due| {
        view! {
            <p class="mb-3">"It will be deleted on " {move || clock.get().exact(due)} "."</p>
        }
    });
    let change = match (is_self, deletion_at) {
        (_, Some(_)) => Some((PersonChange::KeepAccount, "Keep the account")),
        (false, None) => Some((PersonChange::DeleteAccount, "Delete the account")),
        (true, None) => None,
    };
    view! {
        <Part id="deletion" title="Delete account" sentence>
            {due}
            <div class="flex flex-wrap items-end gap-3">
                {change.map(|(change, words)| view! { <Change person=summary.id change words state /> })}
                <Told words=told(state, CHANGES) />
            </div>
        </Part>
    }
    .into_any()
}

#[component]
fn SignIn(id: UserId, device: Device, state: PersonState) -> impl IntoView {
    let clock = FrameState::expect().clock;
    let Device { id: sign_in, device, place, last_used_at, current, .. } = device;
    let name = format!("End {device}");
    view! {
        <li class="flex items-center gap-4 py-3">
            <div class="min-w-0 flex-1">
                <p class="flex flex-wrap items-center gap-x-2 font-medium">
                    {device} {current.then(|| view! { <span class="chip">"This device"</span> })}
                </p>
                <p class="text-label text-ink-soft">
                    <TimeAgo at=last_used_at clock /> " · " {place}
                </p>
            </div>
            <ActionForm action=state.end>
                <input type="hidden" name="user" value=id.to_string() />
                <input type="hidden" name="sign_in" value=sign_in.to_string() />
                <button class="btn btn-quiet btn-small" type="submit" aria-label=name>
                    "End"
                </button>
            </ActionForm>
        </li>
    }
    .into_any()
}
