//! How pages look in the browser that asks.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::AppError;

endpoint!(ChangeAppearance, Anyone);

/// Stores in the browser what it chooses, and goes back to the page with the form. Unknown and missing values change
/// nothing.
#[server(prefix = "/api", endpoint = "change_appearance")]
pub async fn change_appearance(
    #[server(default)] theme: String,
    #[server(default)] text: String,
    #[server(default)] enter: String,
) -> Result<(), AppError> {
    let context = RequestContext::of::<ChangeAppearance>().await?;
    context.set_appearance([theme.as_str(), text.as_str(), enter.as_str()]);
    context.redirect_plain_form(crate::domain::local_path(Some(context.referer_path())));
    Ok(())
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use server_fn::ServerFn;

    #[test]
    fn forms_know_its_path() {
        assert_eq!(super::ChangeAppearance::PATH, crate::domain::CHANGE_APPEARANCE);
    }
}
