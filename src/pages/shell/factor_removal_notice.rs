use leptos::prelude::*;
use server_fn::ServerFn;

use crate::{
    components::{Notice, ReaderClock},
    domain::Timestamp,
    server_fns::people::RefuseFactorRemoval,
};

/// A notice above every page that the second factors of the account are going to be removed as lost, with a button to
/// keep them. A form without scripts: it is rarely needed, and an action would add to the size of every first visit.
#[component]
pub fn FactorRemovalNotice(
    /// When they will be removed; `None` renders nothing.
    due: Option<Timestamp>,
    /// The reader's clock.
    #[prop(into)]
    clock: Signal<ReaderClock>,
) -> impl IntoView {
    due.map(|due| {
        view! {
            <div class="px-4 pt-3">
                <div class="column">
                    <Notice class="notice notice-warn">
                        <p>{move || t!("chat.factor_removal.sentence", moment = clock.get().exact(due))}</p>
                        <form method="post" action=RefuseFactorRemoval::url()>
                            <button class="btn btn-line mt-3" type="submit">
                                {t!("chat.factor_removal.keep")}
                            </button>
                        </form>
                    </Notice>
                </div>
            </div>
        }
    })
}
