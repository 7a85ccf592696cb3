use leptos::prelude::*;
use server_fn::ServerFn;

use crate::{
    components::{Notice, ReaderClock},
    domain::Timestamp,
    server_fns::deletion::KeepAccount,
};

/// A notice above every page that the account is going to be deleted, with a button to keep it. A form without scripts:
/// it is needed once, and an action would add to the size of every first visit.
#[component]
pub fn DeletionNotice(
    /// When the account will be deleted; `None` renders nothing.
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
                        <Notice class="notice notice-danger">
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
