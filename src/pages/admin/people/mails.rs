use leptos::prelude::*;

use crate::{
    components::TimeAgo,
    domain::UndeliveredMail,
    pages::{
        shell::ReaderTime,
        toolkit::{RowList, Section},
    },
};

/// Mails that were not delivered. Renders nothing if all were.
#[component]
pub fn MailSection(
    /// Whether the server can send mail.
    mails: bool,
    /// The mails that failed and have not been sent since.
    undelivered: Vec<UndeliveredMail>,
) -> impl IntoView {
    if !mails {
        return view! {
            <Section id="mails" title=t!("admin.mails.title") sentence=t!("admin.mails.off")>
                <p class="text-label text-ink-soft">
                    {rich!("admin.mails.configure", setting = |_| view! { <code>"mail.smtp_url"</code> })}
                </p>
            </Section>
        }
        .into_any();
    }
    if undelivered.is_empty() {
        return ().into_any();
    }
    let rows = undelivered.into_iter().map(|mail| view! { <UndeliveredMailRow mail /> }).collect_view();
    view! {
        <Section
            id="mails"
            title=t!("admin.mails.undelivered")
            sentence=t!("admin.mails.undelivered_intro")
        >
            <RowList>{rows}</RowList>
        </Section>
    }
    .into_any()
}

#[component]
fn UndeliveredMailRow(mail: UndeliveredMail) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let UndeliveredMail { recipient, subject, created_at, attempts, will_retry, error } = mail;
    let attempts_text = if will_retry {
        t!("admin.mails.tries_again", count = attempts)
    } else {
        t!("admin.mails.given_up", count = attempts)
    };
    view! {
        <li class="py-3">
            <p class="font-medium">{subject}</p>
            <p class="text-label text-ink-soft">
                {t!("admin.mails.to", address = recipient)} " · " <TimeAgo at=created_at clock /> " · " {attempts_text}
            </p>
            <p class="text-label text-ink-soft">{error}</p>
        </li>
    }
    .into_any()
}
