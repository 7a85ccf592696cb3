use leptos::prelude::*;

use crate::{
    components::TimeAgo,
    domain::UndeliveredMail,
    pages::{
        shell::ReaderTime,
        toolkit::{RowList, Section},
    },
};

/// Mails that did not leave. Nothing where all did.
#[component]
pub fn Mails(
    /// Whether mails are sent.
    mails: bool,
    /// Those that failed and were not sent since.
    undelivered: Vec<UndeliveredMail>,
) -> impl IntoView {
    if !mails {
        let sentence = "This installation sends no mails. Hand over invitations and links for a new password yourself.";
        return view! {
            <Section ruled=true id="mails" title="Mails" sentence>
                <p class="text-label text-ink-soft">"The operator can change that in the configuration, with " <code>"mail.smtp_url"</code> "."</p>
            </Section>
        }
        .into_any();
    }
    if undelivered.is_empty() {
        return ().into_any();
    }
    let rows = undelivered.into_iter().map(|mail| view! { <Undelivered mail /> }).collect_view();
    view! {
        <Section ruled=true id="mails" title="Mails that did not leave" sentence="The mail server did not take them.">
            <RowList>{rows}</RowList>
        </Section>
    }
    .into_any()
}

#[component]
fn Undelivered(mail: UndeliveredMail) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let UndeliveredMail { recipient, subject, created_at, attempts, tries_again, error } = mail;
    let tries = if attempts == 1 { "1 try".to_owned() } else { format!("{attempts} tries") };
    view! {
        <li class="py-3">
            <p class="font-medium">{subject}</p>
            <p class="text-label text-ink-soft">
                "To " {recipient} " · " <TimeAgo at=created_at clock /> " · " {tries}
                {if tries_again { ", will be tried again" } else { ", given up" }}
            </p>
            <p class="text-label text-ink-soft">{error}</p>
        </li>
    }
    .into_any()
}
