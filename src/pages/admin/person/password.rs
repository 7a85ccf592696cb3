use leptos::{form::ActionForm, prelude::*};

use super::state::PersonState;
use crate::{
    components::CopyLink,
    domain::{Person, Standing},
    pages::toolkit::{Section, StatusMessage},
};

/// A reset of the password.
#[component]
pub fn PasswordSection(
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
        <Section ruled=true id="reset" title="Password" sentence>
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
                        <StatusMessage words=told />
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
        </Section>
    }
    .into_any()
}
