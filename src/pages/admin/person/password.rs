use leptos::{form::ActionForm, prelude::*};

use super::state::PersonState;
use crate::{
    components::CopyLink,
    domain::{AccountStatus, Person},
    pages::toolkit::{RowSection, StatusMessage},
};

/// Resets the password.
#[component]
pub fn PasswordSection(
    /// The person.
    person: Person,
    /// The actions on the person.
    state: PersonState,
) -> impl IntoView {
    let Person { summary, new_link, mails, .. } = person;
    let sentence = match mails {
        true => t!("admin.reset.intro_mailed"),
        false => t!("admin.reset.intro"),
    };
    let status = Signal::derive(move || match state.done.get().as_deref() {
        Some("mailed") => Some(t!("admin.reset.mailed")),
        Some("reset") => Some(t!("admin.reset.ready")),
        _ => None,
    });
    let link = move || state.link.get().or_else(|| new_link.clone());
    let disabled = summary.status == AccountStatus::Disabled;
    let new_link = move || {
        link().map(|link| {
            view! {
                <div class="pb-4">
                    <p class="mb-2">{t!("admin.reset.link_once")}</p>
                    <CopyLink label=t!("admin.reset.link") link />
                </div>
            }
        })
    };
    view! {
        <RowSection id="reset" title=t!("admin.reset.title") sentence extra=new_link.into_any()>
            {if disabled {
                view! { <p class="text-label text-ink-soft">{t!("admin.reset.enable_first")}</p> }.into_any()
            } else {
                view! {
                    <div class="person-control">
                        <ActionForm action=state.reset>
                            <input type="hidden" name="user" value=summary.id.to_string() />
                            <button class="btn btn-line" type="submit">
                                {t!("admin.reset.start")}
                            </button>
                        </ActionForm>
                        <StatusMessage text=status />
                    </div>
                }
                    .into_any()
            }}
        </RowSection>
    }
    .into_any()
}
