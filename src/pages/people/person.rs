//! `/people/{id}`

mod parts;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::confirm::ConfirmFirst;
use crate::{
    components::{FormError, PageTitle, TimeAgo},
    domain::{AppError, Person, PersonChange, PersonSummary, Reset, UserId},
    pages::{
        fault::Faulty,
        forms::{focus_error, form_action, form_error},
        frame::{FrameState, PageBar, ToSignIn},
        loaded::loaded,
    },
    server_fns::people::{ChangePerson, EndSignInOf, StartReset, load_person},
};
use parts::{AccessPart, DeletionPart, FactorsPart, PasswordPart, RolePart, SignInsPart};

/// What is done with a person. It outlives what is shown of them, which is read anew after each change.
#[derive(Clone, Copy)]
pub struct PersonState {
    /// A change of the account.
    pub change: ServerAction<ChangePerson>,
    /// A reset of the password.
    pub reset: ServerAction<StartReset>,
    /// The end of one sign-in.
    pub end: ServerAction<EndSignInOf>,
    /// What was done last, as addresses name it.
    pub done: RwSignal<Option<String>>,
    /// The link of a reset that was just begun.
    pub link: RwSignal<Option<String>>,
    error: RwSignal<Option<AppError>>,
}

impl PersonState {
    /// Tells `on_change` whenever the person must be read anew.
    fn new(on_change: Callback<()>) -> Self {
        let state = Self {
            change: form_action(),
            reset: form_action(),
            end: form_action(),
            done: RwSignal::new(use_query_map().with_untracked(|query| query.get("done"))),
            link: RwSignal::new(None),
            error: RwSignal::new(None),
        };
        // An error that a plain form brought back is there before anything is done.
        let brought = state.change.value().get_untracked().and_then(Result::err);
        let brought = brought.or_else(|| state.reset.value().get_untracked().and_then(Result::err));
        state.error.set(brought.or_else(|| state.end.value().get_untracked().and_then(Result::err)));
        let settle = move |result: Result<String, AppError>| {
            // What cannot be done any more is shown as it is now; what needs a proof is asked for.
            let reload = !matches!(&result, Err(AppError::Invalid { .. } | AppError::Transport));
            state.done.set(result.as_ref().ok().cloned());
            state.error.set(result.err());
            if reload {
                on_change.run(());
            }
        };
        Effect::new(move || {
            if let Some(result) = state.change.value().get() {
                settle(result.map(|change: PersonChange| change.name().to_owned()));
            }
        });
        Effect::new(move || match state.reset.value().get() {
            Some(Ok(Reset::Link(link))) => {
                state.link.set(Some(link));
                settle(Ok("reset".to_owned()));
            }
            Some(Ok(Reset::Mailed)) => settle(Ok("mailed".to_owned())),
            Some(Err(error)) => settle(Err(error)),
            None => {}
        });
        Effect::new(move || {
            if let Some(result) = state.end.value().get() {
                settle(result.map(|()| "ended".to_owned()));
            }
        });
        state
    }
}

/// One person, and what an administrator can do with their account.
#[component]
pub fn PersonPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id")).unwrap_or_default());
    let again = RwSignal::new(0_u32);
    let on_change = Callback::new(move |()| again.update(|count| *count += 1));
    let person = Resource::new_blocking(
        move || (id.get(), again.get()),
        |(id, _)| async move {
            let user: UserId = id.parse().map_err(|_| AppError::NotFound)?;
            load_person(user).await
        },
    );
    let state = PersonState::new(on_change);
    view! {
        <PageTitle text="Person" />
        <PageBar title="Person" heading=false />
        <div class="page">
            <div class="column">
                <Transition>
                    {loaded(move || async move {
                        match person.await {
                            Ok(person) => view! { <Content person state /> }.into_any(),
                            Err(AppError::Unauthenticated) => view! { <ToSignIn /> }.into_any(),
                            Err(error) => view! { <Faulty error /> }.into_any(),
                        }
                    })}
                </Transition>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Content(person: Person, state: PersonState) -> impl IntoView {
    const FIELDS: &[&str] = &[];
    let error: Signal<Option<AppError>> = state.error.into();
    focus_error(error, FIELDS, "person-error");
    let fresh = person.fresh;
    let stale = move || error.with(|error| matches!(error, Some(AppError::Stale)));
    view! {
        <p class="mb-4">
            <a class="link inline-flex min-h-11 items-center" href="/people">
                "All people"
            </a>
        </p>
        {move || (!fresh || stale()).then(|| view! { <ConfirmFirst /> })}
        <FormError error=form_error(error, FIELDS) id="person-error" />
        <Head person=person.clone() />
        <RolePart person=person.clone() state />
        <AccessPart person=person.clone() state />
        <PasswordPart person=person.clone() state />
        <FactorsPart person=person.clone() state />
        <SignInsPart person=person.clone() state />
        <DeletionPart person state />
    }
    .into_any()
}

/// Who it is, in a few lines.
#[component]
fn Head(person: Person) -> impl IntoView {
    let clock = FrameState::expect().clock;
    let Person { summary, created_at, email_verified, is_self, .. } = person;
    let PersonSummary { name, email, standing, last_seen_at, .. } = summary;
    view! {
        <div class="py-6">
            <h1 class="flex flex-wrap items-center gap-x-2 text-title font-semibold">
                <span class="min-w-0" dir="auto">
                    {name}
                </span>
                {is_self.then(|| view! { <span class="chip">"You"</span> })}
            </h1>
            <p class="text-ink-soft">
                {email} {if email_verified { ", confirmed" } else { ", not confirmed" }}
            </p>
            <p class="mt-2 text-label text-ink-soft">
                {standing.words().map(|words| format!("{words} · "))} "Account made " <TimeAgo at=created_at clock />
                {last_seen_at.map(|at| view! { " · last seen " <TimeAgo at clock /> })}
            </p>
        </div>
    }
    .into_any()
}
