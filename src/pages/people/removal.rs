use leptos::{form::ActionForm, prelude::*};

use crate::{
    components::{FormError, Notice},
    pages::{
        forms::{form_action, form_error},
        frame::FrameState,
    },
    server_fns::people::RefuseFactorRemoval,
};

/// Tells a person above every page that their second factors are said to be lost, and lets them refuse.
#[component]
pub fn RemovalNotice() -> impl IntoView {
    let FrameState { factor_removal, clock, .. } = FrameState::expect();
    let action = form_action::<RefuseFactorRemoval>();
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    Effect::new(move || {
        if let Some(Ok(())) = action.value().get() {
            factor_removal.set(None);
        }
    });
    move || {
        factor_removal.get().map(|due| {
            view! {
                <div class="px-4 pt-3">
                    <div class="column">
                        <Notice>
                            <p>
                                "An administrator was told that you have lost your second factors. They will be removed on "
                                {move || clock.get().exact(due)} ", and all devices will be signed out."
                            </p>
                            <FormError error=form_error(error, &[]) id="removal-error" />
                            <ActionForm action>
                                <button class="btn btn-line mt-3" type="submit">
                                    "Keep my second factors"
                                </button>
                            </ActionForm>
                        </Notice>
                    </div>
                </div>
            }
        })
    }
}
