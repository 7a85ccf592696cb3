use leptos::prelude::*;
use server_fn::ServerFn;

use crate::{
    components::{Notice, ReaderClock},
    domain::Timestamp,
    server_fns::people::RefuseFactorRemoval,
};

/// Tells a person above every page that their second factors are said to be lost, and lets them refuse. A plain form:
/// it is needed once in years, and would add to what every first visit loads.
#[component]
pub fn FactorRemovalNotice(
    /// When they are removed; nothing is said without it.
    due: Option<Timestamp>,
    /// The reader's clock.
    #[prop(into)]
    clock: Signal<ReaderClock>,
) -> impl IntoView {
    due.map(|due| {
        view! {
            <div class="px-4 pt-3">
                <div class="column">
                    <Notice>
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
