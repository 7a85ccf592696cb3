use leptos::prelude::*;
use server_fn::ServerFn;

use crate::{
    components::{Notice, ReaderClock},
    domain::Timestamp,
    server_fns::deletion::KeepAccount,
};

/// Tells a person above every page that their account is going to be deleted, and lets them keep it. A plain form: it
/// is needed once, and would add to what every first visit loads.
#[component]
pub fn DeletionNotice(
    /// When it is deleted; nothing is said without it.
    #[prop(into)]
    due: Signal<Option<Timestamp>>,
    /// The reader's clock.
    #[prop(into)]
    clock: Signal<ReaderClock>,
) -> impl IntoView {
    move || {
        due.get().map(|due| {
            view! {
                <div class="px-4 pt-3">
                    <div class="column">
                        <Notice>
                            <p>{move || t!("chat.deletion.sentence", moment = clock.get().exact(due))}</p>
                            <form method="post" action=KeepAccount::url()>
                                <button class="btn btn-line mt-3" type="submit">
                                    {t!("chat.deletion.keep")}
                                </button>
                            </form>
                        </Notice>
                    </div>
                </div>
            }
        })
    }
}
